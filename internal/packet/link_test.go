package packet

import "testing"

func TestDecodeLink(t *testing.T) {
	const (
		snap    = "aa aa 03 00 00 00 08 00 # SNAP, IPv4"
		snap6   = "aa aa 03 00 00 00 86 dd # SNAP, IPv6"
		address = "02 00 00 00 00 01 02 00 00 00 00 02"
	)
	p4, p6 := v4(6, tcp()), v6(6, tcp())
	on := func(header string, rest []byte) []byte { return join(unhex(header), rest) }
	wireless := func(control, tail string) string {
		return control + " 00 00 # frame control, duration\n" +
			address + " 02 00 00 00 00 03 00 00 # three addresses, sequence\n" + tail
	}
	zeros := func(n int) string {
		s := ""
		for range n {
			s += "00"
		}
		return s + "\n"
	}
	for _, c := range []struct {
		name, want string
		link       LinkType
		in         []byte
	}{
		{"802.3 with LLC and SNAP", syn, LinkEthernet, on(address+"00 36"+snap, p4)},
		{"802.3 with IP's own LLC", syn, LinkEthernet, on(address+"00 31 06 06 03", p4)},
		{"802.3 with spanning tree", "not IP", LinkEthernet, on(address+"00 26 42 42 03", make([]byte, 35))},
		{"arp", "not IP", LinkEthernet, on(address+"08 06", make([]byte, 28))},
		{"cut", "cut in the link header", LinkEthernet, unhex(address + "08")},
		{"vlan", syn + " vlan 5", LinkEthernet, on(address+"81 00 60 05 08 00", p4)},
		{"priority alone", syn, LinkEthernet, on(address+"81 00 60 00 08 00", p4)},
		{"vlan with LLC", syn + " vlan 5", LinkEthernet, on(address+"81 00 00 05 00 36"+snap, p4)},
		{"vlan cut", "cut in the link header", LinkEthernet, unhex(address + "81 00 60")},
		{"QinQ", syn6 + " vlan 100", LinkEthernet, on(address+"88 a8 00 64 81 00 00 05 86 dd", p6)},
		{"three tags", syn + " vlan 1", LinkEthernet, on(address+"91 00 00 01 81 00 00 02 81 00 00 03 08 00", p4)},
		{"mpls", syn, LinkEthernet, on(address+"88 47 00 01 00 40 00 02 01 40", p4)},
		{"mpls, v6", syn6, LinkEthernet, on(address+"88 48 00 02 01 40", p6)},
		{"pseudowire with control word", syn, LinkEthernet, on(address+"88 47 00 02 01 40 00 00 00 00"+address+"08 00", p4)},
		{"pseudowire without", syn, LinkEthernet, on(address+"88 47 00 02 01 40"+address+"08 00", p4)},
		{"mpls cut", "cut in the link header", LinkEthernet, unhex(address + "88 47 00 02 01")},
		{"mpls with nothing", "cut in the link header", LinkEthernet, unhex(address + "88 47 00 02 01 40")},
		{"pppoe", syn, LinkEthernet, on(address+"88 64 11 00 00 01 00 30 00 21", p4)},
		{"pppoe, v6", syn6, LinkEthernet, on(address+"88 64 11 00 00 01 00 44 00 57", p6)},
		{"pppoe, link control", "not IP", LinkEthernet, unhex(address + "88 64 11 00 00 01 00 06 c0 21 09 00 00 04")},
		{"pppoe discovery", "not IP", LinkEthernet, on(address+"88 63 11 09 00 00 00 00", make([]byte, 40))},
		{"macsec in the clear", syn, LinkEthernet, on(address+"88 e5 20 00 00 00 00 01 02 00 00 00 00 01 00 01 08 00", p4)},
		{"macsec encrypted", "not IP", LinkEthernet, on(address+"88 e5 2c 00 00 00 00 01 02 00 00 00 00 01 00 01 08 00", p4)},
		{"backbone bridge", syn + " vlan 5", LinkEthernet, on(address+"88 a8 00 05 88 e7 00 00 00 01"+address+"08 00", p4)},
		{"service chain", syn, LinkEthernet, on(address+"89 4f 0f c6 01 01 00 00 01 ff"+zeros(16), p4)},
		{"service chain, Ethernet", syn, LinkEthernet, on(address+"89 4f 0f c2 02 03 00 00 01 ff"+address+"08 00", p4)},
		{"too many labels", "nested too deep", LinkEthernet, on(address+"88 47", make([]byte, 4*maxHeaders))},

		{"null, little endian", syn, LinkNull, on("02 00 00 00", p4)},
		{"null, big endian", syn, LinkNull, on("00 00 00 02", p4)},
		{"null, v6 of macOS", syn6, LinkNull, on("1e 00 00 00", p6)},
		{"null, other family", "not IP", LinkNull, on("07 00 00 00", p4)},
		{"loop, v6 of OpenBSD", syn6, LinkLoop, on("00 00 00 18", p6)},
		{"raw of BSD", syn, LinkRawBSD, p4},
		{"raw of OpenBSD", syn6, LinkRawOpenBSD, p6},
		{"v4", syn, LinkIPv4, p4},
		{"v4 is v6", "bad IP header", LinkIPv4, p6},
		{"v6", syn6, LinkIPv6, p6},
		{"slip", syn, LinkSLIP, on(zeros(16), p4)},
		{"enc", syn, LinkEnc, on(zeros(12), p4)},
		{"pflog", syn, LinkPFLog, on("3d 02 00 00"+zeros(60), p4)},

		{"cooked", syn, LinkSLL, on("00 00 00 01 00 06"+zeros(8)+"08 00", p4)},
		{"cooked, vlan", syn + " vlan 5", LinkSLL, on("00 00 00 01 00 06"+zeros(8)+"81 00 00 05 08 00", p4)},
		{"cooked, LLC", syn, LinkSLL, on("00 00 00 01 00 06"+zeros(8)+"00 04"+snap, p4)},
		{"cooked, netlink", "not IP", LinkSLL, on("00 04 03 38 00 00"+zeros(8)+"08 00", p4)},
		{"cooked, CAN", "not IP", LinkSLL, on("00 04 01 18 00 00"+zeros(8)+"00 0c", make([]byte, 16))},
		{"cooked cut", "cut in the link header", LinkSLL, unhex(zeros(15))},
		{"cooked 2", syn6, LinkSLL2, on("86 dd 00 00 00 00 00 01 00 01 00 06"+zeros(8), p6)},
		{"cooked 2 cut", "cut in the link header", LinkSLL2, unhex(zeros(19))},

		{"ppp", syn, LinkPPP, on("00 21", p4)},
		{"ppp with address", syn6, LinkPPP, on("ff 03 00 57", p6)},
		{"ppp, compressed field", syn, LinkPPP, on("21", p4)},
		{"ppp, mpls", syn, LinkPPP, on("02 81 00 02 01 40", p4)},
		{"ppp, compressed headers", "not IP", LinkPPP, on("00 2d", p4)},
		{"ppp cut", "cut in the link header", LinkPPP, unhex("ff 03 00")},
		{"ppp of a serial line", syn, LinkPPPSerial, on("ff 03 00 21", p4)},
		{"chdlc under ppp's number", syn, LinkPPPSerial, on("0f 00 08 00", p4)},
		{"ppp with direction", syn, LinkPPPWithDir, on("01 ff 03 00 21", p4)},
		{"pppd with direction", syn, LinkPPPDir, on("01 03 00 21", p4)},
		{"pppoe alone", syn, LinkPPPoE, on("11 00 00 01 00 30 00 21", p4)},
		{"chdlc", syn, LinkCHDLC, on("0f 00 08 00", p4)},
		{"chdlc, keepalive", "not IP", LinkCHDLC, on("8f 00 80 35", make([]byte, 20))},
		{"frame relay", syn, LinkFrameRelay, on("18 41 03 cc", p4)},
		{"frame relay, v6", syn6, LinkFrameRelay, on("18 41 03 8e", p6)},
		{"frame relay, SNAP", syn, LinkFrameRelay, on("18 41 03 00 80 00 00 00 08 00", p4)},
		{"frame relay of Cisco", syn6, LinkFrameRelay, on("18 41 86 dd", p6)},
		{"frame relay, long address", syn, LinkFrameRelay, on("18 40 02 01 03 cc", p4)},

		{"atm", syn, LinkATM, on(snap, p4)},
		{"atm, bridged", syn, LinkATM, on("aa aa 03 00 80 c2 00 07 00 00"+address+"08 00", p4)},
		{"atm, NLPID", syn, LinkATM, on("fe fe 03 cc", p4)},
		{"fibre channel", syn, LinkIPFC, on(zeros(16)+snap, p4)},
		{"fddi", syn6, LinkFDDI, on("50"+address+snap6, p6)},
		{"token ring", syn, LinkTokenRing, on("10 40"+address+snap, p4)},
		{"token ring, routed", syn, LinkTokenRing, on("10 40 02 00 00 00 00 01 82 00 00 00 00 02 06 30 00 11 00 20"+snap, p4)},
		{"arcnet", syn, LinkARCNET, on("01 02 00 00 f0", p4)},
		{"arcnet, RFC 1201", syn, LinkARCNET, on("01 02 00 00 d4 00 00 01", p4)},
		{"infiniband", syn, LinkIPoIB, on(zeros(40)+"08 00 00 00", p4)},

		{"802.11", syn, Link80211, on(wireless("08 01", snap), p4)},
		{"802.11, quality of service", syn, Link80211, on(wireless("88 01", "00 00"+snap), p4)},
		{"802.11, four addresses", syn, Link80211, on(wireless("08 03", address[:17]+snap), p4)},
		{"802.11, HT control", syn, Link80211, on(wireless("88 81", "00 00 00 00 00 00"+snap), p4)},
		{"802.11, aggregate", syn, Link80211, on(wireless("88 01", "80 00"+address+"00 36"+snap), p4)},
		{"802.11, protected", "not IP", Link80211, on(wireless("08 41", snap), p4)},
		{"802.11, beacon", "not IP", Link80211, on(wireless("80 00", ""), make([]byte, 40))},
		{"802.11, no data", "not IP", Link80211, on(wireless("48 01", ""), nil)},
		{"radiotap", syn, LinkRadiotap, on("00 00 08 00 00 00 00 00"+wireless("08 01", snap), p4)},
		{"radiotap, padded", syn, LinkRadiotap, on("00 00 14 00 03 00 00 80 00 00 00 00"+
			"00 00 00 00 00 00 00 00 # clock, at 16 once aligned\n"+wireless("88 01", "00 00"+snap), p4)},
		{"prism", syn, LinkPrism, on("44 00 00 00 90 00 00 00"+zeros(136)+wireless("08 01", snap), p4)},
		{"avs", syn, LinkAVS, on("80 21 10 01 00 00 00 40"+zeros(56)+wireless("08 01", snap), p4)},
		{"ppi", syn, LinkPPI, on("00 00 08 00 01 00 00 00"+address+"08 00", p4)},
		{"ppi in ppi in ppi", "nested too deep", LinkPPI, on("00 00 00 00 c0 00 00 00", nil)},
		{"pktap", syn, LinkPKTAP, on("0c 00 00 00 01 00 00 00 01 00 00 00"+address+"08 00", p4)},

		{"nflog", syn, LinkNFLog, on("02 00 00 01 05 00 0a 00 00 00 00 00 32 00 09 00", p4)},
		{"nflog without a packet", "not IP", LinkNFLog, on("02 00 00 01 05 00 0a 00 00 00 00 00", nil)},
		{"nflog, no length", "cut in the link header", LinkNFLog, on("02 00 00 01 00 00 09 00", p4)},
		{"broadcom tag", syn, LinkDSABrcm, on(address+"00 00 00 01 08 00", p4)},
		{"broadcom tag in front", syn, LinkDSABrcmPre, on("00 00 00 01"+address+"08 00", p4)},
		{"marvell tag", syn, LinkDSA, on(address+"c0 08 00 00 08 00", p4)},
		{"marvell tag with vlan", syn + " vlan 5", LinkDSA, on(address+"e0 08 00 05 08 00", p4)},
		{"marvell tag with type", syn + " vlan 5", LinkEDSA, on(address+"da da 00 00 e0 08 00 05 08 00", p4)},
		{"junos", syn, LinkJuniperEther, on("4d 47 43 80 00 03 01 01 06"+address+"08 00", p4)},
		{"junos, no frame", "not IP", LinkJuniperEther, on("4d 47 43 02 00 00 00 02", p4)},
		{"usb", "unknown link type", 189, p4},
	} {
		if got := seen(t, c.link, c.in); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		for n := range c.in { // cut anywhere: no panic, and nothing invented
			got := seen(t, c.link, c.in[:n:n])
			if got != c.want && got[:3] == "tcp" {
				t.Errorf("%s, cut at %d: %s, want %s or a reason", c.name, n, got, c.want)
			}
		}
	}
}
