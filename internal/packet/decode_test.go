package packet

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
)

const (
	syn    = "tcp 10.0.0.1:50000 > 10.0.0.2:443"
	syn6   = "tcp [2001:db8::1]:50000 > [2001:db8::2]:443"
	asked  = "udp 10.0.0.1:50000 > 10.0.0.2:53"
	asked6 = "udp [2001:db8::1]:50000 > [2001:db8::2]:53"
)

// Every field of a plain packet, by the short way and by the long one.
func TestDecodeFields(t *testing.T) {
	packet := v4(6, tcp())
	want := Headers{
		Tuple: Tuple{0x0a000001c350, 0x0a00000201bb, 0, 0, 4<<8 | 6},
		Time:  7, Iface: 3, Bytes: 46, PayloadOffset: 58, PayloadLen: 2, IPOffset: 14, Segment: 2,
		Seq: 0x01020304, Ack: 0x05060708, Window: 64240, TCPFlags: 2, TTL: 64, IPID: 0x1234,
	}
	tagged, deeper := want, want
	tagged.Tuple[4] |= 5 << 16
	deeper.IPOffset, deeper.PayloadOffset = 18, 62
	deeper.Tuple[4] |= 5 << 16
	padding := make([]byte, 6)
	for _, c := range []struct {
		name string
		in   Frame
		want Headers
	}{
		{"short way", Frame{Data: join(ether("08 00"), packet, padding)}, want},
		{"tag taken off", Frame{Data: join(ether("08 00"), packet, padding), VLAN: 5}, tagged},
		{"tagged", Frame{Data: join(ether("81 00 e0 05 08 00"), packet, padding)}, deeper},
		{"long way", Frame{Data: join(ether("91 00 e0 05 08 00"), packet, padding)}, deeper},
	} {
		c.in.Link, c.in.Time, c.in.Iface, c.in.Wire = LinkEthernet, 7, 3, uint32(len(c.in.Data))
		var got Headers
		got.Decode(&c.in)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
}

func TestDecodeIPv4(t *testing.T) {
	set := func(p []byte, at int, text string) []byte {
		copy(p[at:], unhex(text))
		return p
	}
	for _, c := range []struct {
		name, want string
		in         []byte
	}{
		{"tcp", syn, v4(6, tcp())},
		{"answer", "tcp 10.0.0.2:443 > 10.0.0.1:50000", set(set(v4(6, tcp()), 12, "0a000002 0a000001"), 20, "01bb c350")},
		{"udp", asked, v4(17, dns())},
		{"udp without payload", asked, v4(17, dns()[:8])},
		{"udp-lite", "udplite 10.0.0.1:50000 > 10.0.0.2:53", v4(136, dns())},
		{"sctp", "sctp 10.0.0.1:50000 > 10.0.0.2:53", v4(132, join(dns(), make([]byte, 8)))},
		{"dccp", "dccp 10.0.0.1:50000 > 10.0.0.2:53", v4(33, join(dns(), make([]byte, 8)))},
		{"igmp", "igmp 10.0.0.1:0 > 10.0.0.2:0", v4(2, unhex("11 00 00 00 00 00 00 00"))},
		{"esp", "esp 10.0.0.1:0 > 10.0.0.2:0", v4(50, unhex("00 00 00 01 00 00 00 01"))},
		{"ah", asked, v4(51, join(unhex(`
			11 04 00 00             # UDP follows, 6 words in all
			00 00 00 01 00 00 00 01 # security parameters, sequence number
			00 00 00 00 00 00 00 00 00 00 00 00 # integrity check`), dns()))},
		{"ah without anything", "ah 10.0.0.1:0 > 10.0.0.2:0", v4(51, unhex("11 04 00 00"))},
		{"options", asked, set(join(v4(17, nil), unhex("94 04 00 00 # router alert"), dns()), 0, "46 00 00 28")},
		{"first fragment", asked + " fragment", set(v4(17, dns()), 6, "20 00 # more to come")},
		{"later fragment", "udp 10.0.0.1:0 > 10.0.0.2:0 fragment later", set(v4(17, dns()), 6, "00 10 # offset 128")},
		{"do not fragment", asked, set(v4(17, dns()), 6, "40 00")},
		{"tiny first fragment", syn + " fragment", set(v4(6, tcp()[:8]), 6, "20 00")},
		{"no length", syn, set(v4(6, tcp()), 2, "00 00")},
		{"version 5", "bad IP header", set(v4(6, tcp()), 0, "55")},
		{"header of 4 words", "bad IP header", set(v4(6, tcp()), 0, "44")},
		{"length below header", "bad IP header", set(v4(6, tcp()), 2, "00 13")},
		{"cut header", "cut in the IP header", v4(6, nil)[:19]},
		{"nothing", "cut in the IP header", nil},
		{"length without ports", "bad transport header", set(v4(6, tcp()), 2, "00 17")},
		{"cut before ports", "cut in the transport header", v4(6, tcp())[:23]},
		{"cut behind ports", syn, v4(6, tcp())[:24]},
		{"cut options", "cut in the transport header", set(join(v4(17, nil), unhex("94 04"), dns()), 0, "46 00 00 28")[:22]},
		{"tcp header of 4 words", "bad transport header", v4(6, set(tcp(), 12, "40"))},
		{"tcp header behind the end", "bad transport header", v4(6, set(tcp(), 12, "f0"))},
	} {
		if got := seen(t, LinkRaw, c.in); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if got := seen(t, LinkEthernet, join(ether("08 00"), c.in)); got != c.want {
			t.Errorf("%s on Ethernet: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestDecodeIPv6(t *testing.T) {
	options := unhex("00 00 01 04 00 00 00 00 # next header: below, 8 bytes, padding")
	next := func(kind uint8, header, rest []byte) []byte {
		h := join(header, rest)
		h[0] = kind
		return h
	}
	fragment := func(where string) []byte {
		return unhex("11 00 " + where + " 00 00 00 07 # UDP follows, offset and flags, identification")
	}
	chain := dns()
	for i := range 12 {
		kind := uint8(60)
		if i == 0 {
			kind = 17
		}
		chain = next(kind, options, chain)
	}
	for _, c := range []struct {
		name, want string
		in         []byte
	}{
		{"tcp", syn6, v6(6, tcp())},
		{"udp", asked6, v6(17, dns())},
		{"hop-by-hop, destination", asked6, v6(0, next(60, options, next(17, options, dns())))},
		{"routing", asked6, v6(43, next(17, options, dns()))},
		{"long chain", asked6, v6(60, chain)},
		{"authenticated", asked6, v6(51, join(unhex("11 01 00 00 00 00 00 01 00 00 00 01"), dns()))},
		{"atomic fragment", asked6, v6(44, join(fragment("00 00"), dns()))},
		{"first fragment", asked6 + " fragment", v6(44, join(fragment("00 01"), dns()))},
		{"later fragment", "udp [2001:db8::1]:0 > [2001:db8::2]:0 fragment later", v6(44, join(fragment("00 48"), dns()))},
		{"no next header", "59 [2001:db8::1]:0 > [2001:db8::2]:0", v6(59, nil)},
		{"esp", "esp [2001:db8::1]:0 > [2001:db8::2]:0", v6(50, make([]byte, 8))},
		{"echo", "icmp6 [2001:db8::1]:7 > [2001:db8::2]:7", v6(58, unhex("80 00 00 00 00 07 00 01"))},
		{"cut header", "cut in the IP header", v6(6, nil)[:39]},
		{"cut extension", "cut in the transport header", v6(0, next(17, options, dns()))[:47]},
		{"extension behind the end", "bad transport header", v6(0, options[:7])},
		{"version 7", "bad IP header", join([]byte{0x70}, v6(6, tcp())[1:])},
	} {
		if got := seen(t, LinkRaw, c.in); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if got := seen(t, LinkEthernet, join(ether("86 dd"), c.in)); got != c.want {
			t.Errorf("%s on Ethernet: %s, want %s", c.name, got, c.want)
		}
	}
}

// Bytes come from the IP length, and from the wire where that is zero.
func TestDecodeLengths(t *testing.T) {
	offload4, offload6 := v4(6, tcp()), v6(6, tcp())
	offload4[2], offload4[3], offload6[4], offload6[5] = 0, 0, 0, 0
	for _, c := range []struct {
		name    string
		kind    string
		in      []byte
		cut     int
		wire    uint32
		bytes   uint32
		payload uint32
		segment uint32
	}{
		{"whole", "08 00", v4(6, tcp()), 0, 60, 46, 2, 2},
		{"padded", "08 00", join(v4(6, tcp()), make([]byte, 9)), 0, 69, 46, 2, 2},
		{"cut in the payload", "08 00", v4(6, tcp()), 1, 60, 46, 1, 2},
		{"cut in the TCP header", "08 00", v4(6, tcp()), 10, 60, 46, 0, 2},
		{"offloaded", "08 00", offload4, 0, 70014, 70000, 2, 70000 - 44},
		{"offloaded, wire unknown", "08 00", offload4, 0, 0, 46, 2, 2},
		{"v6 whole", "86 dd", v6(6, tcp()), 0, 80, 66, 2, 2},
		{"v6 padded", "86 dd", join(v6(6, tcp()), make([]byte, 9)), 0, 90, 66, 2, 2},
		{"v6 offloaded", "86 dd", offload6, 0, 70014, 70000, 2, 70000 - 64},
	} {
		f := Frame{Data: join(ether(c.kind), c.in), Wire: c.wire, Link: LinkEthernet}
		f.Data = f.Data[:len(f.Data)-c.cut]
		var h Headers
		h.Decode(&f)
		check(t, &f, &h)
		if h.Reason != None || h.Bytes != c.bytes || h.PayloadLen != c.payload || h.Segment != c.segment {
			t.Errorf("%s: %v, %d bytes, payload %d of %d; want %d, %d of %d",
				c.name, h.Reason, h.Bytes, h.PayloadLen, h.Segment, c.bytes, c.payload, c.segment)
		}
	}
}

func TestDecodeICMP(t *testing.T) {
	quote := func(kind string, packet []byte) []byte { return join(unhex(kind+" 00 00 00 00 00 00"), packet) }
	plain, plain6 := "icmp 10.0.0.1:0 > 10.0.0.2:0", "icmp6 [2001:db8::1]:0 > [2001:db8::2]:0"
	back := "tcp 10.0.0.2:443 > 10.0.0.1:50000 error"
	back6 := "tcp [2001:db8::2]:443 > [2001:db8::1]:50000 error"
	later := v4(6, tcp())
	later[7] = 9
	options := unhex("06 00 01 04 00 00 00 00 # TCP follows, padding")
	for _, c := range []struct {
		name, want string
		in         []byte
	}{
		{"echo", "icmp 10.0.0.1:7 > 10.0.0.2:7", v4(1, unhex("08 00 00 00 00 07 00 01"))},
		{"echo reply", "icmp 10.0.0.1:7 > 10.0.0.2:7", v4(1, unhex("00 00 00 00 00 07 00 01"))},
		{"echo without identifier", "bad transport header", v4(1, unhex("08 00 00 00 00"))},
		{"echo cut", "cut in the transport header", v4(1, unhex("08 00 00 00 00 07"))[:25]},
		{"router advertisement", plain, v4(1, unhex("09 00 00 00 00 07 00 01"))},
		{"unreachable", back, v4(1, quote("03 03", v4(6, tcp()[:8])))},
		{"unreachable, ports alone", back, v4(1, quote("03 03", v4(6, tcp()[:4])))},
		{"unreachable, quote cut", plain, v4(1, quote("03 03", v4(6, tcp()[:3])))},
		{"unreachable, quote without header", plain, v4(1, quote("03 03", v4(6, tcp())[:19]))},
		{"unreachable, quote of a later fragment", plain, v4(1, quote("03 03", later))},
		{"unreachable without a quote", plain, v4(1, quote("03 03", nil))},
		{"expired echo", "icmp 10.0.0.2:7 > 10.0.0.1:7 error", v4(1, quote("0b 00", v4(1, unhex("08 00 00 00 00 07 00 01"))))},
		{"expired echo, quote cut", plain, v4(1, quote("0b 00", v4(1, unhex("08 00 00 00 00"))))},
		{"expired esp", "esp 10.0.0.2:0 > 10.0.0.1:0 error", v4(1, quote("0b 00", v4(50, make([]byte, 8))))},
		{"v6 unreachable", back6, v6(58, quote("01 04", v6(6, tcp()[:8])))},
		{"v6 too big, extension", back6, v6(58, quote("02 00", v6(60, join(options, tcp()))))},
		{"v6 quote cut", plain6, v6(58, quote("03 00", v6(6, tcp()[:3])))},
		{"v6 quotes v4", plain6, v6(58, quote("01 04", v4(6, tcp())))},
		{"neighbour solicitation", plain6, v6(58, unhex("87 00 00 00 00 00 00 00"))},
	} {
		if got := seen(t, LinkRaw, c.in); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	var h Headers
	h.Decode(&Frame{Data: v4(1, quote("03 0d", v4(6, tcp()))), Link: LinkRaw})
	if h.ICMPType != 3 || h.ICMPCode != 13 || h.Proto() != flow.TCP || h.TCPFlags != 0 || h.Bytes != 74 {
		t.Errorf("unreachable: type %d, code %d, %v, flags %#x, %d bytes", h.ICMPType, h.ICMPCode, h.Proto(), h.TCPFlags, h.Bytes)
	}
}

func TestReasonString(t *testing.T) {
	texts := make(map[string]bool)
	for r := range Reason(NumReasons + 1) {
		if s := r.String(); s == "" || texts[s] {
			t.Errorf("reason %d: text %q", r, s)
		} else {
			texts[s] = true
		}
	}
}
