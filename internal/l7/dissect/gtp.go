package dissect

import "encoding/binary"

const (
	appGTP  = 152
	appGTPU = 271
	appGTPC = 272
)

// recogniseGTP knows GTP at its ports, by its version and a length that agrees:
// control of versions 1 and 2 (3GPP TS 29.060, TS 29.274), and data (TS 29.281).
func recogniseGTP(m *message) answer {
	b := m.data
	if !m.usual || len(b) < 8 {
		return no
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	kind := b[1]
	data := m.isPort(2152)
	switch {
	case b[0]&0xf8 == 0x30 && length == len(b)-8: // version 1
	case b[0]&0xe7 == 0x40 && !data && (length == len(b)-4 || b[0]&0x10 != 0 && length < len(b)-8): // version 2, and another in it
		if b[0]&0x08 != 0 && length < 8 || length < 4 {
			return no
		}
	default:
		return no
	}
	if kind == 0 || data && kind != 1 && kind != 2 && kind != 26 && kind != 31 && kind != 254 && kind != 255 {
		return no
	}
	if data {
		m.app(appGTPU)
	} else {
		m.app(appGTPC)
	}
	return done
}
