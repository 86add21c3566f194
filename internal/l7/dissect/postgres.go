package dissect

import (
	"bytes"
	"encoding/binary"
)

const appPostgreSQL = 19

const pgEncryption uint8 = 1 // the client asked for it

// recognisePostgres knows PostgreSQL by the client's first message (PostgreSQL
// manual, "Message Formats"), and waits for the server to say its version.
func recognisePostgres(m *message) answer {
	b := m.data
	if m.conv.owner != 0 && len(b) == 1 && m.at(pgEncryption) {
		m.useAll()
		if b[0] == 'S' || b[0] == 'G' {
			m.handOver()
		}
		return mine
	}
	if m.conv.owner != 0 && b[0] != 0 {
		if _, v, ok := bytes.Cut(b, []byte("server_version\x00")); ok {
			if v, _, ok := bytes.Cut(v, []byte{0}); ok {
				m.software(append([]byte("PostgreSQL "), v...))
				return done
			}
		}
		m.useAll()
		return mine
	}
	if len(b) < 8 {
		return m.moreIfUsual()
	}
	length, code := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	switch code {
	case 80877103, 80877104: // SSLRequest, GSSENCRequest
		if length != 8 || len(b) != 8 {
			return no
		}
		m.reach(pgEncryption)
	case 80877102: // CancelRequest
		if length != 16 || len(b) != 16 {
			return no
		}
		return done
	default:
		if code>>16 != 3 || code&0xffff > 9 || int64(length) != int64(len(b)) || !bytes.Contains(b, []byte("user\x00")) {
			return no
		}
	}
	m.useAll()
	return mine
}
