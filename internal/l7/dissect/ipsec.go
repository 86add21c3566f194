package dissect

import "encoding/binary"

const appIPsec = 79

// recogniseIPsec knows the key exchange of IPsec, IKE versions 1 and 2
// (RFC 2408, RFC 7296), by its header and a length that agrees, and at port
// 4500 the packets of ESP (RFC 3948), by numbers that rise.
func recogniseIPsec(m *message) answer {
	b := m.data
	if m.isPort(4500) {
		if len(b) < 12 {
			return no
		}
		if !zeros(b[:4]) {
			return m.espInUDP()
		}
		b = b[4:]
	}
	if len(b) < 28 || zeros(b[:8]) || uint64(binary.BigEndian.Uint32(b[24:])) != uint64(len(b)) {
		return no
	}
	payload, version, exchange, flags := b[16], b[17], b[18], b[19]
	switch version {
	case 0x10:
		if payload > 20 && payload != 130 && payload != 132 || exchange == 0 || exchange > 6 && exchange != 32 && exchange != 33 || flags > 7 {
			return no
		}
	case 0x20:
		if payload != 0 && (payload < 33 || payload > 54) || exchange < 34 || exchange > 44 || flags&^0x38 != 0 {
			return no
		}
	default:
		return no
	}
	return done
}

// espInUDP knows ESP by three packets with one index.
func (m *message) espInUDP() answer {
	index := binary.BigEndian.Uint32(m.data)
	if index < 256 { // reserved (RFC 4303 section 2.1)
		return no
	}
	n := m.follow(step{key: index, seq: binary.BigEndian.Uint32(m.data[4:]), what: appIPsec << 7, gap: 1000, mask: 0xffffffff})
	if n < 3 {
		return no
	}
	return done
}
