package dissect

import (
	"strings"

	"github.com/portolan/portolan/internal/flow"
)

// An answer is what a protocol says to a message.
type answer uint8

const (
	no   answer = iota // it is not mine, or tells me nothing
	more               // it may be mine: keep it until the side has said more
	mine               // it is mine: nobody else need be asked. Show me what follows
	done               // it is mine, and I know all that I can
)

// A message is what a protocol looks at: a datagram, or what one side of a TCP
// connection has said so far and nobody has used up, in order and without
// holes. It is borrowed until the protocol answers.
type message struct {
	data             []byte
	proto            flow.Proto
	sender, receiver uint16
	reply            bool // said by the side that did not speak first
	usual            bool // one of the ports is usual for the protocol that is asked
	full             bool // no more of this side is kept: data is all there will be
	time             int64

	conv *conversation
	d    *Identifier
	kept bool // data is what was kept, not the segment alone
	used int
	seq  uint32 // of data's first byte
	over bool   // another protocol follows on this connection
}

// use says that the first n bytes need not be shown again. Of TCP, what is not
// used is kept after the answers more and mine, and shown with what follows it.
func (m *message) use(n int) { m.used = min(n, len(m.data)) }

// useAll says that nothing need be shown again.
func (m *message) useAll() { m.used = len(m.data) }

// handOver says that another protocol follows on this connection, as TLS does
// after STARTTLS: what comes next is shown to all again. The carrying protocol
// stays what it is.
func (m *message) handOver() { m.over = true }

// serverPort returns the port of the side that did not speak first.
func (m *message) serverPort() uint16 {
	if m.reply {
		return m.sender
	}
	return m.receiver
}

// isPort reports whether one of the ports is p.
func (m *message) isPort(p uint16) bool { return m.sender == p || m.receiver == p }

// master sets the carrying protocol, where it is not the one of the registry.
func (m *message) master(id uint16) { m.conv.app.Master = id }

// app sets the application on the carrying protocol, unless it is known.
func (m *message) app(id uint16) {
	if m.conv.app.App == 0 {
		m.conv.app.App = id
	}
}

// at reports whether the protocol's own bit of this conversation is set.
func (m *message) at(stage uint8) bool { return m.conv.stage&stage != 0 }

// reach sets a bit of the protocol's own.
func (m *message) reach(stage uint8) { m.conv.stage |= stage }

// host takes the name that the client asked for, if it is the first and looks
// like one, and the application that is known by that name.
func (m *message) host(name []byte) {
	var b [maxInfo]byte
	s := appendHost(b[:0], name)
	if len(s) == 0 {
		return
	}
	if id := appOfHost(s); id != 0 && id != m.conv.app.Master {
		m.app(id)
	}
	if m.conv.info == "" && !m.d.cfg.AppOnly {
		m.conv.info = string(s)
	}
}

// info takes a name as it is, if it is the first.
func (m *message) info(text []byte) {
	if m.conv.info == "" && !m.d.cfg.AppOnly {
		m.conv.info = clean(text, maxInfo)
	}
}

// software takes what the server says it is, if it is the first that does.
func (m *message) software(text []byte) {
	if m.d.cfg.AppOnly || len(text) == 0 {
		return
	}
	if d := m.details(); d.Software == "" {
		d.Software = clean(text, maxSoftware)
	}
}

// details returns the conversation's details to be filled. Callers look at
// AppOnly first.
func (m *message) details() *flow.Details {
	if m.conv.details == nil {
		m.conv.details = new(flow.Details)
	}
	return m.conv.details
}

// maxInfo and maxSoftware bound what is learnt, in bytes.
const (
	maxInfo     = 255
	maxSoftware = 128
)

// clean returns text as a string of at most limit bytes that is valid UTF-8
// and has no control characters; each that is not becomes a question mark.
func clean(text []byte, limit int) string {
	text = text[:min(len(text), limit)]
	plain := true
	for _, c := range text {
		plain = plain && c >= ' ' && c < 0x7f
	}
	if plain {
		return string(text)
	}
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\uFFFD' {
			return '?'
		}
		return r
	}, string(text))
	for len(s) > limit || len(s) > 0 && s[len(s)-1]&0x80 != 0 && !endsWhole(s) {
		s = s[:len(s)-1]
	}
	return s
}

// endsWhole reports whether the last character of s is complete.
func endsWhole(s string) bool { return strings.ToValidUTF8(s, "") == s }

// appendHost appends a name as hosts are written: lower case, without port and
// last dot, at most maxInfo bytes. Blanks become underscores, other bytes that no
// name has question marks.
func appendHost(dst, name []byte) []byte {
	name = trimPort(name)
	for len(name) > 0 && name[len(name)-1] == '.' {
		name = name[:len(name)-1]
	}
	for _, c := range name[:min(len(name), maxInfo-len(dst))] {
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c == ' ':
			c = '_'
		case c < ' ' || c >= 0x7f:
			c = '?'
		}
		dst = append(dst, c)
	}
	return dst
}

// trimPort cuts ":443" off, and the brackets of "[::1]:443".
func trimPort(name []byte) []byte {
	end := len(name)
	for end > 0 && name[end-1] >= '0' && name[end-1] <= '9' {
		end--
	}
	if end == 0 || name[end-1] != ':' {
		end = len(name)
	} else {
		end--
	}
	if end > 0 && name[0] == '[' && name[end-1] == ']' {
		return name[1 : end-1]
	}
	for _, c := range name[:end] {
		if c == ':' {
			return name // an IPv6 address without brackets
		}
	}
	return name[:end]
}
