package dissect

const appSNMP = 14

// recogniseSNMP knows SNMP versions 1, 2c (RFC 1157, RFC 1901) and 3 (RFC 3412).
func recogniseSNMP(m *message) answer {
	tag, b, rest, cut, ok := tlv(m.data)
	if !ok || cut || tag != 0x30 || len(rest) > 0 {
		return no
	}
	tag, version, b, _, ok := tlv(b)
	if !ok || tag != 2 || len(version) != 1 {
		return no
	}
	second, _, b, cut, ok := tlv(b)
	if !ok || cut || len(b) == 0 {
		return no
	}
	switch version[0] {
	case 0, 1:
		if second != 4 || b[0] < 0xa0 || b[0] > 0xa8 {
			return no
		}
	case 3:
		if second != 0x30 || b[0] != 4 {
			return no
		}
	default:
		return no
	}
	return done
}
