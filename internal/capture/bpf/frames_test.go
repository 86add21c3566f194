package bpf

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/portolan/portolan/internal/capture"
	"github.com/portolan/portolan/internal/packet"
)

// ipv4 makes a packet with the given protocol and first bytes of payload;
// words counts the header in 4 bytes.
func ipv4(src, dst uint32, proto byte, words int, fragment uint16, payload ...byte) []byte {
	p := make([]byte, words*4, words*4+len(payload))
	p[0], p[8], p[9] = 0x40|byte(words), 64, proto
	binary.BigEndian.PutUint16(p[2:], uint16(words*4+len(payload)))
	binary.BigEndian.PutUint16(p[6:], fragment)
	binary.BigEndian.PutUint32(p[12:], src)
	binary.BigEndian.PutUint32(p[16:], dst)
	return append(p, payload...)
}

func ipv6(src, dst, proto byte, payload ...byte) []byte {
	p := make([]byte, 40, 40+len(payload))
	p[0], p[6], p[7] = 0x60, proto, 64
	binary.BigEndian.PutUint16(p[4:], uint16(len(payload)))
	p[8], p[9], p[23] = 0xfd, 1, src
	p[24], p[25], p[39] = 0xfd, 2, dst
	return append(p, payload...)
}

// ports makes a transport header that is long enough for each.
func ports(src, dst uint16, flags byte) []byte {
	p := make([]byte, 40)
	binary.BigEndian.PutUint16(p, src)
	binary.BigEndian.PutUint16(p[2:], dst)
	p[4], p[5], p[12], p[13] = 0, 40, 0x50, flags
	return p
}

