package dissect

import "bytes"

const appPOP3 = 2

const pop3StartTLS uint8 = 1

// recognisePOP3 knows POP3 (RFC 1939) by a greeting that says so, or that comes
// from the usual port; after that it waits for STLS (RFC 2595).
func recognisePOP3(m *message) answer {
	line, a := m.text()
	if line == nil {
		return a
	}
	switch {
	case m.conv.owner == 0:
		if !bytes.HasPrefix(line, []byte("+OK ")) || m.sender != 110 && !hasWord(line, "pop3") {
			return no
		}
		m.software(bytes.TrimSpace(line[4:]))
	case isFold(line, "stls"):
		m.reach(pop3StartTLS)
	case hasFold(line, "+ok") && m.at(pop3StartTLS):
		m.handOver()
	case hasFold(line, "user "), hasFold(line, "quit"), hasFold(line, "apop "), hasFold(line, "auth "):
		return done
	}
	return mine
}
