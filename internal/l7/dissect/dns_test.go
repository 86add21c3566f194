package dissect

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
)

// Messages as RFC 1035 section 4 has them.
const (
	dnsQuery = `1234 0100 0001 0000 0000 0000
		03 777777 07 4578616d706c65 03 6f7267 00 0001 0001` // www.Example.org A

	dnsAnswer = `1234 8180 0001 0003 0000 0000
		03 777777 07 6578616d706c65 03 6f7267 00 0001 0001
		c00c 0005 0001 0000003c 0006 03 63646e c010
		c02d 0001 0001 0000003c 0004 c0000201
		c02d 0001 0001 00000000 0004 c0000202` // CNAME cdn.example.org, A 192.0.2.1, A 192.0.2.2 with TTL 0, as dnsmasq has its own hosts

	dnsReverse = `0001 8180 0001 0001 0000 0000
		01 31 01 32 01 30 03 313932 07 696e2d61646472 04 61727061 00 000c 0001
		c00c 000c 0001 0000003c 000b 04 686f7374 04 74657374 00` // 1.2.0.192.in-addr.arpa PTR host.test

	dnsOtherQuery = `1233 0100 0001 0000 0000 0000
		03 777777 06 676f6f676c65 03 636f6d 00 0001 0001` // www.google.com A

	mdnsAnnounce = `0000 8400 0000 0001 0000 0001
		05 5f68747470 04 5f746370 05 6c6f63616c 00 000c 0001 00001194 000a 07 5072696e746572 c00c
		07 5072696e746572 c017 001c 8001 00000078 0010 20010db8000000000000000000000001` // _http._tcp.local PTR, Printer.local AAAA
)

