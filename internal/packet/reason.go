package packet

// A Reason says why a frame has no tuple. It is counted, never logged per
// frame.
type Reason uint8

const (
	None    Reason = iota // the frame was decoded
	NonIP                 // sound, but no IP packet: ARP, LLDP, spanning tree, ...
	reasons               // how many there are; stands last
)

// NumReasons is the length of an array that counts by Reason.
const NumReasons = int(reasons)
