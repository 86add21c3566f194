package packet

import "github.com/portolan/portolan/internal/flow"

// ip decodes the IP packet at off by its version.
func (d *decoder) ip(off int) bool {
	if off >= len(d.data) {
		return d.fail(CutIP)
	}
	switch d.data[off] >> 4 {
	case 4:
		return d.ip4(off)
	case 6:
		return d.ip6(off)
	}
	return d.fail(BadIP)
}

// ip4 decodes an IPv4 packet (RFC 791).
func (d *decoder) ip4(off int) bool {
	if !d.enter() {
		return false
	}
	if len(d.data) < off+20 {
		return d.fail(CutIP)
	}
	ip := d.data[off : off+20 : off+20]
	header, total := int(ip[0]&15)*4, int(be16(ip[2:]))
	if total == 0 { // segmentation offload: the card fills it in later
		total = min(d.end, d.wire) - off
	}
	if ip[0]>>4 != 4 || header < 20 || total < header {
		return d.fail(BadIP)
	}
	d.bound(off, total)
	where := be16(ip[6:])
	d.TTL, d.IPID = ip[8], uint32(be16(ip[4:]))
	d.Fragment, d.Later = where&0x3fff != 0, where&0x1fff != 0
	e := ends{is4: true, src4: be32(ip[12:]), dst4: be32(ip[16:]), proto: flow.Proto(ip[9])}
	return d.transport(off+header, &e)
}

// ip6 decodes an IPv6 packet (RFC 8200).
func (d *decoder) ip6(off int) bool {
	if !d.enter() {
		return false
	}
	if len(d.data) < off+40 {
		return d.fail(CutIP)
	}
	ip := d.data[off : off+40 : off+40]
	if ip[0]>>4 != 6 {
		return d.fail(BadIP)
	}
	payload := int(be16(ip[4:]))
	if payload == 0 && ip[6] != noNextHeader { // jumbogram, or segmentation offload
		payload = max(min(d.end, d.wire)-off-40, 0)
	}
	d.bound(off, 40+payload)
	c, r := extensions(d.data, d.end, ip[6], off+40)
	if r != None {
		return d.fail(r)
	}
	d.TTL, d.IPID, d.Fragment, d.Later = ip[7], c.id, c.fragment, c.later
	e := ends{src6: (*[16]byte)(ip[8:24]), dst6: (*[16]byte)(ip[24:40]), proto: c.proto}
	return d.transport(c.off, &e)
}

// bound narrows d to the IP packet of total bytes at off. A carried packet
// counts no more bytes than its carrier has: the others come in further
// fragments of the carrier and are counted there.
func (d *decoder) bound(off, total int) {
	total = min(total, d.end-off)
	d.IPOffset, d.Bytes = uint32(off), uint32(total)
	d.end = off + total
	d.data = d.data[:min(len(d.data), d.end)]
}

// noNextHeader is the protocol number that says that nothing follows.
const noNextHeader = 59

// maxExtensions bounds a chain of IPv6 extension headers. RFC 8200 section 4.1
// wants each of six kinds once, one twice; those who would hide send more, and a
// frame of 1,500 bytes has room for 180.
const maxExtensions = 256

// A chain is what is known at the end of IPv6 extension headers.
type chain struct {
	proto           flow.Proto
	off             int    // where what proto means begins
	id              uint32 // of a fragment header
	fragment, later bool
}

// extensions skips IPv6 extension headers in p from off on, where the one of
// kind next stands; end is the packet's end by its length. It stops behind the
// fragment header of a fragment that is not the first, for what follows is no
// header.
func extensions(p []byte, end int, next uint8, off int) (chain, Reason) {
	c := chain{proto: flow.Proto(next), off: off}
	for range maxExtensions {
		switch c.proto {
		case 0, 43, 44, 60, 135, 139, 140: // hop-by-hop, routing, fragment, destination, mobility, HIP, shim6
		default:
			return c, None
		}
		if end < c.off+8 {
			return c, BadTransport
		}
		if len(p) < c.off+8 {
			return c, CutTransport
		}
		h := p[c.off : c.off+8 : c.off+8]
		c.off += 8
		if c.proto == 44 {
			where := be16(h[2:])
			// Neither an offset nor more to come: an atomic fragment (RFC 6946).
			c.fragment, c.later, c.id = where&0xfff9 != 0, where&0xfff8 != 0, be32(h[4:])
		} else {
			c.off += int(h[1]) * 8
		}
		c.proto = flow.Proto(h[0])
		if c.later {
			return c, None
		}
	}
	return c, TooDeep
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
		d.Reversed = d.Tuple.set4(e.src4, e.dst4, e.sport, e.dport, tail)
		return
	}
	d.Reversed = d.Tuple.set6(e.src6, e.dst6, e.sport, e.dport, tail)
}
