package ndpi

import (
	"encoding/binary"

	"github.com/portolan/portolan/internal/flow"
)

// maxOpener is the longest opener: an IPv6 and a TCP header.
const maxOpener = 40 + 20

// appendOpener appends the headers of a packet that could open conversation k:
// a SYN without options, a datagram without payload. Checksums are zero.
func appendOpener(dst []byte, k *flow.Key) []byte {
	var l4 [20]byte
	n := 8
	binary.BigEndian.PutUint16(l4[0:], k.ClientPort)
	binary.BigEndian.PutUint16(l4[2:], k.ServerPort)
	switch k.Proto {
	case flow.TCP:
		l4[4], l4[12], l4[13], n = 1, 5<<4, 0x02, 20 // sequence number, header length, SYN (RFC 9293 section 3.1)
	case flow.UDP:
		l4[5] = 8 // length (RFC 768)
	}
	client, server := flow.Addr(k.Client), flow.Addr(k.Server)
	if client.Is4() && server.Is4() {
		dst = append(dst, 0x45, 0, 0, byte(20+n), 0, 1, 0, 0, 64, byte(k.Proto), 0, 0)
		dst = append(append(dst, k.Client[12:]...), k.Server[12:]...)
	} else {
		dst = append(dst, 0x60, 0, 0, 0, 0, byte(n), byte(k.Proto), 64)
		dst = append(append(dst, k.Client[:]...), k.Server[:]...)
	}
	return append(dst, l4[:n]...)
}
