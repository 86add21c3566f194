package packet

import "github.com/portolan/portolan/internal/flow"

// transport decodes what IP carries from off on; end is where the IP length
// says that it ends, which may lie behind what was captured.
func (d *decoder) transport(off, end int, e *ends) bool {
	captured := min(end, len(d.frame.Data))
	d.payload(off, off, end, captured)
	if d.Later {
		d.tuple(e)
		return true
	}
	var header int
	switch e.proto {
	case flow.TCP:
		header = 20
	case flow.UDP, flow.UDPLite, flow.ICMP, flow.ICMPv6:
		header = 8
	case flow.SCTP, flow.DCCP:
		header = 12
	case flow.AH:
		return d.authenticated(off, end, e)
	default:
		d.tuple(e)
		return d.carried(off, captured, e)
	}
	if end < off+4 {
		return d.fail(BadTransport)
	}
	if captured < off+4 {
		return d.fail(CutTransport)
	}
	p := d.frame.Data[off:captured]
	if e.proto == flow.ICMP || e.proto == flow.ICMPv6 {
		return d.icmp(off, end, e)
	}
	e.sport, e.dport = be16(p), be16(p[2:])
	if e.proto == flow.TCP && len(p) >= 20 {
		if header = int(p[12]>>4) * 4; header < 20 {
			return d.fail(BadTransport)
		}
		d.Seq, d.Ack, d.TCPFlags, d.Window = be32(p[4:]), be32(p[8:]), p[13], be16(p[14:])
	}
	d.tuple(e)
	d.payload(off, off+header, end, captured)
	if e.proto == flow.UDP && tunnelPort(e.sport, e.dport) && len(p) > 8 {
		return d.carriedByUDP(off+8, captured, e)
	}
	return true
}

// payload sets where the payload lies: from start to end, of which what was
// captured counts. start may lie behind end in a malformed packet.
func (d *decoder) payload(header, start, end, captured int) {
	start = min(max(start, header), end)
	d.Segment = uint32(max(end-start, 0))
	start = min(max(start, 0), len(d.frame.Data))
	d.PayloadOffset, d.PayloadLen = uint32(start), uint32(max(captured-start, 0))
}

// authenticated looks behind an authentication header (RFC 4302) on IPv4.
func (d *decoder) authenticated(off, end int, e *ends) bool {
	d.tuple(e)
	p := d.frame.Data
	if len(p) < off+12 || end < off+12 || !d.enter() {
		d.Reason = None
		return true
	}
	inner := *e
	inner.proto = flow.Proto(p[off])
	if inner.proto == flow.AH {
		return true
	}
	return d.inside(func() bool { return d.transport(off+int(p[off+1])*4+8, end, &inner) })
}

// icmp decodes ICMP (RFC 792) and ICMPv6 (RFC 4443): echoes pair by their
// identifier, errors belong to the conversation that they complain of.
func (d *decoder) icmp(off, end int, e *ends) bool {
	p := d.frame.Data[off:min(end, len(d.frame.Data))]
	d.ICMPType, d.ICMPCode = p[0], p[1]
	d.payload(off, off+8, end, min(end, len(d.frame.Data)))
	if isEcho(e.proto, p[0]) && len(p) >= 6 {
		e.sport = be16(p[4:])
		e.dport = e.sport
	}
	d.tuple(e)
	if isError(e.proto, p[0]) && len(p) > 8 {
		d.complaint(off+8, e)
	}
	return true
}

func isEcho(proto flow.Proto, kind uint8) bool {
	if proto == flow.ICMPv6 {
		return kind == 128 || kind == 129
	}
	switch kind {
	case 0, 8, 13, 14, 15, 16, 17, 18: // echo, timestamp, information, mask
		return true
	}
	return false
}

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
func (d *decoder) complaint(off int, outer *ends) {
	p := d.frame.Data
	var e ends
	switch {
	case len(p) >= off+20 && p[off]>>4 == 4 && p[off]&15 >= 5 && outer.is4:
		e = ends{is4: true, src4: be32(p[off+12:]), dst4: be32(p[off+16:]), proto: flow.Proto(p[off+9])}
		if be16(p[off+6:])&0x1fff != 0 {
			return
		}
		off += int(p[off]&15) * 4
	case len(p) >= off+40 && p[off]>>4 == 6 && !outer.is4:
		e = ends{src6: (*[16]byte)(p[off+8 : off+24]), dst6: (*[16]byte)(p[off+24 : off+40]), proto: flow.Proto(p[off+6])}
		off += 40
	default:
		return
	}
	switch {
	case e.proto.HasPorts():
		if len(p) < off+4 {
			return
		}
		e.sport, e.dport = be16(p[off:]), be16(p[off+2:])
	case (e.proto == flow.ICMP || e.proto == flow.ICMPv6) && len(p) >= off+6 && isEcho(e.proto, p[off]):
		e.sport = be16(p[off+4:])
		e.dport = e.sport
	}
	d.tuple(&e)
	d.Reversed = !d.Reversed
	d.ICMPError = true
}
