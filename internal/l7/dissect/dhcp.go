package dissect

import "bytes"

const (
	appDHCP   = 18
	appDHCPv6 = 103
)

// recogniseDHCP knows DHCP by its cookie (RFC 2131), and learns the name that a
// client gives itself (RFC 2132 section 3.14).
func recogniseDHCP(m *message) answer {
	const cookie = "\x63\x82\x53\x63"
	const fixed = 236 // bytes before the cookie
	b := m.data
	if len(b) < fixed+len(cookie) || b[0] < 1 || b[0] > 2 || b[2] > 16 || string(b[fixed:fixed+len(cookie)]) != cookie {
		return no
	}
	if m.dhcpName(b[fixed+len(cookie):]) {
		return done
	}
	return mine
}

// dhcpName learns option 12, and reports whether it is there.
func (m *message) dhcpName(options []byte) bool {
	const pad, hostName, end = 0, 12, 255
	r := reader{b: options}
	for len(r.b) > 0 && !r.short {
		code := r.uint8()
		if code == pad {
			continue
		}
		if code == end {
			return false
		}
		value := r.block8()
		if code != hostName {
			continue
		}
		value = bytes.TrimRight(value, "\x00")
		if len(value) == 0 || !printable(value) {
			return false
		}
		m.info(value)
		return true
	}
	return false
}

// recogniseDHCPv6 knows DHCPv6 (RFC 8415) at its ports, by options up to the
// last byte, one of which says who it is.
func recogniseDHCPv6(m *message) answer {
	const relay, relayed = 12, 13
	r := reader{b: m.data}
	kind := r.uint8()
	if !m.usual || kind == 0 || kind > relayed {
		return no
	}
	header := 3 // transaction
	if kind >= relay {
		header = 33 // hops and two addresses
	}
	r.bytes(header)
	known := false
	for len(r.b) > 0 && !r.short {
		code, value := r.uint16(), r.block16()
		switch code {
		case 0:
			return no
		case 1, 2: // the client's and the server's identifier
			known = known || kind < relay && len(value) >= 3 && value[0] == 0 && value[1] >= 1 && value[1] <= 4
		case 9: // what is relayed
			known = known || kind >= relay && len(value) >= 4 && value[0] >= 1 && value[0] <= relayed
		}
	}
	if r.short || !known {
		return no
	}
	return done
}
