package dissect

const appRADIUS = 146

// recogniseRADIUS knows RADIUS (RFC 2865, RFC 2866, RFC 5176) by a length that
// agrees and attributes up to the last byte.
func recogniseRADIUS(m *message) answer {
	r := reader{b: m.data}
	code := r.uint8()
	r.uint8() // identifier
	length := int(r.uint16())
	r.bytes(16) // authenticator
	if r.short || length != len(m.data) || length > 4096 {
		return no
	}
	if code == 0 || code > 5 && code < 11 || code > 13 && code < 40 || code > 45 {
		return no
	}
	if len(r.b) == 0 && !m.usual {
		return no
	}
	for len(r.b) > 0 {
		kind, n := r.uint8(), int(r.uint8())
		r.bytes(n - 2)
		if r.short || kind == 0 {
			return no
		}
	}
	return done
}
