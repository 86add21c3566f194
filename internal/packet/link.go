package packet

// Link types that the decoder knows, by their LINKTYPE_ names.
const (
	LinkNull         LinkType = 0
	LinkEthernet     LinkType = 1
	LinkTokenRing    LinkType = 6
	LinkSLIP         LinkType = 8
	LinkPPP          LinkType = 9
	LinkFDDI         LinkType = 10
	LinkRawBSD       LinkType = 12 // DLT_RAW of most systems
	LinkRawOpenBSD   LinkType = 14
	LinkPPPSerial    LinkType = 50
	LinkPPPoE        LinkType = 51
	LinkATM          LinkType = 100 // RFC 1483, LLC encapsulated
	LinkRaw          LinkType = 101
	LinkCHDLC        LinkType = 104
	Link80211        LinkType = 105
	LinkFrameRelay   LinkType = 107
	LinkLoop         LinkType = 108
	LinkEnc          LinkType = 109 // OpenBSD's encapsulating interface
	LinkSLL          LinkType = 113
	LinkPFLog        LinkType = 117
	LinkPrism        LinkType = 119
	LinkIPFC         LinkType = 122
	LinkRadiotap     LinkType = 127
	LinkARCNET       LinkType = 129 // as Linux gives it
	LinkAVS          LinkType = 163
	LinkPPPDir       LinkType = 166
	LinkJuniperEther LinkType = 178
	LinkPPI          LinkType = 192
	LinkPPPWithDir   LinkType = 204
	LinkIPv4         LinkType = 228
	LinkIPv6         LinkType = 229
	LinkNFLog        LinkType = 239
	LinkIPoIB        LinkType = 242
	LinkPKTAP        LinkType = 258
	LinkSLL2         LinkType = 276
	LinkDSABrcm      LinkType = 281
	LinkDSABrcmPre   LinkType = 282
	LinkDSA          LinkType = 284
	LinkEDSA         LinkType = 285
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
		return d.wireless(off, false)
	case LinkRadiotap:
		return d.radiotap(off)
	case LinkPPI:
		return d.ppi(off)
	case LinkPrism, LinkAVS:
		return d.prism(off)
	case LinkPFLog:
		if len(p) < off+1 {
			return d.fail(CutLink)
		}
		return d.ip(off + (int(p[off])+3)&^3)
	case LinkNFLog:
		return d.nflog(off)
	case LinkEnc:
		return d.ip(off + 12)
	case LinkARCNET:
		return d.arcnet(off)
	case LinkJuniperEther:
		return d.juniper(off)
	case LinkIPoIB: // a global routing header, the type, two reserved bytes
		return d.typed(off+40, off+44)
	case LinkPKTAP:
		if len(p) < off+12 {
			return d.fail(CutLink)
		}
		return d.linkBehind(LinkType(le32(p[off+8:])), off+int(le32(p[off:])&0xffff))
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

// arcnet decodes Linux' ARCNET header: addresses, two bytes of its own, the
// protocol (RFC 1051, 1201).
func (d *decoder) arcnet(off int) bool {
	p := d.data
	if len(p) < off+8 {
		return d.fail(CutLink)
	}
	whole := p[off+5] == 0 // not split into several frames
	switch {
	case p[off+4] == 0xf0:
		return d.ip4(off + 5)
	case p[off+4] == 0xd4 && whole:
		return d.ip4(off + 8)
	case p[off+4] == 0xc4 && whole:
		return d.ip6(off + 8)
	}
	return d.fail(NonIP)
}

// juniper skips the header that Junos puts before an Ethernet frame.
func (d *decoder) juniper(off int) bool {
	p := d.data
	if len(p) < off+6 {
		return d.fail(CutLink)
	}
	flags := p[off+3]
	if string(p[off:off+3]) != "MGC" || flags&0x02 != 0 { // without the frame's own header
		return d.fail(NonIP)
	}
	off += 4
	if flags&0x80 != 0 { // extensions, behind their length
		off += 2 + int(be16(p[off:]))
	}
	return d.ethernet(off)
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
			return d.fail(CutLink)
		}
		if le16(p[off+2:]) == 9 { // NFULA_PAYLOAD
			return d.ip(off + 4)
		}
		off += (n + 3) &^ 3
	}
	return d.fail(NonIP)
}
