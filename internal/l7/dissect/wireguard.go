package dissect

import "encoding/binary"

const appWireGuard = 206

// recogniseWireGuard knows WireGuard by the type, the length and the zeros of
// its handshakes (wireguard.com/protocol). Data is known at its port only, by
// numbers that rise.
func recogniseWireGuard(m *message) answer {
	b := m.data
	if len(b) < 32 || b[1]|b[2]|b[3] != 0 {
		return no
	}
	switch {
	case b[0] == 1 && len(b) == 148, b[0] == 2 && len(b) == 92:
		if m.usual || zeros(b[len(b)-16:]) { // nobody asked for a cookie
			return done
		}
	case b[0] == 3 && len(b) == 64 && m.usual:
		return done
	case b[0] == 4 && len(b)%16 == 0 && m.usual && zeros(b[12:16]):
		n := m.follow(step{
			key: binary.LittleEndian.Uint32(b[4:]), seq: binary.LittleEndian.Uint32(b[8:]), what: appWireGuard << 7, gap: 1000, mask: 0xffffffff,
		})
		if n >= 3 {
			return done
		}
	}
	return no
}

// zeros reports whether b holds nothing else.
func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
