package dissect

import "github.com/portolan/portolan/internal/flow"

const appNFS = 11

// recogniseNFS knows NFS and what belongs to it by a call of ONC RPC version 2
// (RFC 5531 section 9) to one of its programs. Over TCP, a record mark stands
// before it. An answer does not say what it answers to.
func recogniseNFS(m *message) answer {
	const mark, call = 4, 40
	r := reader{b: m.data}
	if m.proto == flow.TCP {
		if len(r.b) < mark+call {
			if len(r.b) >= mark+8 && string(r.b[mark+4:mark+8]) != "\x00\x00\x00\x00" {
				return no
			}
			return m.moreIfUsual()
		}
		if length := r.uint32() &^ (1 << 31); length < call || length > 4<<20 {
			return no
		}
	}
	r.uint32() // transaction
	kind, version, program, programVersion, procedure := r.uint32(), r.uint32(), r.uint32(), r.uint32(), r.uint32()
	credential, length := r.uint32(), r.uint32()
	if r.short || kind != 0 || version != 2 || programVersion == 0 || programVersion > 4 || procedure > 64 || length > 400 {
		return no
	}
	switch credential {
	case 0, 1, 3, 6: // none, Unix, Diffie-Hellman, GSS
	default:
		return no
	}
	switch program {
	case 100003, 100005, 100021, 100024, 100227: // NFS, mount, locks, status, access lists
		return done
	}
	return no
}
