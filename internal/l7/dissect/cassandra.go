package dissect

import (
	"bytes"
	"encoding/binary"
)

const appCassandra = 264

// recogniseCassandra knows Cassandra's query language by the message that tells
// its version: the client's start, or what the server supports (versions 3 to 5
// of the protocol).
func recogniseCassandra(m *message) answer {
	const header = 9
	b := m.data
	if version := b[0] & 0x7f; version < 3 || version > 5 {
		return no
	}
	if len(b) < header {
		return m.moreIfUsual()
	}
	length := binary.BigEndian.Uint32(b[5:])
	wanted := byte(1) // start
	if b[0]&0x80 != 0 {
		wanted = 6 // supported
	}
	if b[1] > 0x1f || b[4] != wanted || length < 8 || length > 4096 {
		return no
	}
	body := b[header:min(len(b), header+int(length))]
	switch {
	case bytes.Contains(body, []byte("\x00\x0bCQL_VERSION\x00")):
		return done
	case len(body) < int(length):
		return m.moreIfUsual()
	}
	return no
}
