package flow

import "strconv"

// A Proto is an IP protocol number (IANA "Assigned Internet Protocol Numbers").
type Proto uint8

const (
	ICMP    Proto = 1
	IGMP    Proto = 2
	TCP     Proto = 6
	UDP     Proto = 17
	GRE     Proto = 47
	ESP     Proto = 50
	AH      Proto = 51
	ICMPv6  Proto = 58
	DCCP    Proto = 33
	OSPF    Proto = 89
	PIM     Proto = 103
	VRRP    Proto = 112
	SCTP    Proto = 132
	UDPLite Proto = 136
)

var protoNames = map[Proto]string{
	ICMP: "icmp", IGMP: "igmp", TCP: "tcp", UDP: "udp", GRE: "gre", ESP: "esp", AH: "ah",
	ICMPv6: "icmp6", OSPF: "ospf", PIM: "pim", VRRP: "vrrp", SCTP: "sctp", DCCP: "dccp", UDPLite: "udplite",
}

// String returns the protocol's usual name in lower case, or its number.
func (p Proto) String() string {
	if s, ok := protoNames[p]; ok {
		return s
	}
	return strconv.Itoa(int(p))
}

// ParseProto returns the protocol of a name that String prints, or of a
// decimal number up to 255. ok is false for anything else.
func ParseProto(s string) (p Proto, ok bool) {
	for p, name := range protoNames {
		if name == s {
			return p, true
		}
	}
	n, err := strconv.ParseUint(s, 10, 8)
	return Proto(n), err == nil
}

// HasPorts reports whether p's conversations are told apart by ports.
func (p Proto) HasPorts() bool {
	return p == TCP || p == UDP || p == SCTP || p == UDPLite || p == DCCP
}
