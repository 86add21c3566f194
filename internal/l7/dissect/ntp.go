package dissect

const appNTP = 9

// recogniseNTP knows NTP (RFC 5905) at its port.
func recogniseNTP(m *message) answer {
	b := m.data
	if !m.usual {
		return no
	}
	version, mode := b[0]>>3&7, b[0]&7
	switch {
	case version == 0 || version > 4 || mode == 0:
		return no
	case mode <= 5:
		if len(b) < 48 || b[1] > 16 {
			return no
		}
	case mode == 6: // control
		if len(b) < 12 || len(b) < 12+int(b[10])<<8+int(b[11]) {
			return no
		}
	case len(b) < 8 || b[2] > 3: // private; implementations are numbered to 3
		return no
	}
	return done
}
