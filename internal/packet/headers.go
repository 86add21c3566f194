package packet

import "github.com/portolan/portolan/internal/flow"

// Headers is what Decode finds in a frame. Decode overwrites every field.
type Headers struct {
	// Tuple names the conversation without a direction. Valid iff Reason is
	// None.
	Tuple Tuple
	Time  int64  // the frame's
	Bytes uint32 // IP bytes of the packet, from its IP length, not from what was captured. Valid iff Reason is None

	// PayloadOffset and PayloadLen give the transport payload within
	// Frame.Data: only what was captured, link padding left out.
	PayloadOffset, PayloadLen uint32
	IPOffset                  uint32 // where the innermost metered IP header begins in Frame.Data

	// Segment is how many payload bytes the IP length says the packet carries,
	// captured or not.
	Segment uint32

	Seq, Ack uint32 // valid iff TCP and not Later
	Window   uint16 // as sent, not scaled; valid iff TCP and not Later
	TCPFlags uint8  // valid iff TCP and not Later, else 0

	ICMPType, ICMPCode uint8 // valid iff the packet is ICMP or ICMPv6, errors included
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
