package packet

import (
	"encoding/binary"

	"github.com/portolan/portolan/internal/flow"
)

// fast decodes what most frames are: TCP or UDP with a whole header, in IP
// without options, extensions or fragments, on Ethernet with one VLAN tag or
// none. It reports false, having changed nothing, for all else. What it says
// is what the long way would say.
func (h *Headers) fast(f *Frame) bool {
	p := f.Data
	if len(p) < 14+40 {
		return false
	}
	off, vlan, kind := 14, f.VLAN&0xfff, be16(p[12:])
	if kind == 0x8100 {
		off, kind = 18, be16(p[16:])
		if vlan == 0 {
			vlan = be16(p[14:]) & 0xfff
		}
	}
	switch kind {
	case 0x0800:
		return h.fast4(f, off, vlan)
	case 0x86dd:
		return h.fast6(f, off, vlan)
	}
	return false
}

func (h *Headers) fast4(f *Frame, off int, vlan uint16) bool {
	if len(f.Data) < off+40 {
		return false
	}
	ip := (*[40]byte)(f.Data[off:])
	total := uint32(binary.BigEndian.Uint16(ip[2:]))
	if ip[0] != 0x45 || binary.BigEndian.Uint16(ip[6:])&0x3fff != 0 || total < 40 {
		return false
	}
	proto, ports := flow.Proto(ip[9]), binary.BigEndian.Uint32(ip[20:])
	header := fastHeader(proto, ports, ip[32])
	if header == 0 || 20+header > total {
		return false
	}
	addrs := binary.BigEndian.Uint64(ip[12:])
	x, y := addrs>>32<<16|uint64(ports>>16), addrs<<32>>16|uint64(ports&0xffff)
	h.reset(f)
	h.Tuple[0], h.Tuple[1] = min(x, y), max(x, y)
	h.Tuple[4] = uint64(vlan)<<16 | 4<<8 | uint64(proto)
	h.Reversed = x > y
	h.Bytes, h.Segment, h.IPOffset = total, total-20-header, uint32(off)
	h.TTL, h.IPID = ip[8], uint32(binary.BigEndian.Uint16(ip[4:]))
	start := uint32(off) + 20 + header
	end := min(uint32(off)+total, uint32(len(f.Data)))
	h.PayloadOffset = min(start, end)
	h.PayloadLen = end - h.PayloadOffset
	if proto == flow.TCP {
		h.tcp((*[16]byte)(ip[20:]))
	}
	return true
}

func (h *Headers) fast6(f *Frame, off int, vlan uint16) bool {
	if len(f.Data) < off+60 {
		return false
	}
	ip := (*[60]byte)(f.Data[off:])
	payload := uint32(binary.BigEndian.Uint16(ip[4:]))
	if ip[0]>>4 != 6 || payload < 20 {
		return false
	}
	proto, ports := flow.Proto(ip[6]), binary.BigEndian.Uint32(ip[40:])
	header := fastHeader(proto, ports, ip[52])
	if header == 0 || header > payload {
		return false
	}
	h.reset(f)
	h.Reversed = h.Tuple.set6((*[16]byte)(ip[8:]), (*[16]byte)(ip[24:]),
		uint16(ports>>16), uint16(ports), uint64(vlan)<<16|uint64(proto))
	h.Bytes, h.Segment, h.IPOffset = 40+payload, payload-header, uint32(off)
	h.TTL = ip[7]
	start := uint32(off) + 40 + header
	end := min(uint32(off)+40+payload, uint32(len(f.Data)))
	h.PayloadOffset = min(start, end)
	h.PayloadLen = end - h.PayloadOffset
	if proto == flow.TCP {
		h.tcp((*[16]byte)(ip[40:]))
	}
	return true
}

// fastHeader returns the length of a transport header in bytes, 0 if it takes
// the long way. offset is the byte that says it in TCP.
func fastHeader(proto flow.Proto, ports uint32, offset byte) uint32 {
	switch {
	case proto == flow.TCP && offset >= 0x50:
		return uint32(offset>>4) * 4
	case proto == flow.UDP && !isTunnel(uint16(ports)) && !isTunnel(uint16(ports>>16)):
		return 8
	}
	return 0
}

// tcp stores the fields of a TCP header.
func (h *Headers) tcp(p *[16]byte) {
	h.Seq, h.Ack = binary.BigEndian.Uint32(p[4:]), binary.BigEndian.Uint32(p[8:])
	h.TCPFlags, h.Window = p[13], binary.BigEndian.Uint16(p[14:])
}
