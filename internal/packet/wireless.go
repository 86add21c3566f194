package packet

// linkBehind decodes what stands behind a header that names a link type.
func (d *decoder) linkBehind(kind LinkType, off int) bool {
	return d.enter() && d.link(kind, off)
}

// ppi skips a per-packet information header, which names the link type behind.
func (d *decoder) ppi(off int) bool {
	p := d.data
	if len(p) < off+8 {
		return d.fail(CutLink)
	}
	return d.linkBehind(LinkType(le32(p[off+4:])), off+int(le16(p[off+2:])))
}

// prism skips a Prism or an AVS header, which are told apart by AVS' magic.
func (d *decoder) prism(off int) bool {
	p := d.data
	if len(p) < off+8 {
		return d.fail(CutLink)
	}
	size := 144
	if be32(p[off:])&0xfffff000 == 0x80211000 {
		size = int(be32(p[off+4:]) & 0xffff)
	}
	return d.wireless(off+size, false)
}

// radiotap skips a radiotap header (radiotap.org).
func (d *decoder) radiotap(off int) bool {
	p := d.data
	if len(p) < off+8 {
		return d.fail(CutLink)
	}
	size := int(le16(p[off+2:]))
	if len(p) < off+size {
		return d.fail(CutLink)
	}
	head := p[off : off+size]
	return d.wireless(off+size, len(head) >= 8 && radiotapFlags(head)&0x20 != 0)
}

// radiotapFlags returns the flags field of a radiotap header, 0 if it has none.
func radiotapFlags(head []byte) uint8 {
	present := le32(head[4:])
	at := 8
	for word := present; word&(1<<31) != 0 && len(head) >= at+4; at += 4 {
		word = le32(head[at:])
	}
	if present&1 != 0 { // the clock comes first, aligned to its size
		at = (at+7)&^7 + 8
	}
	if present&2 == 0 || len(head) <= at {
		return 0
	}
	return head[at]
}

// wireless decodes an IEEE 802.11 frame. Only data frames in the clear carry
// IP; encrypted, management and control frames are no IP for us. padded says
// that the card aligned the body to four bytes.
func (d *decoder) wireless(off int, padded bool) bool {
	p := d.data
	if len(p) < off+2 {
		return d.fail(CutLink)
	}
	control, flags := p[off], p[off+1]
	if control&0x0c != 0x08 || control&0x40 != 0 { // not data, or data without any
		return d.fail(NonIP)
	}
	if flags&0x40 != 0 { // protected
		return d.fail(NonIP)
	}
	if len(p) < off+24 {
		return d.fail(CutLink)
	}
	if p[off+22]&0x0f != 0 { // a fragment behind the first
		return d.fail(NonIP)
	}
	header := 24
	if flags&0x03 == 0x03 {
		header += 6 // four addresses
	}
	aggregate := false
	if control&0x80 != 0 { // quality of service
		if len(p) < off+header+2 {
			return d.fail(CutLink)
		}
		aggregate = p[off+header]&0x80 != 0
		header += 2
		if flags&0x80 != 0 {
			header += 4 // HT control
		}
	}
	if padded {
		header = (header + 3) &^ 3
	}
	if aggregate { // several frames, each behind addresses and length: the first counts
		header += 14
	}
	return d.llc(off + header)
}
