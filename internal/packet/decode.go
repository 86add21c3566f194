package packet

import (
	"encoding/binary"
	"math"
)

// maxHeaders bounds how many link, label and IP headers of one frame are
// followed. Eight tunnels of Ethernet, one in another, need 18.
const maxHeaders = 32

// Decode finds the innermost conversation of a frame. It never fails: a frame
// that has none gets a Reason. The frame is not changed and nothing of it is
// kept.
func (h *Headers) Decode(f *Frame) {
	if f.Link == LinkEthernet && h.fast(f) {
		return
	}
	h.reset(f)
	d := decoder{
		Headers: h, data: f.Data, vlan: f.VLAN & 0xfff,
		wire: max(int(f.Wire), len(f.Data)), end: math.MaxInt,
	}
	if !d.link(f.Link, 0) {
		r := h.Reason
		h.reset(f)
		h.Reason = r
	}
}

// reset forgets the frame before. Clearing first and storing field by field
// spares the copy from the stack that a composite literal of this size costs:
// 11 ns of 23 (2026-11-25, go1.26, BenchmarkDecode/tcp).
func (h *Headers) reset(f *Frame) {
	*h = Headers{}
	h.Time, h.Iface = f.Time, f.Iface
}

// A decoder walks down the headers of one frame. Its methods report whether a
// tuple was found; if not, they have set Reason.
type decoder struct {
	*Headers
	data []byte // the frame up to the end of the innermost IP packet so far; offsets count from the frame's start
	wire int    // where the frame ended on the wire
	end  int    // where the innermost IP packet so far ends by its own length, captured or not
	vlan uint16 // outermost VLAN identifier so far
	seen int    // headers entered so far
}

func (d *decoder) fail(r Reason) bool {
	d.Reason = r
	return false
}

// enter counts a header within a header and reports whether to go on.
func (d *decoder) enter() bool {
	d.seen++
	return d.seen <= maxHeaders || d.fail(TooDeep)
}

// inside tries to decode what a packet carries. If that is no conversation,
// the carrying packet stays the one that counts, so that nothing is lost. d
// has the carrying packet's tuple, so the answer is always true.
func (d *decoder) inside(decode func() bool) bool {
	outer := *d.Headers
	if decode() {
		d.Tunnelled = true
		return true
	}
	*d.Headers = outer
	return true
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
