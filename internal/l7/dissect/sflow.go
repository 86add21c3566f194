package dissect

const appSFlow = 129

// recogniseSFlow knows sFlow version 5 (sflow.org) by samples that go up to the
// last byte.
func recogniseSFlow(m *message) answer {
	r := reader{b: m.data}
	if r.uint32() != 5 {
		return no
	}
	switch r.uint32() { // what the agent's address is
	case 1:
		r.bytes(4)
	case 2:
		r.bytes(16)
	default:
		return no
	}
	r.bytes(12) // agent within, number, uptime
	count := r.uint32()
	if r.short || count == 0 {
		return no
	}
	for len(r.b) > 0 && count > 0 {
		format := r.uint32()
		length := r.uint32()
		if length > uint32(len(r.b)) || length%4 != 0 || format>>12 == 0 && (format == 0 || format > 5) {
			return no
		}
		r.bytes(int(length))
		count--
	}
	if r.short || count > 0 || len(r.b) > 0 {
		return no
	}
	return done
}
