package packet

// Link types that the decoder knows, by their LINKTYPE_ names.
const (
	LinkNull       LinkType = 0
	LinkEthernet   LinkType = 1
	LinkTokenRing  LinkType = 6
	LinkSLIP       LinkType = 8
	LinkPPP        LinkType = 9
	LinkFDDI       LinkType = 10
	LinkATM        LinkType = 100 // RFC 1483, LLC encapsulated
	LinkRaw        LinkType = 101
	LinkPPPSerial  LinkType = 50
	LinkPPPoE      LinkType = 51
	LinkCHDLC      LinkType = 104
	Link80211      LinkType = 105
	LinkFrameRelay LinkType = 107
	LinkLoop       LinkType = 108
	LinkSLL        LinkType = 113
	LinkPFLog      LinkType = 117
	LinkPrism      LinkType = 119
	LinkIPFC       LinkType = 122
	LinkRadiotap   LinkType = 127
	LinkAVS        LinkType = 163
	LinkPPPDir     LinkType = 166
	LinkPPPWithDir LinkType = 204
	LinkPPI        LinkType = 192
	LinkIPv4       LinkType = 228
	LinkIPv6       LinkType = 229
	LinkNFLog      LinkType = 239
	LinkSLL2       LinkType = 276
	LinkDSABrcm    LinkType = 281
	LinkDSABrcmPre LinkType = 282
	LinkDSA        LinkType = 284
	LinkEDSA       LinkType = 285
	LinkRawBSD     LinkType = 12 // DLT_RAW of most systems
	LinkRawOpenBSD LinkType = 14
)

// link decodes the link header at off.
func (d *decoder) link(kind LinkType, off int) bool {
	p := d.data
	switch kind {
	case LinkEthernet:
		return d.ethernet(off)
	case LinkRaw, LinkRawBSD, LinkRawOpenBSD:
		return d.ip(off)
	case LinkIPv4:
		return d.ip4(off)
	case LinkIPv6:
		return d.ip6(off)
	case LinkNull, LinkLoop:
		return d.loopback(off)
	case LinkSLL:
		if len(p) < off+16 {
			return d.fail(CutLink)
		}
		return d.cooked(be16(p[off+14:]), be16(p[off+2:]), off+16)
	case LinkSLL2:
		if len(p) < off+20 {
			return d.fail(CutLink)
		}
		return d.cooked(be16(p[off:]), be16(p[off+8:]), off+20)
	case LinkPPP, LinkPPPSerial:
		if len(p) >= off+2 && (p[off] == 0x0f || p[off] == 0x8f) && p[off+1] == 0 {
			return d.chdlc(off) // it stands under the same number
		}
		return d.ppp(off)
	case LinkPPPDir: // the direction replaces the address
		if len(p) >= off+2 && p[off+1] == 3 {
			off++
		}
		return d.ppp(off + 1)
	case LinkPPPWithDir:
		return d.ppp(off + 1)
	case LinkPPPoE:
		return d.pppoe(off)
	case LinkCHDLC:
		return d.chdlc(off)
	case LinkFrameRelay:
		return d.frameRelay(off)
	case LinkATM:
		return d.llc(off)
	case LinkIPFC:
		return d.llc(off + 16)
	case LinkFDDI:
		return d.llc(off + 13)
	case LinkTokenRing:
		return d.tokenRing(off)
	case LinkSLIP:
		return d.ip(off + 16)
	case Link80211:
		return d.wireless(off)
	case LinkRadiotap:
		return d.radiotap(off)
	case LinkPPI:
		return d.ppi(off)
	case LinkPrism:
		if len(p) >= off+8 && be32(p[off:])&0xfffff000 == 0x80211000 {
			return d.wireless(off + int(be32(p[off+4:])&0xffff))
		}
		return d.wireless(off + 144)
	case LinkAVS:
		if len(p) < off+8 {
			return d.fail(CutLink)
		}
		return d.wireless(off + int(be32(p[off+4:])&0xffff))
	case LinkPFLog:
		if len(p) < off+1 {
			return d.fail(CutLink)
		}
		return d.ip(off + (int(p[off])+3)&^3)
	case LinkNFLog:
		return d.nflog(off)
	case LinkDSABrcm:
		return d.typed(off+16, off+18)
	case LinkDSABrcmPre:
		return d.ethernet(off + 4)
	case LinkDSA:
		return d.marvell(off + 12)
	case LinkEDSA: // the same tag behind a type of its own and two zeros
		return d.marvell(off + 16)
	}
	return d.fail(UnknownLink)
}

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
	case 0x893f: // bridge port extension (802.1BR)
		return d.typed(off+6, off+8)
	}
	return d.fail(NonIP)
}

// tag stores a VLAN identifier; 0 only says a priority.
func (d *decoder) tag(id uint16) {
	if d.vlan == 0 {
		d.vlan = id
	}
}

// cooked decodes what begins at start of a Linux cooked capture; kind and
// hardware are its protocol and ARPHRD_ fields.
func (d *decoder) cooked(kind, hardware uint16, start int) bool {
	switch {
	case len(d.data) < start:
		return d.fail(CutLink)
	case hardware == 824: // netlink, not a network
		return d.fail(NonIP)
	case hardware == 803:
		return d.radiotap(start)
	case kind == 4: // a frame with LLC
		return d.llc(start)
	}
	return d.etherType(kind, start)
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
	case 0:
		return d.ethernet(off + 4)
	}
	return d.ethernet(off)
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

// loopback decodes BSD's four bytes of address family; the packet's own
// version is more to be trusted than systems' numbers for IPv6.
func (d *decoder) loopback(off int) bool {
	p := d.data
	if len(p) < off+4 {
		return d.fail(CutLink)
	}
	family := min(le32(p[off:]), be32(p[off:]))
	switch family {
	case 2, 10, 24, 28, 30:
		return d.ip(off + 4)
	}
	return d.fail(NonIP)
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
	case be16(p[off+2:]) == 0x0800: // Cisco's own encapsulation
		return d.ip4(off + 4)
	case p[off+2] == 3 && p[off+3] == 0xcc:
		return d.ip4(off + 4)
	case p[off+2] == 3 && p[off+3] == 0x8e:
		return d.ip6(off + 4)
	case p[off+2] == 3 && p[off+3] == 0 && len(p) >= off+10 && p[off+4] == 0x80:
		return d.typed(off+8, off+10)
	}
	return d.fail(NonIP)
}

// tokenRing decodes an IEEE 802.5 header with its routing information.
func (d *decoder) tokenRing(off int) bool {
	p := d.data
	if len(p) < off+15 {
		return d.fail(CutLink)
	}
	routed := p[off+8]&0x80 != 0
	off += 14
	if routed {
		off += int(p[off] & 0x1f)
	}
	return d.llc(off)
}

// nflog finds the packet among the attributes of a Linux netfilter log.
func (d *decoder) nflog(off int) bool {
	p := d.data
	if len(p) < off+4 {
		return d.fail(CutLink)
	}
	for off += 4; len(p) >= off+4; {
		n := int(le16(p[off:]))
		if n < 4 {
			return d.fail(BadIP)
		}
		if le16(p[off+2:]) == 9 { // NFULA_PAYLOAD
			return d.ip(off + 4)
		}
		off += (n + 3) &^ 3
	}
	return d.fail(NonIP)
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
