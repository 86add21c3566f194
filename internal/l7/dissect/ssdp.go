package dissect

const appSSDP = 12

// recogniseSSDP knows SSDP (UPnP Device Architecture, section 1) by its first
// line, an answer by its headers.
func recogniseSSDP(m *message) answer {
	line, _, whole := cutLine(m.data)
	switch {
	case !whole:
		return no
	case string(line) == "M-SEARCH * HTTP/1.1", string(line) == "NOTIFY * HTTP/1.1":
		return done
	case string(line) == "HTTP/1.1 200 OK":
		if header(m.data, "usn") == nil || header(m.data, "st") == nil {
			return no
		}
	default:
		return no
	}
	if m.byServer(1900) {
		m.software(header(m.data, "server"))
	}
	return done
}
