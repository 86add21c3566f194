package meter

import (
	"math"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

// A hot record is what every packet of a conversation touches: one cache line.
// Indexes of two are the direction of a packet: 0 = sent by the first end of
// the tuple, 1 = by the second.
type hot struct {
	// key is the tuple, with the observer in spare bits of the last word. Words
	// 2 and 3 of IPv4 keys are zero in a tuple; here they hold the next
	// sequence number that TCP should send in each direction.
	key     [5]uint64
	last    int64 // time of the last packet on the table's clock
	bytes   [2]uint32
	packets [2]uint16
	flags   [2]uint8 // TCP flags of this slice, or-ed
	state   uint16   // 0 = no conversation lives here
}

// Bits of hot.state. Those of a direction are shifted by it.
const (
	live    uint16 = 1 << iota // a conversation lives here
	empty                      // nothing was counted since the last export
	late                       // packets came with times behind the clock: cold.end holds
	ended                      // TCP said RST, or FIN in both directions
	opening                    // TCP has not got beyond SYN and SYN-ACK
	pending                    // the identifier wants to see payload
	seen                       // this direction sent a packet
	_
	fin // this direction sent FIN
	_
	synced // the next sequence number of this direction is known
	_
	shut // this direction offered a window of zero
	_
)

// A cold record is what few packets of a conversation touch: three cache lines.
type cold struct {
	id      uint64
	start   int64 // first packet of this slice
	end     int64 // last packet of this slice; valid iff late
	packets [2]uint64
	bytes   [2]uint64 // what did not fit the hot record
	_       [8]byte

	holes       [2][3]hole
	holeCount   [2]uint8
	bits        uint16
	evidence    flow.Evidence
	looked      uint8 // payloads shown to the identifier
	master, app uint16
	_           [6]byte

	isn                  [2]uint32 // valid iff known
	next                 [2]uint32 // the next sequence number, of IPv6
	serverRTT, clientRTT int64     // ns, of this slice
	mark                 int64     // when the last step of the handshake came
	retransmits          uint32
	outOfOrder           uint32
	zeroWindows          uint32
	resets               uint32

	slice, iface uint32
}

// Bits of cold.bits. Those of a direction are shifted by it.
const (
	decided      uint16 = 1 << iota // who is the client does not change any more
	clientSecond                    // the second end is the client; valid iff decided
	firstSecond                     // the second end spoke first
	guessed                         // the identifier guessed
	synAgain                        // several SYNs: which one was answered is unknown
	synAckAgain
	asked // this direction sent a SYN, or an ICMP request
	_
	answered // this direction sent a SYN-ACK, or an ICMP answer
	_
	known // the initial sequence number of this direction is known
	_
)

// observerBits are the spare bits of the last word of a tuple that hold the
// number of the observer: the version takes 4 of its 8 bits, the VLAN 12 of 16.
const observerBits = 0xf<<12 | 0xf<<28

func packObserver(number uint8) uint64 {
	return uint64(number&15)<<12 | uint64(number>>4)<<28
}

func unpackObserver(word uint64) uint8 {
	return uint8(word>>12&15) | uint8(word>>28&15)<<4
}

// tuple returns the tuple that r was made of.
func (r *hot) tuple() packet.Tuple {
	t := packet.Tuple(r.key)
	t[4] &^= observerBits
	if t.Is4() {
		t[2], t[3] = 0, 0
	}
	return t
}

// isSix reports whether r is IPv6: its version differs from 4 in bit 1.
func (r *hot) isSix() bool { return r.key[4]>>9&1 != 0 }

func (r *hot) proto() flow.Proto { return flow.Proto(r.key[4]) }

// is reports whether r is of a tuple whose last word, observer included, is
// last. Words 2 and 3 count for IPv6 alone.
func (r *hot) is(t *packet.Tuple, last uint64) bool {
	six := -(last >> 9 & 1)
	return r.key[0]^t[0]|r.key[1]^t[1]|r.key[4]^last|(r.key[2]^t[2]|r.key[3]^t[3])&six == 0
}

// count adds a packet to r. d is its direction.
func (r *hot) count(c *cold, bytes uint32, d uint) {
	if r.packets[d] == math.MaxUint16 || r.bytes[d] > math.MaxUint32-bytes {
		c.packets[d] += uint64(r.packets[d])
		c.bytes[d] += uint64(r.bytes[d])
		r.packets[d], r.bytes[d] = 0, 0
	}
	r.packets[d]++
	r.bytes[d] += bytes
}

// counters returns what was counted since the last export.
func (r *hot) counters(c *cold, d uint) flow.Counters {
	return flow.Counters{
		Packets: c.packets[d] + uint64(r.packets[d]),
		Bytes:   c.bytes[d] + uint64(r.bytes[d]),
	}
}

// clear begins a new slice.
func (r *hot) clear(c *cold) {
	r.bytes, r.packets, r.flags = [2]uint32{}, [2]uint16{}, [2]uint8{}
	r.state = r.state&^late | empty
	c.packets, c.bytes = [2]uint64{}, [2]uint64{}
	c.serverRTT, c.clientRTT = 0, 0
	c.retransmits, c.outOfOrder, c.zeroWindows, c.resets = 0, 0, 0, 0
	c.slice++
}
