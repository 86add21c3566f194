package dissect

import (
	"encoding/binary"

	"github.com/portolan/portolan/internal/flow"
)

const appSTUN = 78

const (
	stunCookie   = 0x2112a442
	stunSoftware = 0x8022
	stunHeader   = 20
)

// recogniseSTUN knows STUN and TURN (RFC 8489, RFC 8656) by the cookie and a
// length that agrees, and learns from the answer what the server is. The old
// form without cookie (RFC 3489) is known at its port only.
func recogniseSTUN(m *message) answer {
	b := m.data
	if len(b) < stunHeader {
		if m.conv.owner != 0 {
			return done
		}
		if b[0] > 1 {
			return no
		}
		return m.moreIfUsual()
	}
	kind, length := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
	attributes := b[stunHeader:]
	if m.proto == flow.TCP && length < len(attributes) {
		attributes = attributes[:length]
	}
	cookie := binary.BigEndian.Uint32(b[4:]) == stunCookie
	fits := length == len(attributes) && length%4 == 0 && kind < 0x4000
	switch {
	case m.conv.owner != 0 && (!cookie || !fits):
		return done // media, or what else they agreed on
	case !fits || !cookie && !m.oldSTUN(kind, attributes):
		return no
	}
	m.useAll()
	if kind&0x0110 == 0 { // a request
		return mine
	}
	if m.d.cfg.AppOnly || kind&0x0100 == 0 {
		return done
	}
	r := reader{b: attributes}
	for !r.short && len(r.b) > 0 {
		name, n := r.uint16(), int(r.uint16())
		value := r.bytes(n)
		if name == stunSoftware {
			m.software(value)
		}
		r.bytes(-n & 3)
	}
	return done
}

// oldSTUN reports whether this is a binding request or its answer, with
// attributes of RFC 3489 up to the last byte.
func (m *message) oldSTUN(kind uint16, b []byte) bool {
	if !m.usual || m.proto == flow.TCP || kind != 0x0001 && kind != 0x0101 && kind != 0x0111 {
		return false
	}
	r := reader{b: b}
	for len(r.b) > 0 {
		if name := r.uint16(); name == 0 || name > 0x000b && name < 0x8000 {
			return false
		}
		r.block16()
		if r.short {
			return false
		}
	}
	return len(b) > 0
}
