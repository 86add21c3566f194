package packet

// ppp decodes a PPP protocol field (RFC 1661), with or without address and
// control (RFC 1662), compressed or not.
func (d *decoder) ppp(off int) bool {
	p := d.data
	if len(p) >= off+2 && p[off] == 0xff && p[off+1] == 3 {
		off += 2
	}
	if len(p) < off+2 {
		return d.fail(CutLink)
	}
	kind := be16(p[off:])
	off += 2
	if kind&0x0100 != 0 { // an odd first byte is the whole field
		kind >>= 8
		off--
	}
	switch kind {
	case 0x0021:
		return d.ip4(off)
	case 0x0057:
		return d.ip6(off)
	case 0x0281, 0x0283:
		return d.mpls(off)
	}
	return d.fail(NonIP)
}

// pppoe decodes a PPPoE session header (RFC 2516); discovery carries no IP.
func (d *decoder) pppoe(off int) bool {
	p := d.data
	if len(p) < off+8 {
		return d.fail(CutLink)
	}
	if p[off] != 0x11 || p[off+1] != 0 {
		return d.fail(NonIP)
	}
	return d.ppp(off + 6)
}

// chdlc decodes Cisco's HDLC framing: address, control, EtherType.
func (d *decoder) chdlc(off int) bool {
	p := d.data
	if len(p) < off+4 {
		return d.fail(CutLink)
	}
	return d.etherType(be16(p[off+2:]), off+4)
}

// frameRelay decodes a two-byte address, control, and NLPID (RFC 2427).
func (d *decoder) frameRelay(off int) bool {
	p := d.data
	if len(p) < off+4 {
		return d.fail(CutLink)
	}
	if p[off+1]&1 == 0 { // longer addresses go on while the lowest bit is clear
		off += 2
		if len(p) < off+4 {
			return d.fail(CutLink)
		}
	}
	switch {
	case be16(p[off+2:]) >= 0x0600: // Cisco's own encapsulation
		return d.etherType(be16(p[off+2:]), off+4)
	case p[off+2] == 3 && p[off+3] == 0xcc:
		return d.ip4(off + 4)
	case p[off+2] == 3 && p[off+3] == 0x8e:
		return d.ip6(off + 4)
	case p[off+2] == 3 && p[off+3] == 0 && len(p) >= off+10 && p[off+4] == 0x80:
		return d.typed(off+8, off+10)
	}
	return d.fail(NonIP)
}
