package dissect

import "bytes"

const appRDP = 88

// recogniseRDP knows Remote Desktop by the request for a connection: a cookie or
// a proposal of protocols in X.224 ([MS-RDPBCGR] section 2.2.1.1). If the server
// chooses TLS, it follows.
func recogniseRDP(m *message) answer {
	const header = 11 // of the transport (RFC 1006), and X.224's
	b := m.data
	if b[0] != 3 || len(b) > 1 && b[1] != 0 {
		return m.notMine()
	}
	if len(b) < header {
		return m.moreIfUsual()
	}
	length := int(b[2])<<8 | int(b[3])
	if length < header || length > 512 || int(b[4]) != length-5 || b[5] != 0xe0 && b[5] != 0xd0 || b[10] != 0 {
		return m.notMine()
	}
	if len(b) < length {
		return m.moreIfUsual()
	}
	rest := b[header:length]
	if b[5] == 0xe0 {
		return m.rdpAsk(b[6:8], rest)
	}
	if len(rest) == 0 && m.conv.owner != 0 {
		return done
	}
	if !rdpNegotiation(rest, 2) && !rdpNegotiation(rest, 3) {
		return m.notMine()
	}
	if m.conv.owner != 0 && rest[0] == 2 && rest[4] != 0 {
		m.useAll()
		m.handOver()
		return mine
	}
	return done
}

// rdpAsk looks at the request: what it refers to is zero, then comes a cookie,
// or a proposal, or both, or at the usual port nothing.
func (m *message) rdpAsk(refers, rest []byte) answer {
	cookie := bytes.HasPrefix(rest, []byte("Cookie: msts")) && bytes.Contains(rest, []byte("\r\n"))
	after := rest
	if cookie {
		_, after, _ = bytes.Cut(rest, []byte("\r\n"))
	}
	proposal := rdpNegotiation(after, 1) // more may follow
	if refers[0] != 0 || refers[1] != 0 || !cookie && !proposal && (len(rest) > 0 || !m.usual) {
		return m.notMine()
	}
	m.useAll()
	return mine
}

// rdpNegotiation reports whether b is a structure of this kind, eight bytes with
// their length.
func rdpNegotiation(b []byte, kind byte) bool {
	return len(b) >= 8 && b[0] == kind && b[2] == 8 && b[3] == 0 && b[5] == 0 && b[6] == 0 && b[7] == 0
}
