package packet

import "github.com/portolan/portolan/internal/flow"

// transport decodes what IP carries from off on.
func (d *decoder) transport(off int, e *ends) bool {
	d.payload(off)
	if d.Later {
		d.tuple(e)
		return true
	}
	switch e.proto {
	case flow.TCP, flow.UDP, flow.UDPLite, flow.SCTP, flow.DCCP:
		return d.ports(off, e)
	case flow.ICMP, flow.ICMPv6:
		return d.icmp(off, e)
	case flow.AH:
		return d.authenticated(off, e)
	}
	d.tuple(e)
	return d.carried(off, e)
}

// ports decodes the protocols that tell conversations apart by ports.
func (d *decoder) ports(off int, e *ends) bool {
	if !d.need(off, 4) {
		return false
	}
	p := d.data[off:]
	e.sport, e.dport = be16(p), be16(p[2:])
	header := 8
	switch e.proto {
	case flow.TCP: // RFC 9293
		if header = 20; len(p) >= 16 {
			header = int(p[12]>>4) * 4
			if header < 20 || off+header > d.end && !d.Fragment {
				return d.fail(BadTransport)
			}
			d.tcp((*[16]byte)(p))
		}
	case flow.SCTP: // RFC 9260
		header = 12
	case flow.DCCP: // RFC 4340
		if header = 12; len(p) >= 5 {
			header = max(header, int(p[4])*4)
		}
	}
	d.tuple(e)
	d.payload(off + header)
	if e.proto == flow.UDP {
		return d.carriedByUDP(off+8, e)
	}
	return true
}

// need reports whether n bytes of what IP carries are there from off on.
func (d *decoder) need(off, n int) bool {
	if d.end < off+n {
		return d.fail(BadTransport)
	}
	return len(d.data) >= off+n || d.fail(CutTransport)
}

// payload stores that the payload begins at start and ends with the packet.
func (d *decoder) payload(start int) {
	d.Segment = uint32(max(d.end-start, 0))
	start = min(start, len(d.data))
	d.PayloadOffset, d.PayloadLen = uint32(start), uint32(len(d.data)-start)
}

// authenticated looks behind an authentication header (RFC 4302), which hides
// nothing. If what is behind does not decode, the conversation is one of AH.
func (d *decoder) authenticated(off int, e *ends) bool {
	outer := *d.Headers
	if p := d.data; len(p) >= off+8 && d.enter() {
		behind := *e
		behind.proto = flow.Proto(p[off])
		if behind.proto != flow.AH && d.transport(off+8+int(p[off+1])*4, &behind) {
			return true
		}
	}
	*d.Headers = outer
	d.tuple(e)
	return true
}
