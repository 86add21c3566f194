package dissect

// Content types that TLS has not (IANA "TLS ContentType").
const (
	dtlsHeartbeat = 24
	dtlsWithID    = 25
)

const dtlsHeader = 13

// recogniseDTLS knows DTLS (RFC 9147 and before) by records that fill the
// datagram, and learns from the two hellos.
func recogniseDTLS(m *message) answer {
	a := no
	for b := m.data; len(b) > 0; {
		r := reader{b: b}
		kind, version, epoch := r.uint8(), r.uint16(), r.uint16()
		r.bytes(6) // sequence number
		length := int(r.uint16())
		if r.short || kind < tlsChangeCipher || kind > dtlsWithID || !dtlsVersion(version) || length == 0 {
			break
		}
		if kind == dtlsWithID { // the length stands behind a connection ID whose length is not said
			return max(a, mine)
		}
		if length > len(r.b) && (length > maxRecord || len(b) < len(m.data)) {
			break
		}
		a = max(a, mine)
		payload := r.most(length)
		if kind == tlsHandshake && epoch == 0 && m.d.dtlsHandshake(m, payload) {
			return done
		}
		b = r.b
	}
	if m.conv.owner != 0 {
		return mine
	}
	return a
}

// dtlsVersion reports whether v is a version of DTLS as records have it:
// 1.0, 1.2, or what OpenSSL had before there was a standard.
func dtlsVersion(v uint16) bool { return v == 0xfeff || v == 0xfefd || v == 0xfefc || v == 0x0100 }

// dtlsHandshake learns from a hello, which may come in fragments (RFC 6347
// section 4.2.3). It reports whether nothing more will be learnt.
func (d *Identifier) dtlsHandshake(m *message, b []byte) bool {
	r := reader{b: b}
	kind, length := r.uint8(), r.uint24()
	r.uint16()
	off, n := r.uint24(), r.uint24()
	if r.short || off+n > length {
		return false
	}
	whole := b
	if n < length {
		if kind != tlsClientHello { // a server's hello is short
			return false
		}
		c := m.conv
		if c.handshake == nil {
			c.handshake = d.keeper.take()
		}
		if off == 0 {
			c.handshake.put(&d.keeper, 0, b[:12])
		}
		c.handshake.put(&d.keeper, 12+off, r.most(n))
		whole = c.handshake.bytes()
	}
	switch {
	case kind == tlsClientHello:
		if len(whole) > 12 && clientHello(m, whole, true) {
			m.reach(tlsClientSaid)
		}
	case kind == tlsServerHello:
		d.scratch = append(append(d.scratch[:0], b[:4]...), b[12:]...)
		if serverHello(m, d.scratch) {
			m.reach(tlsServerSaid)
		}
	}
	return m.at(tlsClientSaid) && m.at(tlsServerSaid)
}
