package dissect

const appBGP = 13

// recogniseBGP knows BGP (RFC 4271) by the marker of its messages, and their
// lengths and types.
func recogniseBGP(m *message) answer {
	const marker, header = 16, 19
	b := m.data
	for i := range min(len(b), marker) {
		if b[i] != 0xff {
			return no
		}
	}
	if len(b) < header {
		return m.moreIfUsual()
	}
	length, kind := int(b[marker])<<8|int(b[marker+1]), b[marker+2]
	least := [...]int{1: 29, 2: 23, 3: 21, 4: 19, 5: 23} // open, update, notification, keepalive, refresh
	if kind == 0 || int(kind) >= len(least) || length < least[kind] || length > 4096 || kind == 4 && length != header {
		return no
	}
	if kind == 1 && len(b) > header && b[header] != 4 {
		return no
	}
	return done
}
