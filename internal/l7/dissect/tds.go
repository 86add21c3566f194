package dissect

import (
	"encoding/binary"
	"strconv"
)

const appTDS = 114

// recogniseTDS knows Microsoft SQL Server by the messages before and at the
// login ([MS-TDS] section 2.2.6), and learns the server's version.
func recogniseTDS(m *message) answer {
	const header = 8
	b := m.data
	if len(b) < header+9 {
		if len(b) > 1 && b[1] > 1 || m.conv.owner != 0 {
			return m.notMine()
		}
		return m.moreIfUsual()
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	if b[1] > 1 || b[7] != 0 || length < header+9 || length > 32767 {
		return m.notMine()
	}
	if len(b) < length && length <= 512 {
		return m.moreIfUsual()
	}
	body := b[header:min(len(b), length)]
	switch b[0] {
	case 0x10: // login
		if !tdsLogin(body, length-header, b[1] == 1) {
			return m.notMine()
		}
		return done
	case 0x12: // before the login
		if tdsVersion(body, length-header) < 0 {
			return m.notMine()
		}
		m.useAll()
		return mine
	case 0x04: // the answer
		at := tdsVersion(body, length-header)
		if at < 0 {
			return m.notMine()
		}
		v := body[at:]
		s := append(make([]byte, 0, 48), "Microsoft SQL Server "...)
		s = append(strconv.AppendUint(s, uint64(v[0]), 10), '.')
		s = append(strconv.AppendUint(s, uint64(v[1]), 10), '.')
		m.software(strconv.AppendUint(s, uint64(binary.BigEndian.Uint16(v[2:])), 10))
		return done
	}
	return m.notMine()
}

// tdsLogin reports whether body begins a login of length bytes, the last or not,
// in version 7.
func tdsLogin(body []byte, length int, last bool) bool {
	size := binary.LittleEndian.Uint32(body)
	if version := body[7]; version < 0x70 || version > 0x74 || size < 86 || size > 128<<10 {
		return false
	}
	return int(size) == length || !last && int(size) > length
}

// tdsVersion reads the list of options that stands before the login, of which
// the version is the first, and returns where its value is; -1 if that is not
// such a list.
func tdsVersion(body []byte, length int) int {
	const option, end = 5, 0xff
	at := -1
	for i := 0; i < 16*option; i += option {
		if i < len(body) && body[i] == end {
			if at <= i || at+6 > len(body) {
				return -1
			}
			return at
		}
		if i+option > len(body) {
			return -1
		}
		offset, size := int(binary.BigEndian.Uint16(body[i+1:])), int(binary.BigEndian.Uint16(body[i+3:]))
		if offset+size > length || int(body[i]) > 16 {
			return -1
		}
		if i == 0 {
			if body[0] != 0 || size != 6 {
				return -1
			}
			at = offset
		}
	}
	return -1
}
