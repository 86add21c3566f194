package packet

// A Reason says why a frame has no tuple. It is counted, never logged per
// frame.
type Reason uint8

const (
	None         Reason = iota // the frame was decoded
	NonIP                      // sound, but no IP packet: ARP, LLDP, spanning tree, ...
	UnknownLink                // a link type that the decoder does not know
	CutLink                    // ends within the link header
	CutIP                      // ends within the IP header
	BadIP                      // a version, header length or total length that cannot be
	CutTransport               // ends within the ports, or what tells conversations apart
	BadTransport               // a header length that cannot be
	TooDeep                    // more headers within headers than anybody sends
	reasons                    // how many there are; stands last
)

// NumReasons is the length of an array that counts by Reason.
const NumReasons = int(reasons)

var reasonTexts = [reasons]string{
	"decoded", "not IP", "unknown link type", "cut in the link header", "cut in the IP header",
	"bad IP header", "cut in the transport header", "bad transport header", "nested too deep",
}

// String returns the reason in words.
func (r Reason) String() string {
	if r < reasons {
		return reasonTexts[r]
	}
	return "unknown"
}
