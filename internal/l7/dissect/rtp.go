package dissect

import "encoding/binary"

const (
	appRTP  = 87
	appRTCP = 165
)

// rtpStreak is how many packets of one stream must follow each other.
const rtpStreak = 4

// recogniseRTP knows RTP (RFC 3550) by packets of one side that have the same
// source and payload type, and numbers that rise.
func recogniseRTP(m *message) answer {
	b := m.data
	if len(b) < 13 || b[0]>>6 != 2 {
		return no
	}
	kind := b[1] & 0x7f
	if kind >= 72 && kind <= 76 || kind > 34 && kind < 72 { // RTCP's, and those without an owner
		return no
	}
	header := 12 + 4*int(b[0]&0x0f)
	source := binary.BigEndian.Uint32(b[8:])
	if header >= len(b) || source == 0 || source == 0xffffffff {
		return no
	}
	if b[0]&0x10 != 0 { // an extension
		if len(b) < header+4 || len(b) < header+4+4*int(binary.BigEndian.Uint16(b[header+2:])) {
			return no
		}
	}
	n := m.follow(step{
		key: source, seq: uint32(binary.BigEndian.Uint16(b[2:])), what: appRTP<<7 | uint16(kind), gap: 16, mask: 0xffff,
	})
	if n < rtpStreak {
		return no
	}
	return done
}

// recogniseRTCP knows RTCP (RFC 3550) by a report that is followed by others of
// the same source up to the last byte.
func recogniseRTCP(m *message) answer {
	b := m.data
	if len(b) < 16 || b[1] != 200 && b[1] != 201 {
		return no
	}
	source := binary.BigEndian.Uint32(b[4:])
	parts := 0
	for len(b) > 0 {
		if len(b) < 8 || b[0]>>6 != 2 || b[1] < 200 || b[1] > 207 {
			return no
		}
		n := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
		if n < 8 || n > len(b) || parts == 1 && binary.BigEndian.Uint32(b[4:]) != source {
			return no
		}
		b = b[n:]
		parts++
	}
	if parts < 2 {
		return no
	}
	return done
}
