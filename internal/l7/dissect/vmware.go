package dissect

import "bytes"

// recogniseVMware knows the authentication daemon of ESXi and vCenter by its
// greeting. TLS follows.
func recogniseVMware(m *message) answer {
	const magic = "220 VMware Authentication Daemon"
	b := m.data
	if m.conv.owner != 0 {
		return recogniseTLS(m)
	}
	n := min(len(b), len(magic))
	if string(b[:n]) != magic[:n] {
		return no
	}
	if n < len(magic) {
		return m.moreIfUsual()
	}
	line, a := m.firstLine()
	if a != mine {
		return a
	}
	line, _, _ = bytes.Cut(line[len("220 "):], []byte{':'})
	m.software(line)
	m.useAll()
	return mine
}
