package dissect

import (
	"bytes"
	"encoding/binary"
)

const appMongoDB = 60

// recogniseMongoDB knows MongoDB by a message of its wire protocol: a query, a
// message with a document, or one of these compressed.
func recogniseMongoDB(m *message) answer {
	const header = 16
	const query, compressed, document = 2004, 2012, 2013
	b := m.data
	if len(b) < header+10 {
		if len(b) >= header && (b[13] != 7 || b[14]|b[15] != 0) {
			return no
		}
		return m.moreIfUsual()
	}
	word := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	length := word(0)
	if length < header+10 || length > 48000000 {
		return no
	}
	switch word(12) {
	case query:
		name, rest, ok := bytes.Cut(b[header+4:], []byte{0})
		if word(8) != 0 || word(header)&^0xff != 0 || !printable(name) || len(name) > 200 || bytes.IndexByte(name, '.') <= 0 {
			return no
		}
		if !ok || len(rest) < 8 {
			return m.moreIfUsual()
		}
		return done
	case compressed:
		was, size := word(header), word(header+4)
		if was != query && was != document && was != 1 || size > 48000000 || b[header+8] > 3 {
			return no
		}
		return done
	case document:
		const flags = 1<<16 | 1<<1 | 1<<0
		if word(header)&^uint32(flags) != 0 || b[header+4] > 1 {
			return no
		}
		size := word(header + 5)
		if size < 5 || size > length-header-5 || b[header+9] > 0x13 {
			return no
		}
		return done
	}
	return no
}
