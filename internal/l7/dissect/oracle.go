package dissect

import "encoding/binary"

const appOracle = 167

// recogniseOracle knows Oracle by the client's request for a connection
// (TNS version 300 and later): a version and an older one, the order of bytes,
// and a description in brackets where the header says.
func recogniseOracle(m *message) answer {
	const header = 28
	b := m.data
	if len(b) < header {
		if len(b) > 4 && b[4] != 1 || len(b) > 2 && b[2] != 0 {
			return no
		}
		return m.moreIfUsual()
	}
	word := func(at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
	length, version, compatible, order := word(0), word(8), word(10), word(22)
	size, at := word(24), word(26)
	if word(2) != 0 || b[4] != 1 || version < 300 || version > 350 || compatible < 290 || compatible > version || order != 1 && order != 0x100 {
		return no
	}
	switch {
	case at < header || at > 128 || length < at:
		return no
	case length == at && size > 0: // the description follows in a message of its own
		return done
	case length != at+size:
		return no
	case len(b) <= at:
		return m.moreIfUsual()
	case b[at] != '(':
		return no
	}
	return done
}
