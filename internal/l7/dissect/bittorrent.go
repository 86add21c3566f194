package dissect

import (
	"bytes"
	"encoding/binary"

	"github.com/portolan/portolan/internal/flow"
)

const appBitTorrent = 37

// recogniseBitTorrent knows BitTorrent by its handshake (BEP 3), the messages of
// its hash table (BEP 5), the first word to a tracker over UDP (BEP 15), and the
// search in the local network (BEP 14).
func recogniseBitTorrent(m *message) answer {
	b := m.data
	if m.proto == flow.TCP {
		const magic = "\x13BitTorrent protocol"
		switch n := min(len(b), len(magic)); {
		case string(b[:n]) != magic[:n]:
			return no
		case n < len(magic):
			return m.moreIfUsual()
		}
		return done
	}
	const connect = 0x41727101980
	switch {
	case isDHT(b), len(b) == 16 && binary.BigEndian.Uint64(b) == connect && zeros(b[8:12]):
		return done
	case bytes.HasPrefix(b, []byte("BT-SEARCH * HTTP/1.1\r\n")):
		return done
	}
	return no
}

// isDHT reports whether b is a dictionary whose last entry, "y", says what it
// is: keys are in order.
func isDHT(b []byte) bool {
	if len(b) < 16 || b[0] != 'd' || b[1] < '1' || b[1] > '9' || b[2] != ':' {
		return false
	}
	for _, end := range [...]string{"1:y1:qe", "1:y1:re", "1:y1:ee"} {
		if bytes.HasSuffix(b, []byte(end)) {
			return true
		}
	}
	return false
}
