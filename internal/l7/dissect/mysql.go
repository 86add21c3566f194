package dissect

import (
	"bytes"

	"github.com/portolan/portolan/internal/flow"
)

const appMySQL = 20

// recogniseMySQL knows MySQL and MariaDB by the server's greeting, version 10
// of the protocol.
func recogniseMySQL(m *message) answer {
	b := m.data
	if len(b) < 6 {
		if len(b) > 3 && b[3] != 0 || len(b) > 4 && b[4] != 10 {
			return no
		}
		return m.moreIfUsual()
	}
	length := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	if b[3] != 0 || b[4] != 10 || b[5] < '0' || b[5] > '9' || length < 46 || length > 512 || len(b) > 4+length {
		return no
	}
	version, rest, ok := bytes.Cut(b[5:], []byte{0})
	if len(b) < 4+length && !ok {
		return m.moreIfUsual()
	}
	// The connection's number and eight bytes of salt, then a zero.
	if !ok || len(version) > 100 || !printable(version) || len(rest) > 12 && rest[12] != 0 {
		return no
	}
	product := "MySQL "
	if i := bytes.Index(version, []byte("-MariaDB")); i >= 0 {
		product = "MariaDB "
		version = bytes.TrimPrefix(version[:i], []byte("5.5.5-"))
	}
	version, _, _ = bytes.Cut(version, []byte{'-'})
	m.software(append([]byte(product), version...))
	return done
}

// moreIfUsual waits for the rest of something short only where it is usual.
func (m *message) moreIfUsual() answer {
	if m.usual && m.proto == flow.TCP && !m.full {
		return more
	}
	return no
}
