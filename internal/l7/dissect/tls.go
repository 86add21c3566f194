package dissect

import "encoding/binary"

// Content types of TLS records (RFC 8446 section 5.1), and messages of the
// handshake (section 4).
const (
	tlsChangeCipher = 20
	tlsAlert        = 21
	tlsHandshake    = 22
	tlsData         = 23

	tlsClientHello = 1
	tlsServerHello = 2
	tlsCertificate = 11
)

// maxRecord is the longest payload of a record, with what encryption adds
// (RFC 5246 section 6.2.3).
const maxRecord = 1<<14 + 2048

// Stages of a TLS conversation, and of a DTLS one.
const (
	tlsClientSaid uint8 = 1 << iota
	tlsServerSaid
)

// recogniseTLS knows TLS (RFC 8446 and before) by its records, and learns from
// the two hellos.
func recogniseTLS(m *message) answer {
	if m.data[0]&0x80 != 0 {
		return recogniseSSL2(m)
	}
	if m.conv.owner == 0 {
		if a := beginsTLS(m); a != mine {
			return a
		}
		masterTLS(m)
	}
	handshake, end := m.d.handshake(m.data)
	if end < 0 {
		m.useAll() // out of step: no record begins here
		return mine
	}
	if len(handshake) == 0 {
		m.use(end)
		if m.data[0] != tlsHandshake {
			m.useAll()
			return tlsAfter(m)
		}
		return mine
	}
	switch handshake[0] {
	case tlsClientHello:
		if !clientHello(m, handshake, false) && !m.full {
			return mine
		}
		m.reach(tlsClientSaid)
	case tlsServerHello:
		if !serverHello(m, handshake) && !m.full {
			return mine
		}
		m.reach(tlsServerSaid)
	}
	m.useAll()
	return tlsAfter(m)
}

// tlsAfter says whether there is more to learn once a side has had its say.
func tlsAfter(m *message) answer {
	if m.at(tlsServerSaid) && m.at(tlsClientSaid) || m.data[0] == tlsData {
		return done
	}
	return mine
}

// beginsTLS reports whether a message begins with a record of TLS.
func beginsTLS(m *message) answer {
	b := m.data
	if len(b) > 1 && b[1] != 3 || len(b) > 2 && b[2] > 4 {
		return no
	}
	if len(b) < 6 {
		return more
	}
	length := int(binary.BigEndian.Uint16(b[3:]))
	if length > maxRecord || length == 0 {
		return no
	}
	switch b[0] {
	case tlsChangeCipher:
		if length != 1 || b[5] != 1 {
			return no
		}
		return mine
	case tlsAlert:
		if length == 2 && b[5] != 1 && b[5] != 2 {
			return no
		}
		return follows(b, length, mine)
	case tlsHandshake:
		if b[5] == tlsClientHello || b[5] == tlsServerHello {
			if len(b) < 11 {
				return more
			}
			if b[6] != 0 || b[9] != 3 && b[9] != 0x7f || b[10] > 4 && b[9] == 3 {
				return no
			}
			return mine
		}
	}
	return follows(b, length, mine)
}

// follows returns yes if a record ends where the message does, beyond it, or
// where another record begins.
func follows(b []byte, length int, yes answer) answer {
	rest := b[min(len(b), 5+length):]
	if len(rest) > 0 && (rest[0] < tlsChangeCipher || rest[0] > tlsData) || len(rest) > 1 && rest[1] != 3 {
		return no
	}
	return yes
}

// masterTLS names the protocols whose TLS nDPI counts as theirs.
func masterTLS(m *message) {
	switch {
	case m.isPort(465) || m.isPort(587):
		m.master(appSMTPS)
	case m.isPort(993):
		m.master(appIMAPS)
	case m.isPort(995):
		m.master(appPOPS)
	case m.isPort(853):
		m.app(appDoHDoT)
	}
}

