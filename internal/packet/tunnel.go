package packet

import "github.com/portolan/portolan/internal/flow"

// UDP ports of tunnels, by IANA's service registry; 8472 is what Linux used
// for VXLAN before 4789 was assigned.
const (
	portL2TP    = 1701
	portGTPU    = 2152
	portTeredo  = 3544
	portVXLAN   = 4789
	portGeneve  = 6081
	portMPLS    = 6635
	portVXLAN8k = 8472
)

// isTunnel reports whether packets may be carried in UDP datagrams to or from
// port.
func isTunnel(port uint16) bool {
	switch port {
	case portL2TP, portGTPU, portTeredo, portVXLAN, portGeneve, portMPLS, portVXLAN8k:
		return true
	}
	return false
}

// carried looks into protocols right above IP that carry packets. d has the
// carrying packet's tuple already.
func (d *decoder) carried(off int, e *ends) bool {
	if len(d.data) <= off {
		return true
	}
	switch e.proto {
	case 4, 94: // IP in IP (RFC 2003), IPIP
		return d.inside(func() bool { return d.ip4(off) })
	case 41: // IPv6 in IP (RFC 4213, 2473)
		return d.inside(func() bool { return d.ip6(off) })
	case flow.GRE:
		return d.inside(func() bool { return d.gre(off) })
	case 97: // EtherIP (RFC 3378)
		return d.inside(func() bool { return d.ethernet(off + 2) })
	case 137: // MPLS in IP (RFC 4023)
		return d.inside(func() bool { return d.mpls(off) })
	}
	return true
}

// carriedByUDP looks into the tunnels that run over UDP. L2TP and
// Teredo use their port at either end, the others as the destination's only.
func (d *decoder) carriedByUDP(off int, e *ends) bool {
	p := d.data
	port := e.dport
	if e.sport == portL2TP || e.sport == portTeredo {
		port = e.sport
	}
	if !isTunnel(port) || len(p) <= off {
		return true
	}
	switch port {
	case portVXLAN, portVXLAN8k: // RFC 7348: flags with the I bit, VNI
		if len(p) >= off+8 && p[off]&0x08 != 0 {
			return d.inside(func() bool { return d.ethernet(off + 8) })
		}
	case portGeneve: // RFC 8926
		if len(p) >= off+8 && p[off]>>6 == 0 {
			return d.inside(func() bool { return d.etherType(be16(p[off+2:]), off+8+int(p[off]&0x3f)*4) })
		}
	case portMPLS: // RFC 7510
		return d.inside(func() bool { return d.mpls(off) })
	case portGTPU:
		if start, ok := gtpPayload(p, off); ok {
			return d.inside(func() bool { return d.ip(start) })
		}
	case portTeredo:
		if start, ok := teredoPayload(p, off); ok {
			return d.inside(func() bool { return d.ip6(start) })
		}
	case portL2TP:
		if start, ok := l2tpPayload(p, off); ok {
			return d.inside(func() bool { return d.ppp(start) })
		}
	}
	return true
}

// gre decodes Generic Routing Encapsulation (RFC 2784, 2890), the enhanced
// form of PPTP (RFC 2637), NVGRE, and ERSPAN.
func (d *decoder) gre(off int) bool {
	p := d.data
	if len(p) < off+4 {
		return d.fail(CutIP)
	}
	flags, kind := be16(p[off:]), be16(p[off+2:])
	off += 4
	if flags&0xc000 != 0 { // checksum, or routing: both words are there
		off += 4
	}
	if flags&0x2000 != 0 {
		off += 4 // key
	}
	sequenced := flags&0x1000 != 0
	if sequenced {
		off += 4
	}
	if flags&0x4000 != 0 { // source routes (RFC 1701) end with a zero length
		for {
			if len(p) < off+4 {
				return d.fail(CutIP)
			}
			n := int(p[off+3])
			off += 4 + n
			if n == 0 {
				break
			}
		}
	}
	switch kind {
	case 0x880b: // PPP; the acknowledgment number is PPTP's
		if flags&0x0080 != 0 {
			off += 4
		}
		return d.ppp(off)
	case 0x88be: // ERSPAN: type I has no sequence number and no header
		if sequenced {
			off += 8
		}
		return d.ethernet(off)
	case 0x22eb: // ERSPAN type III, with an optional platform header
		if len(p) < off+12 {
			return d.fail(CutLink)
		}
		if p[off+11]&1 != 0 {
			off += 8
		}
		return d.ethernet(off + 12)
	case 0x883e: // WCCP: version 2 puts a redirect header before the packet
		if len(p) > off && p[off]>>4 != 4 {
			off += 4
		}
		return d.ip4(off)
	}
	return d.etherType(kind, off)
}

// gtpPayload finds the user's packet in a GTP-U message (3GPP TS 29.281).
func gtpPayload(p []byte, off int) (start int, ok bool) {
	if len(p) < off+8 || p[off]>>5 != 1 || p[off]&0x10 == 0 || p[off+1] != 0xff {
		return 0, false
	}
	flags := p[off]
	off += 8
	if flags&0x07 == 0 {
		return off, true
	}
	if len(p) < off+4 {
		return 0, false
	}
	next := p[off+3]
	if flags&0x04 == 0 {
		next = 0
	}
	off += 4
	for next != 0 { // each extension is at least four bytes long
		if len(p) <= off {
			return 0, false
		}
		n := int(p[off]) * 4
		if n == 0 || len(p) < off+n {
			return 0, false
		}
		next = p[off+n-1]
		off += n
	}
	return off, true
}

// teredoPayload skips Teredo's authentication and origin indications (RFC
// 4380).
func teredoPayload(p []byte, off int) (start int, ok bool) {
	if len(p) >= off+4 && p[off] == 0 && p[off+1] == 1 {
		off += 13 + int(p[off+2]) + int(p[off+3])
	}
	if len(p) >= off+8 && p[off] == 0 && p[off+1] == 0 {
		off += 8
	}
	return off, len(p) >= off+40 && p[off]>>4 == 6
}

// l2tpPayload finds the PPP frame of an L2TP data message (RFC 2661).
func l2tpPayload(p []byte, off int) (start int, ok bool) {
	if len(p) < off+6 || p[off]&0x80 != 0 || p[off+1]&0x0f != 2 {
		return 0, false
	}
	flags := p[off]
	off += 6
	if flags&0x40 != 0 {
		off += 2 // length
	}
	if flags&0x08 != 0 {
		off += 4 // sequence numbers
	}
	if flags&0x02 != 0 {
		if len(p) < off+2 {
			return 0, false
		}
		off += 2 + int(be16(p[off:]))
	}
	return off, len(p) > off+1
}
