package query

import (
	"net/netip"
	"testing"

	"github.com/portolan/portolan/internal/flow"
)

// web is a TLS conversation that the tests below look at.
var web = flow.Record{
	Key: flow.Key{
		Client: netip.MustParseAddr("10.1.2.3").As16(), Server: netip.MustParseAddr("192.0.2.80").As16(),
		ClientPort: 50000, ServerPort: 443, VLAN: 7, Proto: flow.TCP,
	},
	ToServer: flow.Counters{Packets: 2, Bytes: 300}, ToClient: flow.Counters{Packets: 3, Bytes: 700},
	App: flow.App{Master: 91, App: 126}, Observer: "eth0", Info: "WWW.Example.COM",
}

// ping is an ICMPv6 conversation of no known application.
var ping = flow.Record{
	Key: flow.Key{
		Client: netip.MustParseAddr("2001:db8::1").As16(), Server: netip.MustParseAddr("fe80::2").As16(), Proto: flow.ICMPv6,
	},
}

func TestMatches(t *testing.T) {
	tests := []struct {
		filter    string
		web, ping bool
	}{
		{"host 10.1.2.3", true, false},
		{"host 192.0.2.80", true, false},
		{"client 10.1.2.3", true, false},
		{"server 10.1.2.3", false, false},
		{"server 192.0.2.80", true, false},
		{"net 10.0.0.0/8", true, false},
		{"client net 10.1.2.0/31", false, false},
		{"client net 10.1.2.2/31", true, false},
		{"net 0.0.0.0/0", true, false},
		{"net ::/0", false, true},
		{"net ::/80", false, false},
		{"net fe80::/10", false, true},
		{"client net fe80::/10", false, false},
		{"port 443", true, false},
		{"port 50000", false, false},
		{"client port 50000", true, false},
		{"client or server port 50000", true, false},
		{"port 0", false, true},
		{"portrange 1-1024", true, false},
		{"portrange 444-1024", false, false},
		{"ip", true, false},
		{"ip6", false, true},
		{"tcp", true, false},
		{"icmp6", false, true},
		{"app tls", true, false},
		{"app google", true, false},
		{"app dns", false, false},
		{"app unknown", false, true},
		{"name example.com", true, false},
		{"name .EXAMPLE.", true, false},
		{`name ""`, true, true},
		{"vlan 7", true, false},
		{"vlan 0", false, true},
		{"observer eth0", true, false},
		{"observer ETH0", false, false},
		{`observer ""`, false, true},
		{"bytes = 1000", true, false},
		{"bytes > 1000", false, false},
		{"bytes >= 1000", true, false},
		{"bytes < 1000", false, true},
		{"bytes <= 1000", true, true},
		{"bytes != 1000", false, true},
		{"packets = 5", true, false},
		{"tcp and udp or vlan 7", true, false},
		{"tcp and (udp or vlan 8)", false, false},
		{"not tcp", false, true},
	}
	for _, tt := range tests {
		e, err := Parse(tt.filter, testApps)
		if err != nil {
			t.Errorf("%s: %v", tt.filter, err)
			continue
		}
		if got := e.Matches(&web); got != tt.web {
			t.Errorf("%s: web: got %v", tt.filter, got)
		}
		if got := e.Matches(&ping); got != tt.ping {
			t.Errorf("%s: ping: got %v", tt.filter, got)
		}
	}
}

func TestMatchesAllocatesNothing(t *testing.T) {
	e, err := Parse("tcp port 443 and client net 10.0.0.0/8 and app tls and not observer eth1 and bytes > 5", testApps)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { e.Matches(&web) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestRange(t *testing.T) {
	tests := []struct{ prefix, lo, hi string }{
		{"10.0.0.0/8", "::ffff:10.0.0.0", "::ffff:10.255.255.255"},
		{"10.1.2.3/32", "::ffff:10.1.2.3", "::ffff:10.1.2.3"},
		{"0.0.0.0/0", "::ffff:0.0.0.0", "::ffff:255.255.255.255"},
		{"2001:db8::/33", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"},
		{"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	}
	for _, tt := range tests {
		lo, hi := Range(netip.MustParsePrefix(tt.prefix))
		if netip.AddrFrom16(lo) != netip.MustParseAddr(tt.lo) || netip.AddrFrom16(hi) != netip.MustParseAddr(tt.hi) {
			t.Errorf("%s: got %s to %s", tt.prefix, netip.AddrFrom16(lo), netip.AddrFrom16(hi))
		}
	}
}

func BenchmarkMatches(b *testing.B) {
	e, err := Parse("client net 10.0.0.0/8 and (port 80,443 or app dns) and not name internal", testApps)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e.Matches(&web)
	}
}

// TestMatchesWrongUTF8 compares texts as stores keep them.
func TestMatchesWrongUTF8(t *testing.T) {
	r := flow.Record{Info: "a\xff\xfeb", Observer: "a\xff\xfeb"}
	for text, want := range map[string]bool{"a\xffb": true, "A\uFFFDB": true, "\xc3": true, "a\uFFFD\uFFFDb": false} {
		if got := (NameHas{Text: text}).Matches(&r); got != want {
			t.Errorf("name %q: got %t, want %t", text, got, want)
		}
	}
}
