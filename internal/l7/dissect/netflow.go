package dissect

const appNetFlow = 128

// recogniseNetFlow knows NetFlow versions 5 and 9 (RFC 3954) and IPFIX
// (RFC 7011) by counts and lengths that agree up to the last byte.
func recogniseNetFlow(m *message) answer {
	r := reader{b: m.data}
	version, count := r.uint16(), int(r.uint16())
	switch version {
	case 5:
		const header, record = 24, 48
		if count == 0 || count > 30 || len(m.data) != header+count*record {
			return no
		}
		return done
	case 9:
		r.bytes(16) // uptime, time, number, source
		if count == 0 || !flowSets(&r, 0, 1) {
			return no
		}
		return done
	case 10:
		r.bytes(12) // time, number, domain
		if count != len(m.data) || !flowSets(&r, 2, 3) {
			return no
		}
		return done
	}
	return no
}

// flowSets reports whether r is sets of templates, options or data up to the
// last byte, and at least one.
func flowSets(r *reader, template, options uint16) bool {
	if r.short || len(r.b) == 0 {
		return false
	}
	for len(r.b) > 0 {
		id, length := r.uint16(), int(r.uint16())
		r.bytes(length - 4)
		if r.short || length < 8 || id < 256 && id != template && id != options {
			return false
		}
	}
	return true
}
