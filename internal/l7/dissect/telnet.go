package dissect

const appTelnet = 77

// recogniseTelnet knows Telnet by what one side asks the other to do (RFC 854,
// RFC 855): one request at its port, two elsewhere.
func recogniseTelnet(m *message) answer {
	b := m.data
	need := 2
	if m.usual {
		need = 1
	}
	for ; need > 0; need-- {
		switch {
		case len(b) > 0 && b[0] != 0xff, len(b) > 1 && (b[1] < 251 || b[1] > 254), len(b) > 2 && !isTelnetOption(b[2]):
			return no
		case len(b) < 3:
			return m.moreIfUsual()
		}
		b = b[3:]
	}
	return done
}

// isTelnetOption reports whether an option has a name (IANA "Telnet Options").
func isTelnetOption(b byte) bool { return b <= 49 || b >= 138 && b <= 140 }
