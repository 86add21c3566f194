package dissect

import "bytes"

// isGQUIC reports whether v is a version of Google's own QUIC: 'Q' and three
// digits.
func isGQUIC(v uint32) bool {
	if v>>24 != 'Q' {
		return false
	}
	for shift := 0; shift < 24; shift += 8 {
		if c := byte(v >> shift); c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// recogniseGQUIC knows the packets of Google's QUIC up to Q043: flags with a
// version, a connection ID of eight bytes, the version.
func recogniseGQUIC(m *message) answer {
	r := reader{b: m.data}
	flags := r.uint8()
	r.bytes(8)
	version := r.uint32()
	if r.short || flags&0x09 != 0x09 || flags&0x80 != 0 || !isGQUIC(version) {
		if m.conv.owner != 0 {
			return mine
		}
		return no
	}
	return gquicHello(m, m.data)
}

// gquicHello looks for the hello in a packet that is not encrypted.
func gquicHello(m *message, b []byte) answer {
	if at := bytes.Index(b, []byte("CHLO")); at >= 0 && chlo(m, b[at:]) {
		return done
	}
	return mine
}

// chlo learns from a CHLO: a number of tags, each with the offset of its
// value's end, then the values. It reports whether it is complete as far as the
// name.
func chlo(m *message, b []byte) bool {
	r := reader{b: b}
	if string(r.bytes(4)) != "CHLO" {
		return false
	}
	tags := int(littleEndian(r.bytes(2)))
	r.bytes(2)
	index := reader{b: r.bytes(8 * tags)}
	if r.short {
		return false
	}
	start := 0
	for range tags {
		tag := string(index.bytes(4))
		end := int(littleEndian(index.bytes(4)))
		if end < start || end > len(r.b) {
			return false
		}
		if tag == "SNI\x00" {
			m.host(r.b[start:end])
			return true
		}
		start = end
	}
	return true
}

// littleEndian returns a number of up to four bytes, the lowest first.
func littleEndian(b []byte) (v uint32) {
	for i, c := range b {
		v |= uint32(c) << (8 * i)
	}
	return v
}
