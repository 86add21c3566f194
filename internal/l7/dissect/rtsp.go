package dissect

import "bytes"

const appRTSP = 50

var rtspMethods = [...]string{
	"OPTIONS", "DESCRIBE", "ANNOUNCE", "SETUP", "PLAY", "PAUSE", "RECORD", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER", "REDIRECT",
}

// recogniseRTSP knows RTSP (RFC 2326, RFC 7826) by its first line, and learns
// the host that is asked and what the server is.
func recogniseRTSP(m *message) answer {
	line, a := m.firstLine()
	if a != mine {
		if m.conv.owner != 0 && a == no {
			m.useAll()
			return mine // media between the messages
		}
		if a == more && !beginsWith(m.data, rtspMethods[:]) && !beginsWith(m.data, []string{"RTSP/1.0", "RTSP/2.0"}) {
			return no
		}
		return a
	}
	if bytes.HasPrefix(line, []byte("RTSP/1.0 ")) || bytes.HasPrefix(line, []byte("RTSP/2.0 ")) {
		m.software(header(m.data, "server"))
		m.useAll()
		return done
	}
	method, rest, ok := bytes.Cut(line, []byte{' '})
	url, version, both := bytes.Cut(rest, []byte{' '})
	if !ok || !both || !isWordOf(method, rtspMethods[:]) || string(version) != "RTSP/1.0" && string(version) != "RTSP/2.0" {
		if m.conv.owner != 0 {
			m.useAll()
			return mine
		}
		return no
	}
	if _, host, ok := bytes.Cut(url, []byte("://")); ok {
		host, _, _ = bytes.Cut(host, []byte{'/'})
		if i := bytes.LastIndexByte(host, '@'); i >= 0 {
			host = host[i+1:]
		}
		m.host(host)
	}
	m.useAll()
	return mine
}