// frames returns Ethernet frames of many kinds, some of them cut.
func frames() [][]byte {
	type part struct {
		kind uint16
		data []byte
	}
	var parts []part
	for _, words := range []int{5, 8} {
		for _, proto := range []byte{6, 17, 132} {
			for _, port := range []uint16{22, 53, 80, 443, 8080} {
				flags := []byte{2, 0x12, 0x10, 0x11, 4}[port%5]
				parts = append(parts,
					part{0x0800, ipv4(0x0a000001, 0xc0a80a02, proto, words, 0, ports(40000, port, flags)...)},
					part{0x0800, ipv4(0xc0a80a02, 0x0a010001, proto, words, 0x4000, ports(port, 40000, flags)...)},
					part{0x86dd, ipv6(1, 2, proto, ports(port, 50000, flags)...)},
					part{0x86dd, ipv6(2, 9, proto, ports(50000, port, flags)...)})
			}
		}
	}
	for _, proto := range []byte{1, 2, 47, 50, 51, 58, 89, 103, 112, 4, 41} {
		parts = append(parts, part{0x0800, ipv4(0x0a000001, 0xe0000005, proto, 5, 0, 8, 0, 1, 2, 0, 1, 0, 2)},
			part{0x86dd, ipv6(1, 2, proto, 128, 0, 1, 2, 0, 1, 0, 2)})
	}
	// Fragments, extension headers, broadcast.
	parts = append(parts,
		part{0x0800, ipv4(1, 2, 17, 5, 0x2000, ports(53, 53, 0)...)},
		part{0x0800, ipv4(1, 2, 17, 5, 0x00b9, ports(53, 53, 0)...)},
		part{0x86dd, ipv6(1, 2, 44, append([]byte{17, 0, 0, 1, 0, 0, 0, 9}, ports(53, 53, 0)...)...)},
		part{0x86dd, ipv6(1, 2, 0, append([]byte{6, 0, 1, 4, 0, 0, 0, 0}, ports(53, 80, 2)...)...)},
		part{0x0800, ipv4(1, 0xffffffff, 17, 5, 0, ports(68, 67, 0)...)},
		part{0x0806, []byte{0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 192, 168, 10, 2}},
		part{0x8035, make([]byte, 28)}, part{0x88cc, make([]byte, 40)}, part{0x8137, make([]byte, 40)},
		part{38, append([]byte{0x42, 0x42, 3}, make([]byte, 35)...)}, part{46, append([]byte{0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, ipv4(1, 2, 6, 5, 0, ports(1, 80, 2)...)...)},
		part{0x8847, append([]byte{0, 1, 0x01, 64}, ipv4(1, 2, 6, 5, 0, ports(1, 80, 2)...)...)},
		part{0x8864, append([]byte{0x11, 0, 0, 7, 0, 60, 0, 0x21}, ipv4(1, 2, 6, 5, 0, ports(1, 80, 2)...)...)},
		part{0x8863, append([]byte{0x11, 9, 0, 0, 0, 0}, make([]byte, 40)...)},
	)
	var out [][]byte
	for i, p := range parts {
		dst := []byte{2, 0, 0, 0, 0, byte(2 + i%2)}
		switch i % 7 {
		case 0:
			dst = []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		case 1:
			dst = []byte{1, 0, 0x5e, 0, 0, 5}
		}
		macs := append(dst, 2, 0, 0, 0, 0, 1)
		for _, tags := range [][]uint16{nil, {0x8100, 10}, {0x8100, 0x6014}, {0x88a8, 100, 0x8100, 10}, {0x9100, 7}} {
			f := slices.Clone(macs)
			for _, t := range tags {
				f = binary.BigEndian.AppendUint16(f, t)
			}
			f = binary.BigEndian.AppendUint16(f, p.kind)
			f = append(f, p.data...)
			out = append(out, f)
			if tags == nil && i%11 == 0 {
				out = append(out, f[:12], f[:14], f[:min(len(f), 20+i%30)])
			}
		}
	}
	return out
}

// captured returns the frames of the captures that ship with the project.
func captured(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for _, path := range []string{"home.pcapng", "vlan.pcapng"} {
		f, err := capture.Open("../../../testdata/lab/" + path)
		if err != nil {
			t.Fatal(err)
		}
		batch := make([]packet.Frame, 1)
		for len(out) < 400 {
			if n, _ := f.ReadBatch(batch); n == 0 {
				break
			}
			if len(batch[0].Data) == int(batch[0].Wire) && batch[0].Link == packet.LinkEthernet {
				out = append(out, slices.Clone(batch[0].Data))
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// expressions returns some hundreds of them.
func expressions() []string {
	var out []string
	for _, dir := range []string{"", "src ", "dst ", "src or dst ", "src and dst "} {
		for _, what := range []string{"host 10.0.0.1", "host 192.168.10.2", "net 10.0.0.0/8", "net 192.168.10.0 mask 255.255.255.0", "net 10",
			"host fd01::1", "net fd01::/16", "port 53", "port 443", "portrange 20-100", "portrange 8080-9000"} {
			out = append(out, dir+what)
		}
	}
	for _, proto := range []string{"tcp", "udp", "sctp", "ip", "ip6"} {
		out = append(out, proto, "not "+proto)
		for _, what := range []string{"port 53", "src port 22", "dst portrange 400-500"} {
			if proto != "ip" && proto != "ip6" {
				out = append(out, proto+" "+what, "ip6 and "+proto+" "+what, "ip and "+proto+" "+what)
			}
		}
	}
	out = append(out,
		"arp", "rarp", "icmp", "icmp6", "igmp", "igrp", "pim", "ah", "esp", "vrrp", "stp", "ipx", "llc", "atalk", "aarp", "iso", "netbeui",
		"arp host 10.0.0.1", "arp src host 192.168.10.2", "arp net 10.0.0.0/8",
		"ether host 02:00:00:00:00:01", "ether src 02:00:00:00:00:01", "ether dst 02:00:00:00:00:03", "ether broadcast", "ether multicast", "broadcast", "multicast",
		"ip multicast", "ip6 multicast", "ether proto 0x88cc", "ether proto \\ip", "ether proto \\arp", "ip proto 17", "ip proto \\tcp", "ip6 proto 6", "proto 132", "proto \\udp",
		"less 60", "greater 80", "len > 70 and len < 100", "len = 74", "ip[0] & 0xf != 5", "ip[6:2] & 0x1fff != 0", "ip[6] & 0x20 != 0", "ip[8] < 65", "ip[2:2] > 70",
		"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[tcpflags] & tcp-syn != 0 and not tcp[tcpflags] & tcp-ack != 0", "tcp[13] = 18", "tcp[0:2] = 443 or tcp[2:2] = 443",
		"(tcp[12:1] & 0xf0) >> 2 = 20", "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)", "udp[4:2] = 40", "udp[0:2] > udp[2:2]",
		"icmp[icmptype] = icmp-echo", "icmp[0] = 8", "icmp6[icmp6type] = icmp6-echo", "icmp6[0] = 128", "ip6[6] = 44", "ip6[40] = 17", "ip6 protochain 17", "ip6 protochain \\tcp", "protochain 6", "ip protochain 17",
		"ether[0] & 1 = 0 and ip[16] >= 224", "ether[12:2] = 0x800", "ether[14] = 0x45", "ether[14:2] & 0xfff = 10", "ether[16:2] = 0x800", "ether[10:4] = 0x10800", "ether[13:2] = 7", "ether[14:4] > 655360",
		"ether[12:4] = 0x8100000a", "ether[len - 1] = 0", "ether[ip[0] & 0xf] != 0", "ip[ip[0] & 0xf] = 64", "ether[6:4] = 0x2000000", "ether[11] = 1", "ether[15] = 20", "tcp[0] * 2 + 3 > 10", "1 = 1", "1 = 2", "ip[0] / (ip[8] - 64) = 1", "ip[0] % (ip[8] - 60) = 1", "ip[0] % 7 = 6", "ip[0] ^ 0x45 = 0", "-ip[0] < 5",
		"host 10.0.0.1 and (port 53 or port 80)", "not (host 10.0.0.1 or arp)", "tcp and not port 22 and not port 443", "(tcp or udp) and dst net 192.168.0.0/16", "src net 10.0.0.0/8 and dst net 192.168.0.0/16", "ip host 10.0.0.1 && tcp || udp", "!tcp and !udp",
		"vlan", "not vlan", "vlan 10", "vlan 20", "vlan 100", "vlan 7", "vlan 4095", "vlan and tcp", "vlan 10 and port 53", "vlan 10 and ip6", "vlan 20 and host 10.0.0.1", "vlan 100 and vlan 10", "vlan 100 and vlan 10 and tcp port 80", "vlan and vlan", "vlan and not vlan 10",
		"port 53 and not vlan", "port 53 or (vlan and port 53)", "(vlan and tcp) or tcp", "vlan or arp", "tcp and ether[12:2] != 0x8100 or vlan 10", "vlan and len > 80", "vlan and greater 90", "vlan and tcp[13] & 2 != 0", "vlan and (host 10.0.0.1 or host fd01::1)", "vlan and ether host 02:00:00:00:00:01", "vlan and icmp6", "vlan and arp", "vlan and ip[0] & 0xf = 8 and udp port 53", "vlan and ether multicast", "not vlan 10 and not vlan 20",
		"vlan and ether[len - 1] = 0", "vlan and net 10.0.0.0/8 and portrange 20-100",
		"mpls", "mpls 16", "pppoed", "pppoes", "pppoes 7", "pppoes and tcp port 80", "mpls and tcp", "geneve", "vlan and mpls",
	)
	for at := range 20 {
		for _, size := range []int{1, 2, 4} {
			out = append(out, fmt.Sprintf("vlan and ether[%d:%d] > %d", at, size, at*7), fmt.Sprintf("ether[%d:%d] & 0x55 = 0 and not vlan", at, size))
		}
	}
	return out
}
