package dissect

import "encoding/binary"

// A reader is a cursor over bytes that may be cut. The first short read is
// remembered; later reads return zero.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) bytes(n int) []byte {
	if r.short || n < 0 || n > len(r.b) {
		r.short = true
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

// most returns n bytes, or those that there are, and then the reader is short.
func (r *reader) most(n int) []byte {
	if r.short || n <= len(r.b) {
		return r.bytes(n)
	}
	p := r.b
	r.b, r.short = nil, true
	return p
}

func (r *reader) uint8() uint8 {
	if p := r.bytes(1); p != nil {
		return p[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if p := r.bytes(2); p != nil {
		return binary.BigEndian.Uint16(p)
	}
	return 0
}

func (r *reader) uint24() int {
	if p := r.bytes(3); p != nil {
		return int(p[0])<<16 | int(p[1])<<8 | int(p[2])
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if p := r.bytes(4); p != nil {
		return binary.BigEndian.Uint32(p)
	}
	return 0
}

// block8 returns bytes with their length in front, in one byte.
func (r *reader) block8() []byte { return r.bytes(int(r.uint8())) }

// block16 returns bytes with their length in front, in two bytes.
func (r *reader) block16() []byte { return r.bytes(int(r.uint16())) }

// varint returns a number as QUIC writes it (RFC 9000 section 16).
func (r *reader) varint() uint64 {
	p := r.bytes(1)
	if p == nil {
		return 0
	}
	v := uint64(p[0] & 0x3f)
	for _, c := range r.bytes(1<<(p[0]>>6) - 1) {
		v = v<<8 | uint64(c)
	}
	return v
}

// count returns a varint that must fit into what remains.
func (r *reader) count() int {
	n := r.varint()
	if n > uint64(len(r.b)) {
		r.short = true
		return 0
	}
	return int(n)
}