func TestDNS(t *testing.T) {
	type told struct {
		Addr netip.Addr
		Name string
	}
	one, two, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1")
	for _, tc := range []struct {
		name      string
		proto     flow.Proto
		port      uint16
		ask       string
		answer    string
		app, info string
		told      []told
	}{
		{"query", flow.UDP, 53, dnsQuery, "", "DNS", "www.example.org", nil},
		{"answer", flow.UDP, 53, dnsQuery, dnsAnswer, "DNS", "www.example.org", []told{{one, "www.example.org"}, {two, "www.example.org"}}},
		{"answer alone", flow.UDP, 53, "", dnsAnswer, "DNS", "www.example.org", []told{{one, "www.example.org"}, {two, "www.example.org"}}},
		{"reverse", flow.UDP, 53, "", dnsReverse, "DNS", "1.2.0.192.in-addr.arpa", []told{{one, "host.test"}}},
		{"elsewhere", flow.UDP, 5300, dnsQuery, dnsAnswer, "DNS", "www.example.org", []told{{one, "www.example.org"}, {two, "www.example.org"}}},
		{"elsewhere, not right", flow.UDP, 5300, dnsQuery + "00", "", "", "", nil},
		{"cut", flow.UDP, 53, "", dnsAnswer[:len(dnsAnswer)-100], "DNS", "www.example.org", nil},
		{"mdns", flow.UDP, 5353, mdnsAnnounce, "", "MDNS", "_http._tcp.local", []told{{six, "printer.local"}}},
		{"llmnr", flow.UDP, 5355, dnsQuery, "", "LLMNR", "www.example.org", nil},
		{"over TCP", flow.TCP, 53, "0021" + dnsQuery, "", "DNS", "www.example.org", nil},
		{"over TCP elsewhere", flow.TCP, 5300, "0021" + dnsQuery, "", "", "", nil},
		{"points to itself", flow.UDP, 53, "1234 0100 0001 0000 0000 0000 c00c 0001 0001", "", "DNS", "", nil},
		{"points ahead", flow.UDP, 53, "1234 0100 0001 0000 0000 0000 c010 0001 0001 03 777777 00", "", "DNS", "", nil},
		{"label too long", flow.UDP, 53, "1234 0100 0001 0000 0000 0000 41 0001 0001", "", "DNS", "", nil},
		{"name too long", flow.UDP, 53, "1234 0100 0001 0000 0000 0000" + strings.Repeat("3f"+strings.Repeat("61", 63), 4) + "00 0001 0001", "", "DNS", "", nil},
		{"points ahead elsewhere", flow.UDP, 5300, "1234 0100 0001 0000 0000 0000 c010 0001 0001 03 777777 00", "", "", "", nil},
		{"asks for a key", flow.UDP, 443, "1234 0100 0001 0000 0000 0000 01 32 0d 646e7363727970742d63657274 04 74657374 00 0010 0001", "", "DNScrypt", "2.dnscrypt-cert.test", nil},
		{"header alone", flow.UDP, 53, "1234 0100 0001 0000 0000 0000", "", "", "", nil},
		{"another name was answered", flow.UDP, 53, dnsOtherQuery, dnsAnswer, "DNS", "www.example.org", []told{{one, "www.example.org"}, {two, "www.example.org"}}},
		{"another name was asked", flow.UDP, 53, dnsOtherQuery, "", "DNS.Google", "www.google.com", nil},
		{"a hundred questions, one there", flow.UDP, 53, "1234 0100 0064" + dnsQuery[14:], "", "DNS", "www.example.org", nil},
		{"no question, one there", flow.UDP, 53, "1234 0100 0000" + dnsQuery[14:], "", "DNS", "www.example.org", nil},
		{"a hundred questions elsewhere", flow.UDP, 5300, "1234 0100 0064" + dnsQuery[14:], "", "", "", nil},
		{"a hundred questions, one label", flow.UDP, 53, "1234 0100 0064 0000 0000 0000 03 777777 00 0001 0001", "", "", "", nil},
		{"a hundred questions, no class", flow.UDP, 53, "1234 0100 0064 0000 0000 0000 03 777777 03 6f7267 00 0001 0007", "", "", "", nil},
		{"nothing", flow.UDP, 53, "0000 0000 0000 0000 0000 0000", "", "", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []told
			k := newTalk(tc.proto, tc.port)
			k.d.cfg.Names = func(addr netip.Addr, name string, at int64) {
				got = append(got, told{addr, name})
				if at != 1e18 {
					t.Errorf("at %d", at)
				}
			}
			if tc.ask != "" {
				k.ask(unhex(t, tc.ask))
			}
			if tc.answer != "" {
				k.answer(unhex(t, tc.answer))
			}
			want(t, k.verdict(), tc.app, tc.info, nil)
			if diff := cmp.Diff(tc.told, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

// Without anybody who wants names, what an answer says counts all the same, and
// a second answer changes nothing.
func TestFirstAnswerNamesTheConversation(t *testing.T) {
	k := newTalk(flow.UDP, 53)
	k.ask(unhex(t, dnsOtherQuery)).answer(unhex(t, dnsReverse)).answer(unhex(t, dnsAnswer))
	want(t, k.verdict(), "DNS", "1.2.0.192.in-addr.arpa", nil)
}

func TestReverseAddr(t *testing.T) {
	for in, out := range map[string]string{
		"1.2.0.192.in-addr.arpa": "192.0.2.1",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": "2001:db8::1",
		"2.0.192.in-addr.arpa": "", "0.1.2.0.192.in-addr.arpa": "", "300.2.0.192.in-addr.arpa": "", "x.ip6.arpa": "", "example.org": "",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.x.ip6.arpa": "",
	} {
		addr, ok := reverseAddr([]byte(in))
		if ok != (out != "") || ok && addr.String() != out {
			t.Errorf("%s is %v, %v", in, addr, ok)
		}
	}
}

// Whatever points to whatever, the message is read in time that its length
// bounds.
func TestPointersEnd(t *testing.T) {
	b := unhex(t, "1234 8180 0001 0000 0000 0000 00 0001 0001")
	for len(b) < 60000 {
		b = binary.BigEndian.AppendUint16(b, 0xc000|uint16(len(b)-2)&0x3fff)
	}
	binary.BigEndian.PutUint16(b[6:], 0xffff)
	newTalk(flow.UDP, 53).answer(b).verdict()
}

func FuzzDNS(f *testing.F) {
	fuzz(f, flow.UDP, 53, unhex(f, dnsQuery), unhex(f, dnsAnswer), unhex(f, dnsReverse))
}

func FuzzMDNS(f *testing.F) { fuzz(f, flow.UDP, 5353, unhex(f, mdnsAnnounce)) }

func FuzzLLMNR(f *testing.F) { fuzz(f, flow.UDP, 5355, unhex(f, dnsQuery)) }

func FuzzDNSOverTCP(f *testing.F) {
	fuzz(f, flow.TCP, 53, unhex(f, "0021"+dnsQuery), unhex(f, "0061"+dnsAnswer))
}
