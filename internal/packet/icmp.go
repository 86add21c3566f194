package packet

import "github.com/portolan/portolan/internal/flow"

// icmp decodes ICMP (RFC 792) and ICMPv6 (RFC 4443): queries and their answers
// pair by their identifier, errors belong to the conversation that they
// complain of.
func (d *decoder) icmp(off int, e *ends) bool {
	if !d.need(off, 2) {
		return false
	}
	kind := d.data[off]
	if hasID(e.proto, kind) {
		if !d.need(off, 6) {
			return false
		}
		e.sport = be16(d.data[off+4:])
		e.dport = e.sport
	}
	d.ICMPType, d.ICMPCode = kind, d.data[off+1]
	d.tuple(e)
	d.payload(off + 8)
	if isError(e.proto, kind) {
		d.complaint(off+8, e.is4)
	}
	return true
}

// hasID reports whether messages of a type have an identifier.
func hasID(proto flow.Proto, kind uint8) bool {
	if proto == flow.ICMPv6 {
		return kind == 128 || kind == 129
	}
	switch kind {
	case 0, 8, 13, 14, 15, 16, 17, 18: // echo, timestamp, information, address mask
		return true
	}
	return false
}

// isError reports whether messages of a type quote a packet.
func isError(proto flow.Proto, kind uint8) bool {
	if proto == flow.ICMPv6 {
		return kind >= 1 && kind <= 4
	}
	switch kind {
	case 3, 4, 5, 11, 12: // unreachable, quench, redirect, time exceeded, parameter problem
		return true
	}
	return false
}

// complaint finds the conversation whose packet an ICMP error quotes from off
// on, and makes it the tuple. An error travels to the sender of that packet:
// the other way than the packet itself. If the quote is too short, the error
// stays a conversation of its own.
func (d *decoder) complaint(off int, is4 bool) {
	e, ok := quoted(d.data, off, is4)
	if !ok {
		return
	}
	d.tuple(&e)
	d.Reversed = !d.Reversed
	d.ICMPError = true
}

// quoted returns the ends of the packet that begins at off.
func quoted(p []byte, off int, is4 bool) (e ends, ok bool) {
	switch {
	case is4 && len(p) >= off+20 && p[off]>>4 == 4 && p[off]&15 >= 5:
		if be16(p[off+6:])&0x1fff != 0 { // not the first fragment: without ports
			return e, false
		}
		e = ends{is4: true, src4: be32(p[off+12:]), dst4: be32(p[off+16:]), proto: flow.Proto(p[off+9])}
		off += int(p[off]&15) * 4
	case !is4 && len(p) >= off+40 && p[off]>>4 == 6:
		c, r := extensions(p, len(p), p[off+6], off+40)
		if r != None || c.later {
			return e, false
		}
		e = ends{src6: (*[16]byte)(p[off+8 : off+24]), dst6: (*[16]byte)(p[off+24 : off+40]), proto: c.proto}
		off = c.off
	default:
		return e, false
	}
	switch {
	case e.proto.HasPorts():
		if len(p) < off+4 {
			return e, false
		}
		e.sport, e.dport = be16(p[off:]), be16(p[off+2:])
	case e.proto == flow.ICMP || e.proto == flow.ICMPv6:
		if len(p) <= off {
			return e, false
		}
		if hasID(e.proto, p[off]) {
			if len(p) < off+6 {
				return e, false
			}
			e.sport = be16(p[off+4:])
			e.dport = e.sport
		}
	}
	return e, true
}
