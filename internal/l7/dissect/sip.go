package dissect

import "bytes"

const appSIP = 100

// sipMethods are those of RFC 3261 and its extensions (IANA "SIP Parameters").
var sipMethods = [...]string{
	"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO", "REFER", "MESSAGE", "UPDATE",
}

// recogniseSIP knows SIP (RFC 3261) by its first line, and learns the domain
// that is asked and what the server is.
func recogniseSIP(m *message) answer {
	line, a := m.firstLine()
	if a != mine {
		if m.conv.owner != 0 && a == no {
			m.useAll()
			return mine // keep-alives, bodies
		}
		if a == more && !beginsWith(m.data, sipMethods[:]) && !beginsWith(m.data, []string{"SIP/2.0"}) {
			return no
		}
		return a
	}
	if bytes.HasPrefix(line, []byte("SIP/2.0 ")) {
		if len(line) < 11 || line[8] < '1' || line[8] > '6' {
			return no
		}
		if line[8] == '1' && m.conv.owner != 0 { // the real answer comes later
			m.useAll()
			return mine
		}
		name := "server"
		if header(m.data, name) == nil {
			name = "user-agent"
		}
		m.software(header(m.data, name))
		m.useAll()
		return done
	}
	line, ok := bytes.CutSuffix(line, []byte(" SIP/2.0"))
	method, uri, both := bytes.Cut(line, []byte{' '})
	if !ok || !both || !isWordOf(method, sipMethods[:]) {
		if m.conv.owner != 0 {
			m.useAll()
			return mine
		}
		return no
	}
	m.host(sipHost(uri))
	m.useAll()
	return mine
}

// beginsWith reports whether the first word of b is one of words, or may become
// one.
func beginsWith(b []byte, words []string) bool {
	word, _, whole := bytes.Cut(b, []byte{' '})
	for _, s := range words {
		if string(word) == s || !whole && len(word) < len(s) && string(word) == s[:len(word)] {
			return true
		}
	}
	return false
}

// isWordOf reports whether word is one of words.
func isWordOf(word []byte, words []string) bool {
	for _, s := range words {
		if string(word) == s {
			return true
		}
	}
	return false
}

// sipHost returns the host of "sip:user@host:port;parameters", nil if it is
// something else.
func sipHost(uri []byte) []byte {
	scheme, rest, ok := bytes.Cut(uri, []byte{':'})
	if !ok || !hasFold(scheme, "sip") {
		return nil
	}
	if i := bytes.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	if i := bytes.IndexAny(rest, ";?>"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}
