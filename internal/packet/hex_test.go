package packet

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// unhex reads hexadecimal digits; what stands behind # is for the reader.
func unhex(text string) []byte {
	var digits strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for word := range strings.FieldsSeq(line) {
			digits.WriteString(word)
		}
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		panic("BUG: " + err.Error() + " in " + text)
	}
	return b
}

// join puts pieces one behind another.
func join(pieces ...[]byte) []byte {
	var b []byte
	for _, p := range pieces {
		b = append(b, p...)
	}
	return b
}

// ether is an Ethernet header with a type.
func ether(kind string) []byte {
	return unhex(`
		02 00 00 00 00 02 # destination
		02 00 00 00 00 01 # source
		` + kind)
}

// v4 is an IPv4 packet from 10.0.0.1 to 10.0.0.2 that says its true length.
func v4(proto uint8, body []byte) []byte {
	p := join(unhex(`
		45 00       # version 4, header of 5 words, no class
		00 00       # total length: below
		12 34       # identification
		00 00       # not a fragment
		40 00 00 00 # TTL 64, protocol: below, checksum: not looked at
		0a 00 00 01 # source 10.0.0.1
		0a 00 00 02 # destination 10.0.0.2`), body)
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	p[9] = proto
	return p
}

// v6 is an IPv6 packet from 2001:db8::1 to 2001:db8::2 that says its true
// length.
func v6(next uint8, body []byte) []byte {
	p := join(unhex(`
		60 00 00 00 # version 6, no class, no label
		00 00       # payload length: below
		00 40       # next header: below, hop limit 64
		20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 # source
		20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 # destination`), body)
	binary.BigEndian.PutUint16(p[4:], uint16(len(body)))
	p[6] = next
	return p
}

// tcp is a SYN from 50000 to 443 with two bytes of payload.
func tcp() []byte {
	return unhex(`
		c3 50 01 bb # from 50000 to 443
		01 02 03 04 # sequence number
		05 06 07 08 # acknowledgment number
		60 02 fa f0 # header of 6 words, SYN, window 64240
		00 00 00 00 # checksum, urgent pointer
		02 04 05 b4 # maximum segment size 1460
		68 69       # payload`)
}

// udp is a datagram between two ports.
func udp(from, to uint16, body []byte) []byte {
	p := join(unhex("00 00 00 00 00 00 00 00 # ports, length, checksum"), body)
	binary.BigEndian.PutUint16(p, from)
	binary.BigEndian.PutUint16(p[2:], to)
	binary.BigEndian.PutUint16(p[4:], uint16(len(p)))
	return p
}

// dns is the smallest datagram that somebody could send to port 53.
func dns() []byte { return udp(50000, 53, []byte("question")) }

// seen decodes a frame and prints what was found in one line.
func seen(t *testing.T, link LinkType, data []byte) string {
	t.Helper()
	return describe(t, &Frame{Data: data, Wire: uint32(len(data)), Link: link})
}

func describe(t *testing.T, f *Frame) string {
	t.Helper()
	var h Headers
	h.Decode(f)
	check(t, f, &h)
	if h.Reason != None {
		return h.Reason.String()
	}
	k := h.Tuple.Key(h.Reversed)
	s := fmt.Sprint(k.Proto, " ", k.ClientAddrPort(), " > ", k.ServerAddrPort())
	if k.VLAN != 0 {
		s += fmt.Sprint(" vlan ", k.VLAN)
	}
	for _, mark := range []struct {
		on   bool
		text string
	}{
		{h.Fragment, " fragment"}, {h.Later, " later"}, {h.ICMPError, " error"}, {h.Tunnelled, " tunnelled"},
	} {
		if mark.on {
			s += mark.text
		}
	}
	return s
}

// check tests what holds of whatever was decoded.
func check(t *testing.T, f *Frame, h *Headers) {
	t.Helper()
	if h.Time != f.Time || h.Iface != f.Iface {
		t.Errorf("time %d, interface %d: want the frame's %d, %d", h.Time, h.Iface, f.Time, f.Iface)
	}
	if h.Reason >= reasons {
		t.Errorf("reason %d does not exist", h.Reason)
	}
	if h.Reason != None {
		if want := (Headers{Time: f.Time, Iface: f.Iface, Reason: h.Reason}); *h != want {
			t.Errorf("undecoded: %+v, want %+v", *h, want)
		}
		return
	}
	if n := uint64(len(f.Data)); uint64(h.PayloadOffset)+uint64(h.PayloadLen) > n || uint64(h.IPOffset)+20 > n {
		t.Errorf("payload at %d+%d, IP at %d: data is %d long", h.PayloadOffset, h.PayloadLen, h.IPOffset, n)
	}
	if h.PayloadLen > h.Segment {
		t.Errorf("payload of %d captured, only %d sent", h.PayloadLen, h.Segment)
	}
	if h.Segment > h.Bytes || h.Bytes < 20 {
		t.Errorf("payload of %d in %d IP bytes", h.Segment, h.Bytes)
	}
	if h.Later && !h.Fragment {
		t.Error("a later fragment that is none")
	}
	w := &h.Tuple
	switch version := w[4] >> 8 & 0xff; {
	case version != 4 && version != 6:
		t.Errorf("tuple of version %d", version)
	case version == 4 && (w[0] > w[1] || w[2]|w[3] != 0),
		version == 6 && slices.Compare(w[:2], w[2:4]) > 0,
		version == 6 && slices.Equal(w[:2], w[2:4]) && w[4]>>48 > w[4]>>32&0xffff:
		t.Errorf("tuple %x is not in order", *w)
	}
}
