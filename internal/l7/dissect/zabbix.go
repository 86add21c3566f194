package dissect

import "encoding/binary"

const appZabbix = 248

// recogniseZabbix knows Zabbix by the header of its messages (Zabbix manual,
// "Header and data length").
func recogniseZabbix(m *message) answer {
	const magic = "ZBXD"
	b := m.data
	n := min(len(b), len(magic))
	if string(b[:n]) != magic[:n] {
		return no
	}
	if len(b) < 13 {
		return m.moreIfUsual()
	}
	// Bit 1: compressed, bit 2: lengths of eight bytes.
	flags := b[4]
	if flags&1 == 0 || flags > 7 {
		return no
	}
	if flags&2 == 0 && !zeros(b[9:13]) || binary.LittleEndian.Uint32(b[5:]) > 1<<30 && flags&4 == 0 {
		return no
	}
	return done
}
