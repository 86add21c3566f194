package dissect

import "bytes"

const appNATS = 68

// recogniseNATS knows NATS by the server's first line, which says what it is, or
// by the client's (NATS client protocol, INFO and CONNECT).
func recogniseNATS(m *message) answer {
	const limit = 4 << 10 // of a line, in bytes
	const info, connect = "INFO {", "CONNECT {"
	line, _, whole := cutLine(m.data)
	server := m.data[0] == 'I'
	begin := connect
	if server {
		begin = info
	}
	n := min(len(line), len(begin))
	if string(line[:n]) != begin[:n] || !printable(line) || len(line) > limit {
		return no
	}
	if !whole && !m.full {
		if len(line) < len(begin) {
			return m.moreIfUsual()
		}
		return more
	}
	if !server {
		if !bytes.Contains(line, []byte(`"verbose":`)) && !bytes.Contains(line, []byte(`"pedantic":`)) {
			return no
		}
		m.useAll()
		return done
	}
	if !bytes.Contains(line, []byte(`"server_id":`)) {
		return no
	}
	if _, v, ok := bytes.Cut(line, []byte(`"version":"`)); ok {
		if v, _, ok := bytes.Cut(v, []byte{'"'}); ok {
			m.software(append([]byte("NATS "), v...))
		}
	}
	return done
}
