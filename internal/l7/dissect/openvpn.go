package dissect

import (
	"encoding/binary"

	"github.com/portolan/portolan/internal/flow"
)

const appOpenVPN = 159

// First bytes of OpenVPN: what it is, and the first key.
const (
	openvpnClient2 = 7 << 3
	openvpnServer2 = 8 << 3
	openvpnClient3 = 10 << 3
)

// openvpnCrypt is what tls-crypt adds, in bytes; a server may announce six more.
const openvpnCrypt = 4 + 4 + 32

// recogniseOpenVPN knows OpenVPN by the first packets of both sides: a reset of
// a length that there is, answered by one that fits. At its port the client's
// suffices if nothing hides it.
func recogniseOpenVPN(m *message) answer {
	b := m.data
	if m.proto == flow.TCP { // the length stands in front
		if len(b) < 3 {
			return m.moreIfUsual()
		}
		length := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; length != len(b) {
			return no
		}
	}
	if len(b) < 14 {
		return no
	}
	const what = appOpenVPN << 7
	k := &m.conv.streak
	switch b[0] {
	case openvpnClient2, openvpnClient3:
		extra := openvpnExtra(len(b)-14, b[0] == openvpnClient3)
		if extra < 0 || extra == 0 && !zeros(b[9:]) {
			return no
		}
		*k = streak{what: what, key: binary.BigEndian.Uint32(b[1:]), seq: uint32(extra), count: 1, reply: m.reply}
		if extra == 0 && m.usual {
			return done
		}
	case openvpnServer2:
		// Nine bytes more than the client's tell what is acknowledged.
		extra := len(b) - 26
		if k.what != what || k.count == 0 || k.reply == m.reply {
			return no
		}
		if hidden := k.seq > 64+8 || k.seq == openvpnCrypt; uint32(extra) != k.seq && !(hidden && (extra == openvpnCrypt || extra == openvpnCrypt+6)) {
			return no
		}
		if extra == 0 && (b[9] != 1 || binary.BigEndian.Uint32(b[14:]) != k.key) {
			return no
		}
		return done
	}
	return no
}

// openvpnExtra returns n if a reset may be so many bytes longer than a plain
// one, -1 if not: by a digest of 20, 32 or 64 bytes with a number and a time
// (tls-auth, tls-crypt). A wrapped key may follow.
func openvpnExtra(n int, key bool) int {
	switch {
	case key && n > openvpnCrypt && n < 1100, !key && (n == 0 || n == 20+8 || n == 32+8 || n == 64+8):
		return n
	}
	return -1
}
