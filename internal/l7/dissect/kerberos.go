package dissect

import "github.com/portolan/portolan/internal/flow"

const appKerberos = 111

// recogniseKerberos knows Kerberos 5 by a message to or from the centre, whose
// tag and number agree (RFC 4120 section 5.4 and 5.9). Over TCP, a length
// stands before it.
func recogniseKerberos(m *message) answer {
	b := m.data
	if m.proto == flow.TCP {
		if len(b) >= 2 && (b[0] != 0 || b[1] != 0) {
			return no
		}
		if len(b) < 24 {
			return m.moreIfUsual()
		}
		b = b[4:]
	}
	outer, b, _, _, ok := tlv(b)
	field := byte(0xa0)
	switch outer {
	case 0x6a, 0x6c: // requests
		field = 0xa1
	case 0x6b, 0x6d, 0x7e: // answers, errors
	default:
		return no
	}
	if !ok {
		return no
	}
	tag, b, _, _, ok := tlv(b)
	if !ok || tag != 0x30 {
		return no
	}
	version, b, ok := kerberosNumber(b, field)
	if !ok || version != 5 {
		return no
	}
	kind, _, ok := kerberosNumber(b, field+1)
	if !ok || kind != outer&0x1f {
		return no
	}
	return done
}

// kerberosNumber reads a small number under a tag of its own.
func kerberosNumber(b []byte, field byte) (n byte, rest []byte, ok bool) {
	tag, v, rest, cut, ok := tlv(b)
	if !ok || cut || tag != field || len(v) != 3 || v[0] != 2 || v[1] != 1 {
		return 0, nil, false
	}
	return v[2], rest, true
}
