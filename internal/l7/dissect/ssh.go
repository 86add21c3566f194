package dissect

import "bytes"

const appSSH = 92

// recogniseSSH knows SSH by the line that either side says first (RFC 4253
// section 4.2).
func recogniseSSH(m *message) answer {
	const magic = "SSH-"
	n := min(len(m.data), len(magic))
	if string(m.data[:n]) != magic[:n] {
		if m.conv.owner == 0 {
			return no
		}
		m.useAll()
		return mine
	}
	line, a := m.firstLine()
	if a != mine {
		return a
	}
	if len(line) < 8 || line[4] < '1' || line[4] > '2' || line[5] != '.' {
		return no
	}
	m.useAll()
	if !m.byServer(22) {
		return mine
	}
	m.software(bytes.TrimSpace(line))
	return done
}

// byServer reports whether the server says this: the side with the usual port,
// or the one that did not speak first.
func (m *message) byServer(port uint16) bool {
	if (m.sender == port) != (m.receiver == port) {
		return m.sender == port
	}
	return m.reply
}
