package packet

import (
	"encoding/binary"
	"math/bits"

	"github.com/portolan/portolan/internal/flow"
)

// maxDepth bounds how many packets within packets are looked into.
const maxDepth = 8

// Decode finds the innermost conversation of a frame. It never fails: a frame
// that has none gets a Reason. The frame is not changed and nothing of it is
// kept.
func (h *Headers) Decode(f *Frame) {
	p := f.Data
	if f.Link == LinkEthernet && f.VLAN == 0 && len(p) >= 14+40 && p[12] == 0x08 && p[13] == 0 {
		if h.fast(f, p) {
			return
		}
	}
	*h = Headers{Time: f.Time, Iface: f.Iface}
	d := decoder{Headers: h, frame: f, vlan: f.VLAN}
	if d.link(f.Link, 0) {
		h.Reason = None
	}
}

// fast decodes what most frames are: IPv4 without options or fragments on
// Ethernet, with a whole TCP or UDP header. p has 54 bytes at least. It reports
// false, having changed nothing that matters, for all else.
func (h *Headers) fast(f *Frame, p []byte) bool {
	ip := (*[40]byte)(p[14:54])
	proto := ip[9]
	total := uint32(ip[2])<<8 | uint32(ip[3])
	if ip[0] != 0x45 || ip[6]&0x3f != 0 || ip[7] != 0 || total < 40 {
		return false
	}
	var header, flags uint32
	switch flow.Proto(proto) {
	case flow.TCP:
		header, flags = uint32(ip[32]>>4)*4, uint32(ip[33])
		if header < 20 || 20+header > total {
			return false
		}
	case flow.UDP:
		if header = 8; tunnelPort(binary.BigEndian.Uint16(ip[20:]), binary.BigEndian.Uint16(ip[22:])) {
			return false
		}
	default:
		return false
	}
	addrs := binary.BigEndian.Uint64(ip[12:])
	ports := binary.BigEndian.Uint32(ip[20:])
	x, y := addrs>>32<<16|uint64(ports>>16), addrs<<32>>16|uint64(ports&0xffff)

	start := 14 + 20 + header
	end := min(14+total, uint32(len(p)))
	if start > end {
		start = end
	}
	*h = Headers{
		Tuple: Tuple{min(x, y), max(x, y), 0, 0, uint64(proto) | 4<<8},
		Time:  f.Time, Iface: f.Iface, Bytes: total,
		PayloadOffset: start, PayloadLen: end - start, IPOffset: 14, Segment: total - 20 - header,
		TTL: ip[8], IPID: uint32(ip[4])<<8 | uint32(ip[5]), Reversed: x > y,
	}
	if proto == uint8(flow.TCP) {
		h.Seq = bits.ReverseBytes32(binary.LittleEndian.Uint32(ip[24:]))
		h.Ack = binary.BigEndian.Uint32(ip[28:])
		h.TCPFlags = uint8(flags)
		h.Window = binary.BigEndian.Uint16(ip[34:])
	}
	return true
}

// A decoder walks down the headers of one frame. Its methods report whether a
// tuple was found; if not, they have set Reason.
type decoder struct {
	*Headers
	frame *Frame
	vlan  uint16 // outermost VLAN identifier so far
	depth int    // headers entered so far
}

func (d *decoder) fail(r Reason) bool {
	d.Reason = r
	return false
}

// enter counts a header within a header and reports whether to go on.
func (d *decoder) enter() bool {
	d.depth++
	return d.depth <= 4*maxDepth || d.fail(TooDeep)
}

// inside tries to decode what a packet carries. If that is no conversation,
// the carrying packet stays the one that counts, so that nothing is lost.
func (d *decoder) inside(decode func() bool) bool {
	outer, vlan := *d.Headers, d.vlan
	if d.depth < 4*maxDepth && decode() {
		d.Tunnelled = true
		return true
	}
	*d.Headers, d.vlan = outer, vlan
	d.Reason = None
	return true
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
