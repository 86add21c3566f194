package packet

import (
	"github.com/portolan/portolan/internal/flow"
)

// ip decodes the IP packet at off by its version.
func (d *decoder) ip(off int) bool {
	if off >= len(d.frame.Data) {
		return d.fail(CutIP)
	}
	switch d.frame.Data[off] >> 4 {
	case 4:
		return d.ip4(off)
	case 6:
		return d.ip6(off)
	}
	return d.fail(BadIP)
}

// ip4 decodes an IPv4 packet (RFC 791).
func (d *decoder) ip4(off int) bool {
	p := d.frame.Data
	if !d.enter() {
		return false
	}
	if len(p) < off+20 {
		return d.fail(CutIP)
	}
	ip := p[off : off+20 : off+20]
	header := int(ip[0]&15) * 4
	if ip[0]>>4 != 4 || header < 20 {
		return d.fail(BadIP)
	}
	total := int(be16(ip[2:]))
	if total == 0 { // segmentation offload: the card fills it in later
		total = int(d.frame.Wire) - off
	}
	if total < header {
		return d.fail(BadIP)
	}
	d.IPOffset, d.Bytes = uint32(off), uint32(total)
	d.TTL, d.IPID = ip[8], uint32(be16(ip[4:]))
	frag := be16(ip[6:])
	d.Fragment, d.Later = frag&0x3fff != 0, frag&0x1fff != 0
	e := ends{is4: true, src4: be32(ip[12:]), dst4: be32(ip[16:]), proto: flow.Proto(ip[9])}
	return d.transport(off+header, off+total, &e)
}

// maxExtensions bounds the chain of IPv6 extension headers; RFC 8200 section
// 4.1 knows seven kinds, of which one may come twice.
const maxExtensions = 10

// ip6 decodes an IPv6 packet with its extension headers (RFC 8200).
func (d *decoder) ip6(off int) bool {
	p := d.frame.Data
	if !d.enter() {
		return false
	}
	if len(p) < off+40 {
		return d.fail(CutIP)
	}
	ip := p[off : off+40 : off+40]
	if ip[0]>>4 != 6 {
		return d.fail(BadIP)
	}
	payload := int(be16(ip[4:]))
	if payload == 0 && ip[6] != 59 { // jumbogram, or segmentation offload
		payload = max(int(d.frame.Wire)-off-40, 0)
	}
	d.IPOffset, d.Bytes = uint32(off), uint32(payload+40)
	d.TTL, d.IPID, d.Fragment, d.Later = ip[7], 0, false, false
	e := ends{src6: (*[16]byte)(ip[8:24]), dst6: (*[16]byte)(ip[24:40])}
	next, end := ip[6], off+40+payload
	off += 40
	for range maxExtensions {
		unit := 8
		switch next {
		case 0, 43, 60, 135, 139, 140: // hop-by-hop, routing, destination, mobility, HIP, shim6
		case 51: // authentication header (RFC 4302), in units of four
			unit = 4
		case 44:
			if len(p) < off+8 || end < off+8 {
				return d.fail(CutTransport)
			}
			where := be16(p[off+2:])
			d.Fragment, d.Later = where&0xfff9 != 0, where&0xfff8 != 0
			d.IPID = be32(p[off+4:])
			next = p[off]
			off += 8
			if d.Later {
				e.proto = flow.Proto(next)
				return d.transport(off, end, &e)
			}
			continue
		default:
			e.proto = flow.Proto(next)
			return d.transport(off, end, &e)
		}
		if len(p) < off+8 || end < off+8 {
			return d.fail(CutTransport)
		}
		next, off = p[off], off+8+int(p[off+1])*unit
	}
	return d.fail(TooDeep)
}

// ends are the two ends of a packet while it is decoded.
type ends struct {
	is4          bool
	src4, dst4   uint32
	src6, dst6   *[16]byte
	sport, dport uint16
	proto        flow.Proto
}

// tuple stores e as d's tuple.
func (d *decoder) tuple(e *ends) {
	tail := uint64(d.vlan)<<16 | uint64(e.proto)
	if e.is4 {
		d.Tuple, d.Reversed = Tuple4(e.src4, e.dst4, e.sport, e.dport, tail)
		return
	}
	d.Tuple, d.Reversed = Tuple6(e.src6, e.dst6, e.sport, e.dport, tail)
}
