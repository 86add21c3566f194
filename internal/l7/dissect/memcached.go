package dissect

import (
	"bytes"

	"github.com/portolan/portolan/internal/flow"
)

const appMemcached = 40

// recogniseMemcached knows memcached by a command of its text protocol at the
// usual port, by one that no other protocol has anywhere, and learns the
// server's version. Over UDP, a header of eight bytes stands before it.
func recogniseMemcached(m *message) answer {
	const header = 8
	if m.proto != flow.TCP {
		// A number, which datagram of how many, and zero.
		if len(m.data) <= header || m.data[2] != 0 || m.data[4] != 0 || m.data[5] == 0 || m.data[3] >= m.data[5] || m.data[6]|m.data[7] != 0 {
			return no
		}
		line, _, whole := cutLine(m.data[header:])
		if !whole || !printable(line) || !m.usual || !memcachedCommand(line) && !memcachedAnswer(line) {
			return no
		}
		return done
	}
	if m.data[0] == 0x80 && m.conv.owner == 0 {
		return memcachedBinary(m)
	}
	data := m.data
	if m.conv.owner == 0 && !m.usual && !memcachedStore(data) {
		return no
	}
	line, a := m.text()
	if line == nil {
		return a
	}
	if m.conv.owner != 0 {
		return m.memcachedVersion(data)
	}
	if bytes.IndexByte(data, '\n') < 0 {
		return no
	}
	switch {
	case memcachedCommand(line):
		return mine
	case memcachedAnswer(line):
		return m.memcachedVersion(data)
	}
	return no
}

// memcachedVersion learns what the server is, and is done once it has spoken.
func (m *message) memcachedVersion(b []byte) answer {
	v, ok := bytes.CutPrefix(b, []byte("VERSION "))
	if !ok {
		_, v, ok = bytes.Cut(b, []byte("STAT version "))
	}
	if ok {
		v, _, _ = cutLine(v)
		m.software(append([]byte("memcached "), v...))
	}
	if ok || m.serverPort() == m.sender {
		return done
	}
	return mine
}

// memcachedCommand reports whether line is a command with what it needs.
func memcachedCommand(line []byte) bool {
	word, rest, _ := bytes.Cut(line, []byte{' '})
	switch string(word) {
	case "version", "stats", "flush_all", "quit":
		return true
	case "get", "gets", "gat", "gats", "delete", "incr", "decr", "touch", "mg", "ms", "md", "ma":
		return len(rest) > 0 && rest[0] > ' '
	}
	return memcachedStore(line)
}

// memcachedStore reports whether line announces a value: a key, flags, a time
// and a length.
func memcachedStore(line []byte) bool {
	word, rest, _ := bytes.Cut(line, []byte{' '})
	switch string(word) {
	case "set", "add", "replace", "append", "prepend", "cas":
	default:
		return false
	}
	key, rest, ok := bytes.Cut(rest, []byte{' '})
	return ok && len(key) > 0 && len(key) <= 250 && memcachedNumbers(rest, 3)
}

// memcachedAnswer reports whether line begins an answer.
func memcachedAnswer(line []byte) bool {
	word, rest, _ := bytes.Cut(line, []byte{' '})
	switch string(word) {
	case "VALUE":
		_, rest, ok := bytes.Cut(rest, []byte{' '})
		return ok && memcachedNumbers(rest, 2)
	case "VERSION":
		return digits(rest, 3) > 0
	case "STAT":
		return bytes.IndexByte(rest, ' ') > 0
	case "STORED", "NOT_STORED", "NOT_FOUND", "DELETED", "TOUCHED":
		return len(rest) == 0
	}
	return false
}

// memcachedNumbers reports whether b begins with n numbers between blanks.
func memcachedNumbers(b []byte, n int) bool {
	for i := range n {
		if len(b) > 0 && b[0] == '-' {
			b = b[1:]
		}
		d := digits(b, 20)
		if d == 0 || d < len(b) && b[d] != ' ' && b[d] != '\r' || d == len(b) && i < n-1 {
			return false
		}
		b = b[min(len(b), d+1):]
	}
	return true
}

// memcachedBinary looks at a request of the binary protocol: lengths that agree.
func memcachedBinary(m *message) answer {
	r := reader{b: m.data}
	r.uint8()
	command, key, extras, kind := r.uint8(), r.uint16(), r.uint8(), r.uint8()
	r.uint16() // bucket
	body := r.uint32()
	r.bytes(12) // to be repeated, and a version of the value
	switch {
	case !m.usual:
		return no
	case r.short && len(m.data) < 6:
		return m.moreIfUsual()
	case command > 0x48 || key > 250 || extras > 24 || kind != 0:
		return no
	case r.short:
		return m.moreIfUsual()
	case body < uint32(key)+uint32(extras) || body > 1<<27:
		return no
	}
	return done
}
