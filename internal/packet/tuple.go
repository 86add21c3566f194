package packet

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"github.com/portolan/portolan/internal/flow"
)

// A Tuple is the key of a conversation before anybody knows who is the client:
// both ends in ascending order, so that the two directions are equal. It is
// five words, so that comparing two takes five XORs.
//
//	IPv4  w0 = address<<16|port of the lower end, w1 = of the higher, w2 = w3 = 0
//	IPv6  w0,w1 = lower address, w2,w3 = higher address
//	w4    = port of the lower end<<48 | port of the higher<<32 (IPv6 only) |
//	        vlan<<16 | version<<8 | protocol
//
// The ports of an ICMP echo are its identifier on both ends; of other
// protocols without ports they are zero.
type Tuple [5]uint64

// MakeTuple builds the tuple of a packet and reports whether src became its
// second end. Both addresses must be of one family; zones are dropped.
func MakeTuple(src, dst netip.AddrPort, proto flow.Proto, vlan uint16) (t Tuple, reversed bool) {
	tail := uint64(vlan&0xfff)<<16 | uint64(proto)
	if s := src.Addr().Unmap(); s.Is4() {
		s4, d4 := s.As4(), dst.Addr().Unmap().As4()
		reversed = t.set4(be32(s4[:]), be32(d4[:]), src.Port(), dst.Port(), tail)
		return t, reversed
	}
	s, d := src.Addr().As16(), dst.Addr().As16()
	reversed = t.set6(&s, &d, src.Port(), dst.Port(), tail)
	return t, reversed
}

// set4 is MakeTuple for IPv4 addresses as numbers; tail is vlan<<16|protocol.
func (t *Tuple) set4(src, dst uint32, sport, dport uint16, tail uint64) (reversed bool) {
	x := uint64(src)<<16 | uint64(sport)
	y := uint64(dst)<<16 | uint64(dport)
	t[0], t[1], t[2], t[3], t[4] = min(x, y), max(x, y), 0, 0, tail|4<<8
	return x > y
}

// set6 is MakeTuple for IPv6 addresses; tail is vlan<<16|protocol.
func (t *Tuple) set6(src, dst *[16]byte, sport, dport uint16, tail uint64) (reversed bool) {
	s0, s1 := binary.BigEndian.Uint64(src[:8]), binary.BigEndian.Uint64(src[8:])
	d0, d1 := binary.BigEndian.Uint64(dst[:8]), binary.BigEndian.Uint64(dst[8:])
	reversed = s0 > d0 || s0 == d0 && (s1 > d1 || s1 == d1 && sport > dport)
	if reversed {
		s0, s1, sport, d0, d1, dport = d0, d1, dport, s0, s1, sport
	}
	t[0], t[1], t[2], t[3] = s0, s1, d0, d1
	t[4] = uint64(sport)<<48 | uint64(dport)<<32 | 6<<8 | tail
	return reversed
}

// Proto returns the IP protocol.
func (t *Tuple) Proto() flow.Proto { return flow.Proto(t[4]) }

// VLAN returns the outer VLAN identifier, 0 = untagged.
func (t *Tuple) VLAN() uint16 { return uint16(t[4]>>16) & 0xfff }

// ClearVLAN makes t that of an untagged packet.
func (t *Tuple) ClearVLAN() { t[4] &^= 0xfff << 16 }

// Is4 reports whether the ends are IPv4 addresses.
func (t *Tuple) Is4() bool { return uint8(t[4]>>8) == 4 }

// Key returns t as the key of a flow whose client is the second end if
// clientSecond, else the first.
func (t *Tuple) Key(clientSecond bool) flow.Key {
	k := flow.Key{VLAN: t.VLAN(), Proto: t.Proto()}
	if t.Is4() {
		k.Client[10], k.Client[11], k.Server[10], k.Server[11] = 0xff, 0xff, 0xff, 0xff
		binary.BigEndian.PutUint32(k.Client[12:], uint32(t[0]>>16))
		binary.BigEndian.PutUint32(k.Server[12:], uint32(t[1]>>16))
		k.ClientPort, k.ServerPort = uint16(t[0]), uint16(t[1])
	} else {
		binary.BigEndian.PutUint64(k.Client[:8], t[0])
		binary.BigEndian.PutUint64(k.Client[8:], t[1])
		binary.BigEndian.PutUint64(k.Server[:8], t[2])
		binary.BigEndian.PutUint64(k.Server[8:], t[3])
		k.ClientPort, k.ServerPort = uint16(t[4]>>48), uint16(t[4]>>32)
	}
	if clientSecond {
		return k.Reverse()
	}
	return k
}

// Hash mixes t with a seed. Equal tuples have equal hashes; somebody who does
// not know the seed cannot make many tuples collide. Both halves of the result
// are good on their own.
func (t *Tuple) Hash(seed uint64) uint64 {
	// Both factors are seeded: else one could be made zero from outside, which
	// makes the product zero whatever the other is.
	other := bits.RotateLeft64(seed, 32)
	if t.Is4() {
		// Ends fill 48 bits: VLAN and protocol go where they meet no others.
		return fold(t[0]^t[4]>>16<<48^seed^mix0, t[1]^t[4]<<48^other^mix1)
	}
	a := fold(t[0]^seed^mix0, t[1]^other^mix1)
	b := fold(t[2]^seed^mix2, t[3]^other^mix3)
	return fold(a^t[4]^mix1, b^seed^mix0)
}

// Odd constants with half their bits set, as wyhash uses them.
const (
	mix0 = 0xa0761d6478bd642f
	mix1 = 0xe7037ed1a0b428db
	mix2 = 0x8ebc6af09c88c6e3
	mix3 = 0x589965cc75374cc3
)

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
