package dissect

import (
	"bytes"
	"encoding/binary"
)

const appAMQP = 192

// recogniseAMQP knows AMQP by the client's first eight bytes (0-9-1 section
// 4.2.2, 1.0 part 2.2), and learns what the server of 0-9-1 says it is.
func recogniseAMQP(m *message) answer {
	const magic = "AMQP"
	b := m.data
	if m.conv.owner != 0 && b[0] != 'A' {
		return m.amqpStart()
	}
	n := min(len(b), len(magic))
	if string(b[:n]) != magic[:n] {
		return m.notMine()
	}
	if len(b) < 8 {
		return m.moreIfUsual()
	}
	switch string(b[4:8]) {
	case "\x00\x00\x09\x01", "\x01\x01\x00\x09", "\x01\x01\x08\x00", "\x01\x01\x00\x0a":
	case "\x00\x01\x00\x00", "\x02\x01\x00\x00", "\x03\x01\x00\x00":
		return done
	default:
		return m.notMine()
	}
	m.use(8)
	return mine
}

// amqpStart looks at the server's first frame, Connection.Start.
func (m *message) amqpStart() answer {
	const header = 7
	b := m.data
	if len(b) < header+4 && !m.full {
		return mine
	}
	if len(b) < header+4 || string(b[:3]) != "\x01\x00\x00" || string(b[header:header+4]) != "\x00\x0a\x00\x0a" {
		m.useAll()
		return mine
	}
	length := int64(binary.BigEndian.Uint32(b[3:]))
	if int64(len(b)) < header+length && length < maxKept && !m.full {
		return mine
	}
	if product := amqpText(b, "\x07product"); len(product) > 0 {
		s := append(make([]byte, 0, maxSoftware), product[:min(len(product), 64)]...)
		if v := amqpText(b, "\x07version"); len(v) > 0 {
			s = append(append(s, ' '), v[:min(len(v), 32)]...)
		}
		m.software(s)
	}
	return done
}

// amqpText returns the text of a table under a name with its length in front,
// nil if there is none.
func amqpText(b []byte, name string) []byte {
	_, v, ok := bytes.Cut(b, []byte(name))
	if !ok || len(v) < 5 || v[0] != 'S' {
		return nil
	}
	n := binary.BigEndian.Uint32(v[1:])
	v = v[5:]
	return v[:min(uint64(len(v)), uint64(n))]
}
