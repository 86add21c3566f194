package dissect

import "bytes"

const appIMAP = 4

const imapStartTLS uint8 = 1

// recogniseIMAP knows IMAP (RFC 9051) by a greeting that says so, or that comes
// from the usual port; after that it waits for STARTTLS.
func recogniseIMAP(m *message) answer {
	line, a := m.text()
	if line == nil {
		return a
	}
	tag, rest, _ := bytes.Cut(line, []byte{' '})
	switch {
	case m.conv.owner == 0:
		if !bytes.Equal(tag, []byte("*")) || !hasFold(rest, "ok ") && !hasFold(rest, "preauth ") || m.sender != 143 && !hasWord(line, "imap") {
			return no
		}
		text := rest[3:]
		if i := bytes.IndexByte(text, ']'); i >= 0 && text[0] == '[' {
			text = text[i+1:]
		}
		m.software(bytes.TrimSpace(text))
	case isFold(rest, "starttls"):
		m.reach(imapStartTLS)
	case m.at(imapStartTLS) && hasFold(rest, "ok"):
		m.handOver()
	case hasFold(rest, "login "), hasFold(rest, "authenticate "), hasFold(rest, "logout"):
		return done
	}
	return mine
}
