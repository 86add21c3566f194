package packet

import "github.com/portolan/portolan/internal/flow"

// Headers is what Decode finds in a frame. Decode overwrites every field. If
// Reason is not None, all but Time and Iface are zero.
type Headers struct {
	// Tuple names the conversation without a direction. Valid iff Reason is
	// None.
	Tuple Tuple
	Time  int64 // the frame's

	// Bytes are the IP bytes of the packet: from its IP length, not from what
	// was captured; of a packet in a tunnel, no more than its carrier brings.
	Bytes uint32

	// PayloadOffset and PayloadLen give the transport payload within
	// Frame.Data: only what was captured, link padding left out.
	PayloadOffset, PayloadLen uint32
	IPOffset                  uint32 // where the innermost metered IP header begins in Frame.Data

	// Segment is how many payload bytes the IP length says the packet carries,
	// captured or not.
	Segment uint32

	// Of TCP, else 0; 0 too in a Later fragment, in an ICMPError, and where the
	// capture was cut within the header's first 16 bytes.
	Seq, Ack uint32
	Window   uint16 // as sent, not scaled
	TCPFlags uint8

	ICMPType, ICMPCode uint8 // valid iff the packet is ICMP or ICMPv6, errors included, and not Later
	TTL                uint8
	IPID               uint32 // IPv4 identification, or that of an IPv6 fragment header, else 0

	Iface uint32 // the frame's

	Reversed  bool // the sender is the second end of Tuple
	Fragment  bool // any fragment of a larger packet
	Later     bool // a fragment that is not the first: it has no ports, and Tuple's are 0
	ICMPError bool // an ICMP error; Tuple is that of the packet it complains of, Reversed is about the error's own way
	Tunnelled bool // Tuple is of a packet carried in another
	Reason    Reason
}

// Proto returns the protocol of h's tuple.
func (h *Headers) Proto() flow.Proto { return h.Tuple.Proto() }