// handshake returns the bytes of the handshake that the records of b carry from
// its first byte on, and where the last whole record ends; -1 if b does not
// begin with a record. A record may be cut. The bytes are good until the next
// call.
func (d *Identifier) handshake(b []byte) (handshake []byte, end int) {
	d.scratch = d.scratch[:0]
	for len(b) >= 5 {
		length := int(binary.BigEndian.Uint16(b[3:]))
		if b[0] < tlsChangeCipher || b[0] > tlsData || b[1] != 3 || length > maxRecord {
			if end == 0 {
				return nil, -1
			}
			break
		}
		if b[0] != tlsHandshake {
			if end == 0 && len(b) >= 5+length {
				end = 5 + length
			}
			break
		}
		payload := b[5:min(len(b), 5+length)]
		if len(handshake) == 0 {
			handshake = payload
		} else {
			d.scratch = append(append(d.scratch[:0], handshake...), payload...)
			handshake = d.scratch
		}
		if len(b) < 5+length {
			break
		}
		b = b[5+length:]
		end += 5 + length
	}
	return handshake, end
}

// clientHello learns from the client's hello. It reports whether the hello was
// there as a whole.
func clientHello(m *message, handshake []byte, datagrams bool) bool {
	h := &m.d.hello
	whole := h.parse(handshake, datagrams)
	if len(h.name) > 0 && (whole || h.nameWhole) {
		m.host(h.name)
	}
	if whole && string(h.alpn) == "dot" {
		m.app(appDoHDoT) // RFC 7858; the name of the protocol is in IANA's registry of ALPN
	}
	if whole && !m.d.cfg.AppOnly && !m.at(tlsClientSaid) {
		kind := byte('t')
		if datagrams {
			kind = 'd'
		}
		m.details().JA4 = h.ja4(kind)
	}
	return whole
}

// serverHello learns the version that the server chose. It reports whether the
// hello was there as a whole.
func serverHello(m *message, handshake []byte) bool {
	version, whole := chosenVersion(handshake)
	if whole && version != 0 && !m.d.cfg.AppOnly {
		m.details().TLSVersion = version
	}
	return whole
}

// chosenVersion returns the version in a ServerHello (RFC 8446 sections 4.1.3
// and 4.2.1).
func chosenVersion(handshake []byte) (version uint16, whole bool) {
	r := reader{b: handshake}
	r.uint8()
	r = reader{b: r.most(r.uint24()), short: r.short}
	version = r.uint16()
	r.bytes(32)
	r.block8() // session
	r.uint16() // cipher suite
	r.uint8()  // compression
	if r.short {
		return 0, false
	}
	if len(r.b) == 0 {
		return version, true // no extensions
	}
	ext := reader{b: r.block16(), short: r.short}
	for !ext.short && len(ext.b) > 0 {
		kind, body := ext.uint16(), ext.block16()
		if kind == extVersions && len(body) == 2 {
			version = binary.BigEndian.Uint16(body)
		}
	}
	return version, !r.short
}

// recogniseSSL2 knows a ClientHello of SSL 2.0, which clients of SSL 3.0 and
// TLS used to say first (RFC 5246 appendix E.2).
func recogniseSSL2(m *message) answer {
	if m.conv.owner != 0 {
		m.useAll()
		return mine
	}
	r := reader{b: m.data}
	length := int(r.uint16() & 0x7fff)
	kind, version := r.uint8(), r.uint16()
	ciphers, session, challenge := int(r.uint16()), int(r.uint16()), int(r.uint16())
	if r.short {
		if len(m.data) > 2 && kind != tlsClientHello {
			return no
		}
		return more
	}
	if kind != tlsClientHello || version != 2 && version>>8 != 3 || ciphers == 0 || ciphers%3 != 0 ||
		session != 0 && session != 16 || challenge < 16 || challenge > 32 || length != 9+ciphers+session+challenge {
		return no
	}
	masterTLS(m)
	m.reach(tlsClientSaid)
	m.useAll()
	return mine
}
