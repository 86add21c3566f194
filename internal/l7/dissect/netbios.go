package dissect

import "bytes"

const appNetBIOS = 10

// recogniseNetBIOS knows NetBIOS over UDP (RFC 1002) by the way it writes
// names: those of its name service and of its datagrams.
func recogniseNetBIOS(m *message) answer {
	if len(m.data) > 0 && m.data[0] >= 0x10 && m.data[0] <= 0x16 && netbiosDatagram(m) {
		return done
	}
	r := reader{b: m.data}
	r.uint16() // transaction
	flags := r.uint16()
	questions, answers := r.uint16(), r.uint16()
	r.uint32() // authorities and more
	if r.short || questions+answers != 1 || flags&0x0060 != 0 {
		return no
	}
	name := r.netbiosName()
	kind, class := r.uint16(), r.uint16()
	if r.short || name == nil || kind != 0x20 && kind != 0x21 && kind != 0x0a || class != 1 { // NB, NBSTAT, NULL
		return no
	}
	m.netbios(name)
	return done
}

// netbiosDatagram knows a datagram by its length and the sender's name
// (section 4.4).
func netbiosDatagram(m *message) bool {
	const header = 14
	r := reader{b: m.data}
	kind := r.uint8()
	r.bytes(7) // flags, number, address
	port, length := r.uint16(), int(r.uint16())
	r.uint16() // offset
	if kind > 0x12 || r.short || port == 0 || length != len(m.data)-header {
		return false
	}
	from := r.netbiosName()
	if from == nil || r.netbiosName() == nil {
		return false
	}
	m.netbios(from)
	return true
}

// recogniseNetBIOSSession knows a session by the two names of its request
// (section 4.3.2), and shows what it carries to SMB.
func recogniseNetBIOSSession(m *message) answer {
	b := m.data
	if m.conv.owner != 0 {
		if b[0] == 0 {
			return recogniseSMB(m)
		}
		m.useAll()
		return mine
	}
	r := reader{b: b}
	kind, flags, length := r.uint8(), r.uint8(), int(r.uint16())
	if kind != 0x81 || len(b) > 1 && flags > 1 || len(b) >= 4 && (length < 68 || length > 512 || len(b) > 4+length) {
		return no
	}
	if len(b) < 4+length || len(b) < 4 {
		return m.moreIfUsual()
	}
	called := r.netbiosName()
	if called == nil || r.netbiosName() == nil || len(r.b) > 0 {
		return no
	}
	m.netbios(called)
	m.useAll()
	return mine
}

// netbiosName reads a name as NetBIOS writes it, a letter for each four bits,
// and returns the letters, nil if there is none. What follows as a scope is
// skipped.
func (r *reader) netbiosName() []byte {
	letters := r.block8()
	if len(letters) != 32 {
		return nil
	}
	for _, c := range letters {
		if c < 'A' || c > 'P' {
			return nil
		}
	}
	for range 16 { // labels of the scope
		n := r.uint8()
		if r.short || n > 63 {
			return nil
		}
		if n == 0 {
			return letters
		}
		r.bytes(int(n))
	}
	return nil
}

// netbios learns a name from its letters: fifteen bytes, and one for the service.
func (m *message) netbios(letters []byte) {
	var name [16]byte
	for i := range name {
		name[i] = (letters[2*i]-'A')<<4 | (letters[2*i+1] - 'A')
	}
	if s := bytes.TrimRight(name[:15], " \x00"); len(s) > 0 && s[0] != '*' && s[0] > ' ' {
		m.info(s)
	}
}
