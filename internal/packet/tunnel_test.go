package packet

import (
	"strings"
	"testing"
)

func TestDecodeTunnel(t *testing.T) {
	const (
		address = "02 00 00 00 00 01 02 00 00 00 00 02"
		in4     = syn + " tunnelled"
		in6     = syn6 + " tunnelled"
		outer   = "10.0.0.1:0 > 10.0.0.2:0"
	)
	p4, p6 := v4(6, tcp()), v6(6, tcp())
	on := func(header string, rest []byte) []byte { return join(unhex(header), rest) }
	frame := on(address+"08 00", p4)
	over := func(port uint16, body []byte) []byte { return v4(17, udp(40000, port, body)) }
	for _, c := range []struct {
		name, want string
		in         []byte
	}{
		{"IP in IP", in4, v4(4, p4)},
		{"6in4", in6, v4(41, p6)},
		{"4in6", in4, v6(4, p4)},
		{"6in6", in6, v6(41, p6)},
		{"IP in IP, but none", "4 " + outer, v4(4, unhex("00 01 02 03 04 05 06 07 08 09"))},
		{"IP in IP, ports cut", "4 " + outer, v4(4, p4)[:42]},
		{"EtherIP", in4, v4(97, on("30 00", frame))},
		{"MPLS in IP", in4, v4(137, on("00 02 01 40", p4))},

		{"GRE", in4, v4(47, on("00 00 08 00", p4))},
		{"GRE, v6", in6, v4(47, on("00 00 86 dd", p6))},
		{"GRE, checksum", in4, v4(47, on("80 00 08 00 12 34 00 00", p4))},
		{"GRE, checksum, key, sequence", in4, v4(47, on("b0 00 08 00 12 34 00 00 00 00 00 07 00 00 00 01", p4))},
		{"GRE, source routes", in4, v4(47, on("40 00 08 00 00 00 00 00 08 00 00 04 0a 00 00 03 00 00 00 00", p4))},
		{"GRE, routes cut", "gre " + outer, v4(47, on("40 00 08 00 00 00 00 00 08 00 00 ff", nil))},
		{"GRE, bridged", in4, v4(47, on("20 00 65 58 00 00 07 00", frame))},
		{"GRE, PPTP", in4, v4(47, on("30 81 88 0b 00 30 00 01 00 00 00 01 00 00 00 01 00 21", p4))},
		{"GRE, WCCP", in4, v4(47, on("00 00 88 3e 00 00 00 00", p4))},
		{"GRE, keepalive", "gre " + outer, v4(47, on("00 00 00 00", nil))},
		{"GRE, cut", "gre " + outer, v4(47, on("00 00 08", nil))},
		{"ERSPAN I", in4, v4(47, on("00 00 88 be", frame))},
		{"ERSPAN II", in4, v4(47, on("10 00 88 be 00 00 00 01 10 05 00 01 00 00 00 00", frame))},
		{"ERSPAN III", in4, v4(47, on("10 00 22 eb 00 00 00 01 20 05 00 01 00 00 00 00 00 00 00 00", frame))},
		{"ERSPAN III, platform", in4, v4(47, on("10 00 22 eb 00 00 00 01 20 05 00 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00", frame))},

		{"VXLAN", in4, over(4789, on("08 00 00 00 00 00 07 00", frame))},
		{"VXLAN of old Linux", in4, over(8472, on("08 00 00 00 00 00 07 00", frame))},
		{"VXLAN over v6", in4, v6(17, udp(40000, 4789, on("08 00 00 00 00 00 07 00", frame)))},
		{"VXLAN with a tag", syn + " vlan 5 tunnelled", over(4789, on("08 00 00 00 00 00 07 00"+address+"81 00 00 05 08 00", p4))},
		{"VXLAN, arp", "udp 10.0.0.1:40000 > 10.0.0.2:4789", over(4789, on("08 00 00 00 00 00 07 00"+address+"08 06", make([]byte, 28)))},
		{"VXLAN's port as the source", "udp 10.0.0.1:4789 > 10.0.0.2:53", v4(17, udp(4789, 53, on("08 00 00 00 00 00 07 00", frame)))},
		{"no VXLAN", "udp 10.0.0.1:40000 > 10.0.0.2:4789", over(4789, on("00 00 00 00 00 00 07 00", frame))},
		{"Geneve", in4, over(6081, on("02 00 65 58 00 00 07 00 01 02 03 01 00 00 00 00", frame))},
		{"Geneve, IP", in6, over(6081, on("00 00 86 dd 00 00 07 00", p6))},
		{"MPLS in UDP", in4, over(6635, on("00 02 01 40", p4))},
		{"GTP-U", in4, over(2152, on("30 ff 00 2e 00 00 00 07", p4))},
		{"GTP-U, sequence", in4, over(2152, on("32 ff 00 32 00 00 00 07 00 01 00 00", p4))},
		{"GTP-U, extensions", in6, over(2152, on("34 ff 00 52 00 00 00 07 00 00 00 85 01 10 00 85 01 10 00 00", p6))},
		{"GTP-U, extension without length", "udp 10.0.0.1:40000 > 10.0.0.2:2152", over(2152, on("34 ff 00 52 00 00 00 07 00 00 00 85 00 10 00 85", p6))},
		{"GTP-U, echo", "udp 10.0.0.1:40000 > 10.0.0.2:2152", over(2152, on("32 01 00 04 00 00 00 00 00 01 00 00", nil))},
		{"Teredo", in6, over(3544, p6)},
		{"Teredo, indications", in6, over(3544, on("00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 12 34 56 78 9a bc", p6))},
		{"Teredo, from the server", in6, v4(17, udp(3544, 40000, p6))},
		{"L2TP", in4, over(1701, on("00 02 00 01 00 02 00 21", p4))},
		{"L2TP, all fields", in4, over(1701, on("4a 02 00 40 00 01 00 02 00 01 00 01 00 02 00 00 ff 03 00 21", p4))},
		{"L2TP, control", "udp 10.0.0.1:40000 > 10.0.0.2:1701", over(1701, on("c8 02 00 0c 00 01 00 00 00 00 00 00", nil))},

		{"VXLAN in GRE in IP", in6, v4(4, v4(47, on("00 00 08 00", over(4789, on("08 00 00 00 00 00 07 00"+address+"86 dd", p6)))))},
		{"error about a packet in a tunnel", "tcp 10.0.0.2:443 > 10.0.0.1:50000 error tunnelled", v4(4, v4(1, on("03 03 00 00 00 00 00 00", p4)))},
	} {
		if got := seen(t, LinkRaw, c.in); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		for n := range c.in {
			got := seen(t, LinkRaw, c.in[:n:n])
			if strings.HasPrefix(got, "tcp") && got != c.want {
				t.Errorf("%s, cut at %d: %s, want %s or the outer packet", c.name, n, got, c.want)
			}
		}
	}
}

// However deep the tunnels are, the frame counts: as the innermost packet that
// is looked at.
func TestDecodeTunnelDepth(t *testing.T) {
	p := v4(6, tcp())
	for depth := 1; depth < 3*maxHeaders; depth++ {
		p = v4(4, p)
		want := syn + " tunnelled"
		if depth >= maxHeaders {
			want = "4 10.0.0.1:0 > 10.0.0.2:0 tunnelled"
		}
		if got := seen(t, LinkRaw, p); got != want {
			t.Fatalf("%d tunnels: %s, want %s", depth, got, want)
		}
	}
}

// The first fragment of a tunnel's packet does not count what the others carry.
func TestDecodeTunnelFragment(t *testing.T) {
	p := v4(4, v4(6, join(tcp(), make([]byte, 2000)))[:1400])
	p[6] = 0x20
	f := Frame{Data: p, Wire: uint32(len(p)), Link: LinkRaw}
	var h Headers
	h.Decode(&f)
	check(t, &f, &h)
	if !h.Tunnelled || h.Bytes != 1400 {
		t.Errorf("tunnelled %v, %d bytes, want 1400", h.Tunnelled, h.Bytes)
	}
}
