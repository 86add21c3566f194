package packet

// ethernet decodes an Ethernet header.
func (d *decoder) ethernet(off int) bool { return d.typed(off+12, off+14) }

// typed decodes what begins at start by the field at off: an EtherType, or a
// length with LLC behind (IEEE 802.3).
func (d *decoder) typed(off, start int) bool {
	p := d.data
	if len(p) < start {
		return d.fail(CutLink)
	}
	if kind := be16(p[off:]); kind >= 0x0600 {
		return d.etherType(kind, start)
	}
	return d.llc(start)
}

// etherType decodes what an EtherType (IEEE 802 registry) says begins at off.
func (d *decoder) etherType(kind uint16, off int) bool {
	if !d.enter() {
		return false
	}
	p := d.data
	switch kind {
	case 0x0800:
		return d.ip4(off)
	case 0x86dd:
		return d.ip6(off)
	case 0x8100, 0x88a8, 0x9100, 0x9200, 0x9300: // VLAN tags; the outermost counts
		if len(p) < off+4 {
			return d.fail(CutLink)
		}
		d.tag(be16(p[off:]) & 0xfff)
		return d.typed(off+2, off+4)
	case 0x8847, 0x8848:
		return d.mpls(off)
	case 0x8864:
		return d.pppoe(off)
	case 0x880b:
		return d.ppp(off)
	case 0x6558: // bridged Ethernet, as Geneve and NVGRE say it
		return d.ethernet(off)
	case 0x8903: // FabricPath: its own addresses and tag, then the whole frame
		return d.ethernet(off + 2)
	case 0x88e7: // provider backbone bridge (802.1ah): a service tag, then the whole frame
		return d.ethernet(off + 4)
	case 0x8926: // VN-Tag
		return d.typed(off+4, off+6)
	case 0x88e5:
		return d.macsec(off)
	case 0x894f:
		return d.serviceChain(off)
	case 0x893f: // bridge port extension (802.1BR)
		return d.typed(off+6, off+8)
	}
	return d.fail(NonIP)
}

// serviceChain skips a network service header (RFC 8300).
func (d *decoder) serviceChain(off int) bool {
	p := d.data
	if len(p) < off+4 {
		return d.fail(CutLink)
	}
	next := p[off+3]
	off += int(p[off+1]&0x3f) * 4
	switch next {
	case 1:
		return d.ip4(off)
	case 2:
		return d.ip6(off)
	case 3:
		return d.ethernet(off)
	case 5:
		return d.mpls(off)
	}
	return d.fail(NonIP)
}

// tag stores a VLAN identifier; 0 only says a priority.
func (d *decoder) tag(id uint16) {
	if d.vlan == 0 {
		d.vlan = id
	}
}

// llc decodes an LLC header (IEEE 802.2), with SNAP where it is.
func (d *decoder) llc(off int) bool {
	p := d.data
	if len(p) < off+3 {
		return d.fail(CutLink)
	}
	switch {
	case p[off] == 0xaa && p[off+1] == 0xaa:
		if len(p) < off+8 {
			return d.fail(CutLink)
		}
		kind := be16(p[off+6:])
		if kind >= 0x0600 {
			return d.etherType(kind, off+8)
		}
		if kind == 1 || kind == 7 { // bridged Ethernet with or without FCS (RFC 2684)
			return d.ethernet(off + 10)
		}
	case p[off] == 0x06 && p[off+1] == 0x06: // IP by its own service access point
		return d.ip4(off + 3)
	case p[off] == 0xfe && p[off+1] == 0xfe && len(p) > off+3 && p[off+3] == 0xcc: // NLPID of IPv4
		return d.ip4(off + 4)
	}
	return d.fail(NonIP)
}

// mpls skips a label stack (RFC 3032). What comes behind has no type: its
// first four bits tell IP from a pseudowire (RFC 4385).
func (d *decoder) mpls(off int) bool {
	p := d.data
	for {
		if len(p) < off+4 {
			return d.fail(CutLink)
		}
		if !d.enter() {
			return false
		}
		bottom := p[off+2]&1 != 0
		off += 4
		if bottom {
			break
		}
	}
	if len(p) <= off {
		return d.fail(CutLink)
	}
	switch p[off] >> 4 {
	case 4:
		return d.ip4(off)
	case 6:
		return d.ip6(off)
	case 0: // a control word, or an address that begins like one
		vlan := d.vlan
		if d.ethernet(off+4) || d.Reason != NonIP {
			return d.Reason == None
		}
		d.Reason, d.vlan = None, vlan
	}
	return d.ethernet(off)
}

// macsec decodes an IEEE 802.1AE tag, which need not encrypt.
func (d *decoder) macsec(off int) bool {
	p := d.data
	if len(p) < off+6 {
		return d.fail(CutLink)
	}
	if p[off]&0x0c != 0 { // encrypted, or changed
		return d.fail(NonIP)
	}
	if p[off]&0x20 != 0 {
		off += 8 // the channel's identifier
	}
	return d.typed(off+6, off+8)
}

// marvell decodes a switch's tag at off, which stands where a VLAN tag does.
func (d *decoder) marvell(off int) bool {
	p := d.data
	if len(p) < off+6 {
		return d.fail(CutLink)
	}
	if p[off]&0x20 != 0 {
		d.tag(be16(p[off+2:]) & 0xfff)
	}
	return d.typed(off+4, off+6)
}
