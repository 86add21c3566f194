package dissect

import (
	"golang.org/x/net/http2/hpack"
)

// http2Preface is what a client says first that knows that the server speaks
// HTTP/2 (RFC 9113 section 3.4).
const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// Frames of HTTP/2 (RFC 9113 section 6) and their flags.
const (
	http2Headers  = 1
	http2Settings = 4

	http2Padded   = 0x08
	http2Priority = 0x20
)

// maxHTTP2Frame is how long frames are unless a side has asked for more.
const maxHTTP2Frame = 16 << 10

// http2Begins reports whether b begins with the preface: mine if it is whole.
func http2Begins(b []byte) answer {
	n := min(len(b), len(http2Preface))
	if n == 0 || string(b[:n]) != http2Preface[:n] || n < 3 {
		return no
	}
	if n < len(http2Preface) {
		return more
	}
	return mine
}

func startHTTP2(m *message, a answer) answer {
	if a != mine {
		return a
	}
	m.reach(httpTwo)
	used := len(http2Preface)
	rest := *m
	rest.data = m.data[used:]
	if len(rest.data) == 0 {
		m.use(used)
		return mine
	}
	a = http2Message(&rest)
	m.use(used + rest.used)
	return a
}

// http2Message looks for the first headers of a side.
func http2Message(m *message) answer {
	b := m.data
	for len(b) >= 9 {
		r := reader{b: b}
		length, kind, flags := r.uint24(), r.uint8(), r.uint8()
		r.uint32()
		if length > maxHTTP2Frame || kind > 9 && kind != 0x0c && kind != 0x10 {
			m.useAll()
			return mine
		}
		payload := r.most(length)
		if kind == http2Headers && (!r.short || m.full) {
			m.useAll()
			return m.http2Headers(payload, flags)
		}
		if r.short {
			m.use(len(m.data) - len(b))
			return mine
		}
		b = r.b
	}
	m.use(len(m.data) - len(b))
	return mine
}

// http2Headers learns from a block of headers what HTTP/1 says in its own.
func (m *message) http2Headers(block []byte, flags uint8) answer {
	r := reader{b: block}
	if flags&http2Padded != 0 {
		pad := int(r.uint8())
		r.b = r.b[:max(0, len(r.b)-pad)]
	}
	if flags&http2Priority != 0 {
		r.bytes(5)
	}
	if r.short {
		return mine
	}
	var h httpHeaders
	answered := false
	decoder := hpack.NewDecoder(4096, func(f hpack.HeaderField) {
		switch f.Name {
		case ":authority":
			h.host = []byte(f.Value)
		case ":status":
			answered = true
		default:
			if field := h.field([]byte(f.Name)); field != nil && *field == nil {
				*field = []byte(f.Value)
			}
		}
	})
	decoder.SetMaxStringLength(maxKept)
	decoder.Write(r.b) // what came before a mistake counts
	if answered {
		m.httpResponse(&h)
		return done
	}
	m.host(h.host)
	return mine
}
