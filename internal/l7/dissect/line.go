package dissect

import (
	"bytes"

	"github.com/portolan/portolan/internal/flow"
)

// maxLine bounds what is waited for before a line of a text protocol is given
// up, in bytes.
const maxLine = 1 << 10

// firstLine returns the first line of what one side says. If it is not whole
// yet, a is more, or no when it is too long or not text.
func (m *message) firstLine() (line []byte, a answer) {
	line, _, whole := cutLine(m.data)
	switch {
	case !printable(line) || len(line) > maxLine:
		return nil, no
	case !whole && m.proto == flow.TCP && !m.full:
		return nil, more
	}
	return line, mine
}

// text begins a protocol of lines: it returns the first line, or nil and what
// to answer. What an owner does not understand is used up.
func (m *message) text() ([]byte, answer) {
	line, a := m.firstLine()
	if a == mine {
		m.useAll()
		return line, a
	}
	if m.conv.owner != 0 && a == no {
		m.useAll()
		return nil, mine
	}
	return nil, a
}

// hasWord reports whether b holds the word s, which is in lower case.
func hasWord(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		if hasFold(b[i:], s) {
			return true
		}
	}
	return false
}

// header returns the value of a header of HTTP's form, nil if there is none.
// name is in lower case.
func header(b []byte, name string) []byte {
	for range 64 {
		line, rest, whole := cutLine(b)
		if !whole {
			return nil
		}
		if hasFold(line, name) && len(line) > len(name) && line[len(name)] == ':' {
			return bytes.TrimSpace(line[len(name)+1:])
		}
		b = rest
	}
	return nil
}

// greeting learns from what a server of mail or files says first, after its
// code: its name, and what it is.
func (m *message) greeting(text []byte) {
	host, rest, _ := bytes.Cut(bytes.TrimSpace(text), []byte{' '})
	if bytes.IndexByte(host, '.') > 0 {
		m.host(host)
	} else {
		rest = text
	}
	rest = bytes.TrimSpace(rest)
	for _, word := range []string{"esmtp", "smtp"} {
		if hasFold(rest, word) {
			rest = bytes.TrimSpace(rest[len(word):])
			break
		}
	}
	m.software(rest)
}
