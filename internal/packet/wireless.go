package packet

// radiotap skips a radiotap header (radiotap.org).
func (d *decoder) radiotap(off int) bool {
	p := d.data
	if len(p) < off+4 {
		return d.fail(CutLink)
	}
	return d.wireless(off + int(le16(p[off+2:])))
}

// ppi skips a per-packet information header, which names the link type behind.
func (d *decoder) ppi(off int) bool {
	p := d.data
	if len(p) < off+8 {
		return d.fail(CutLink)
	}
	kind := LinkType(le32(p[off+4:]))
	if !d.enter() {
		return false
	}
	return d.link(kind, off+int(le16(p[off+2:])))
}

// wireless decodes an IEEE 802.11 frame. Only data frames in the clear carry
// IP; encrypted, management and control frames are no IP for us.
func (d *decoder) wireless(off int) bool {
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
	header := 24
	if flags&0x03 == 0x03 {
		header += 6 // four addresses
	}
	qos := control&0x80 != 0
	if qos {
		if len(p) < off+header+2 {
			return d.fail(CutLink)
		}
		if p[off+header]&0x80 != 0 { // an aggregate of several frames: the first counts
			return d.ethernetLLC(off + header + 2)
		}
		header += 2
		if flags&0x80 != 0 {
			header += 4 // HT control
		}
	}
	return d.llc(off + header)
}

// ethernetLLC decodes the first subframe of an A-MSDU: addresses, a length, LLC.
func (d *decoder) ethernetLLC(off int) bool { return d.llc(off + 14) }
