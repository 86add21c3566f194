package query

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/portolan/portolan/internal/flow"
)

// testApps knows three applications.
func testApps(name string) []uint16 {
	return map[string][]uint16{"tls": {91}, "google": {126}, "dns": {5}, "unknown": {0}}[strings.ToLower(name)]
}

func comparePrefixes() cmp.Option {
	return cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
}

func TestParse(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{" \t\n ", ""},
		{"host 10.0.0.1", "host 10.0.0.1"},
		{"10.0.0.1", "host 10.0.0.1"},
		{"::1", "host ::1"},
		{"fe80::1", "host fe80::1"},
		{"::ffff:10.0.0.1", "host 10.0.0.1"},
		{"10.0.0.0/8", "net 10.0.0.0/8"},
		{"net 10.1.2.3/8", "net 10.0.0.0/8"},
		{"net 10", "net 10.0.0.0/8"},
		{"net 192.168", "net 192.168.0.0/16"},
		{"192.168/16", "net 192.168.0.0/16"},
		{"net ::ffff:10.0.0.0/104", "net 10.0.0.0/8"},
		{"net 2001:db8::/32", "net 2001:db8::/32"},
		{"net 0.0.0.0/0 or ::/0", "net 0.0.0.0/0 or net ::/0"},
		{"net 10.0.0.1/32", "host 10.0.0.1"},
		{"client 10.0.0.1", "client host 10.0.0.1"},
		{"src host 10.0.0.1", "client host 10.0.0.1"},
		{"server net 192.168.1.0/24", "server net 192.168.1.0/24"},
		{"dst 192.168.1.0/24", "server net 192.168.1.0/24"},
		{"port 443", "port 443"},
		{"server port 443", "port 443"},
		{"client port 68", "client port 68"},
		{"client or server port 53", "client or server port 53"},
		{"src or dst port 53", "client or server port 53"},
		{"server or client host 10.0.0.1", "host 10.0.0.1"},
		{"client and server net 10.0.0.0/8", "client net 10.0.0.0/8 and server net 10.0.0.0/8"},
		{"src and dst port 123", "client port 123 and port 123"},
		{"port 80-90", "portrange 80-90"},
		{"portrange 1-1024", "portrange 1-1024"},
		{"portrange 5-5", "port 5"},
		{"port 22,80,8000-8090", "port 22 or port 80 or portrange 8000-8090"},
		{"10.0.0.1,10.0.0.2", "host 10.0.0.1 or host 10.0.0.2"},
		{"proto tcp", "tcp"},
		{"proto 17", "udp"},
		{"proto 255", "proto 255"},
		{"icmp6 or icmpv6", "icmp6 or icmp6"},
		{"TCP AND Port 443", "tcp and port 443"},
		{"tcp port 443", "tcp and port 443"},
		{"ip6 tcp server port 443", "ip6 and tcp and port 443"},
		{"ip proto sctp", "ip and sctp"},
		{"not tcp port 443", "not (tcp and port 443)"},
		{"udp or tcp port 53 and ip6", "udp or tcp and port 53 and ip6"},
		{"host 10.0.0.1 and not port 22", "host 10.0.0.1 and not port 22"},
		{"host 10.0.0.1 && !port 22 || udp", "host 10.0.0.1 and not port 22 or udp"},
		{"(tcp or udp) and (port 53)", "(tcp or udp) and port 53"},
		{"tcp and (port 1 and port 2)", "tcp and (port 1 and port 2)"},
		{"tcp or (port 1 or port 2)", "tcp or (port 1 or port 2)"},
		{"((tcp))", "tcp"},
		{"!!tcp", "not not tcp"},
		{"app tls", "app tls"},
		{"app 91", "app 91"},
		{`app "TLS"`, "app TLS"},
		{"app tls,dns", "app tls or app dns"},
		{`name "a b"`, `name "a b"`},
		{`name 'a\b'`, `name "a\\b"`},
		{`name "a\"b\x00\xff"`, `name "a\"b\x00` + "\uFFFD" + `"`},
		{`name example.com`, `name example.com`},
		{`name "and"`, `name "and"`},
		{`name ""`, `name ""`},
		{`name "a,b"`, `name "a,b"`},
		{`name ÄÖ`, `name "ÄÖ"`},
		{"name host", "name host"},
		{"vlan 0", "vlan 0"},
		{"vlan 100,200", "vlan 100 or vlan 200"},
		{"observer eth0.1", "observer eth0.1"},
		{`observer "10.0.0.1 if 3"`, `observer "10.0.0.1 if 3"`},
		{"bytes > 10M", "bytes > 10000000"},
		{"bytes>=64KiB", "bytes >= 65536"},
		{"bytes == 1gb", "bytes = 1000000000"},
		{"bytes <> 2T", "bytes != 2000000000000"},
		{"packets >= 5", "packets >= 5"},
		{"packets < 1k", "packets < 1000"},
		{"packets <= 9223372036854775807", "packets <= 9223372036854775807"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			e, err := Parse(tt.in, testApps)
			if err != nil {
				t.Fatal(err)
			}
			if e == nil {
				if tt.want != "" {
					t.Fatalf("got nil, want %s", tt.want)
				}
				return
			}
			if got := e.String(); got != tt.want {
				t.Fatalf("got %s, want %s", got, tt.want)
			}
			again, err := Parse(tt.want, testApps)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(e, again, comparePrefixes()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ in, want string }{
		{"sever 10.0.0.1", `filter: column 1: unknown word "sever" (did you mean "server"?)`},
		{"tcp adn port 80", `filter: column 5: unexpected "adn" (did you mean "and"?)`},
		{"host example.com", `filter: column 6: host takes an address, not "example.com" (for a name use: name example.com)`},
		{"host 10.0.0.0/8", `filter: column 6: host takes an address, not "10.0.0.0/8" (for a network use: net 10.0.0.0/8)`},
		{"host 10.0.0.256", `filter: column 6: host takes an address, not "10.0.0.256"`},
		{"host fe80::1%eth0", `filter: column 6: zones are not recorded (write host fe80::1)`},
		{"host", `filter: column 5: host takes an address, not the end`},
		{"host and tcp", `filter: column 6: host takes an address, not "and" (a value that is a word of the language stands in quotes)`},
		{"net 10.0.0.0", `filter: column 5: net takes a prefix such as 10.0.0.0/8, not "10.0.0.0" (write net 10.0.0.0/LENGTH, or host 10.0.0.0)`},
		{"10.0.0.0/33", `filter: column 1: the length of prefix "10.0.0.0/33" is not a number from 0 to 32`},
		{"net 10.0.0.0/-1", `filter: column 5: the length of prefix "10.0.0.0/-1" is not a number from 0 to 32`},
		{"port https", `filter: column 6: port takes a number from 0 to 65535 or a range such as 1-1024, not "https"`},
		{"port dns", `filter: column 6: port takes a number from 0 to 65535 or a range such as 1-1024, not "dns" (for an application use: app dns)`},
		{"port 65536", `filter: column 6: port takes a number from 0 to 65535 or a range such as 1-1024, not "65536"`},
		{"port 90-80", `filter: column 6: the range 90-80 is backwards (did you mean 80-90?)`},
		{"port = 80", `filter: column 6: port takes a number from 0 to 65535, or a range such as 1-1024, not "=" (the value follows the word: port VALUE; or: not port VALUE)`},
		{"port 80,,90", `filter: column 9: nothing stands between two commas (a list has no blanks: port 80,443)`},
		{"port 80, 90", `filter: column 9: nothing stands between two commas (a list has no blanks: port 80,443)`},
		{"443", `filter: column 1: the number 443 stands alone (did you mean port 443?)`},
		{"port 80 or 443", `filter: column 12: the number 443 stands alone (did you mean port 443?)`},
		{"client 443", `filter: column 8: unexpected "443" (did you mean port 443?)`},
		{"client prot 443", `filter: column 8: unexpected "prot" (did you mean "port"?)`},
		{"client", `filter: column 7: the filter ends too early (host, net, port or an address belongs here)`},
		{"client or 10.0.0.1", `filter: column 11: unexpected "10.0.0.1" (client and server each need a host, net or port: client 10.0.0.1)`},
		{"www.example.com", `filter: column 1: unknown word "www.example.com" (for a name use: name www.example.com)`},
		{"google", `filter: column 1: unknown word "google" (for an application use: app google)`},
		{"app nonsense", `filter: column 5: unknown application "nonsense" (an application is a name such as tls, or nDPI's number)`},
		{"app tls.google", `filter: column 5: unknown application "tls.google" (write app tls and app google)`},
		{"proto dns", `filter: column 7: unknown protocol "dns" (for an application use: app dns)`},
		{"proto 256", `filter: column 7: unknown protocol "256" (a protocol is a name such as tcp, or a number up to 255)`},
		{"vlan", `filter: column 5: vlan takes a number from 0 to 4095, not the end`},
		{"vlan 4096", `filter: column 6: vlan takes a number from 0 to 4095, not "4096"`},
		{"bytes 10", `filter: column 7: bytes is compared, but "10" follows (write bytes > 10M)`},
		{"bytes > 10X", `filter: column 9: bytes is compared with a number such as 500, 10M or 64KiB, not with "10X"`},
		{"bytes > 16384PiB", `filter: column 9: bytes is compared with a number such as 500, 10M or 64KiB, not with "16384PiB"`},
		{"bytes > 18446744073709551615", `filter: column 9: "18446744073709551615" is larger than 2^63 - 1`},
		{"packets > 99999999T", `filter: column 11: "99999999T" is larger than 2^63 - 1`},
		{"packets >", `filter: column 10: packets is compared with a number such as 500, 10M or 64KiB, not with the end`},
		{"(tcp", `filter: column 5: the filter ends too early`},
		{"tcp)", `filter: column 4: unexpected ")" (it closes nothing)`},
		{"tcp and", `filter: column 8: the filter ends too early`},
		{"or tcp", `filter: column 1: unexpected "or"`},
		{"tcp udp", `filter: column 5: unexpected "udp" (is "and" or "or" missing before it?)`},
		{"tcp = 1", `filter: column 5: unexpected "=" (only bytes and packets are compared; elsewhere the value follows the word: port 443)`},
		{"tcp & udp", `filter: column 5: a single "&" (write && or and)`},
		{"tcp | udp", `filter: column 5: a single "|" (write || or or)`},
		{`name "x`, `filter: column 6: a quote is not closed`},
		{`name "x\`, `filter: column 6: a quote is not closed`},
		{`name 'x`, `filter: column 6: a quote is not closed`},
		{`name "\q"`, `filter: column 6: a wrong escape in quotes (write \\ for a backslash, \" for a quote, \n for a newline)`},
		{`"x"`, `filter: column 1: "x" stands alone (write name "x")`},
		{"ÄÖ and ÜÜ", `filter: column 1: unknown word "ÄÖ"`},
		{"udp and ÜÜ", `filter: column 9: unknown word "ÜÜ"`},
		{strings.Repeat("(", 201), `filter: column 201: nested more than 200 deep`},
		{strings.Repeat("!", 201) + "tcp", `filter: column 201: nested more than 200 deep`},
		{strings.Repeat("x", MaxLength+1), `filter: column 65537: the filter is 65537 bytes long, 65536 are allowed`},
	}
	for _, tt := range tests {
		name := tt.in
		if len(name) > 30 {
			name = name[:30]
		}
		t.Run(name, func(t *testing.T) {
			e, err := Parse(tt.in, testApps)
			if err == nil {
				t.Fatalf("no error, got %s", e)
			}
			if e != nil {
				t.Errorf("an Expr beside an error: %v", e)
			}
			if got := err.Error(); got != tt.want {
				t.Errorf("\ngot  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestParseWithoutApps(t *testing.T) {
	e, err := Parse("app anything", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, Expr(AppIs{Name: "anything"})); diff != "" {
		t.Error(diff)
	}
}

func TestSyntaxErrorExcerpt(t *testing.T) {
	long := strings.Repeat("tcp or ", 20)
	tests := []struct{ in, want string }{
		{"tcp or sever 10.0.0.1", "tcp or sever 10.0.0.1\n       ^"},
		{"tcp\tor\nsever", "tcp or sever\n       ^"},
		{"name ü or ß", "name ü or ß\n          ^"},
		{long + "x or " + long, "...tcp or tcp or tcp or tcp or tcp or x or tcp or tcp or tcp or tcp or tc...\n" + strings.Repeat(" ", 38) + "^"},
		{"", "\n^"},
	}
	for _, tt := range tests {
		_, err := Parse(tt.in, nil)
		se, ok := errors.AsType[*SyntaxError](err)
		if tt.in == "" {
			se, ok = &SyntaxError{}, true
		}
		if !ok {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if got := se.Excerpt(); got != tt.want {
			t.Errorf("%q:\ngot\n%s\nwant\n%s", tt.in, got, tt.want)
		}
	}
}

// randomExpr returns a filter as Parse could have made it.
func randomExpr(r *rand.Rand, depth int) Expr {
	if depth > 0 && r.IntN(3) > 0 {
		switch r.IntN(5) {
		case 0:
			return Not{randomExpr(r, depth-1)}
		case 1, 2:
			return And{randomExpr(r, depth-1), randomExpr(r, depth-1)}
		default:
			return Or{randomExpr(r, depth-1), randomExpr(r, depth-1)}
		}
	}
	texts := []string{"a", "and", "", "x y", `"`, `\`, "\x00", "ü", "\uFFFD", "(", "a,b", "-", "tcp", "10.0.0.1"}
	switch r.IntN(9) {
	case 0:
		var b [16]byte
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		a := netip.AddrFrom16(b)
		if r.IntN(2) == 0 {
			a = netip.AddrFrom4([4]byte(b[:4]))
		}
		return Net{Side(r.IntN(3)), netip.PrefixFrom(a, r.IntN(a.BitLen()+1)).Masked()}
	case 1:
		lo := uint16(r.Uint32())
		return Ports{Side(r.IntN(3)), lo, lo + uint16(r.IntN(int(65536-uint32(lo))))}
	case 2:
		return FamilyIs{r.IntN(2) == 0}
	case 3:
		return ProtoIs{flow.Proto(r.Uint32())}
	case 4:
		names := []string{"tls", "Google", "DNS"}
		name := names[r.IntN(len(names))]
		return AppIs{name, testApps(name)}
	case 5:
		return NameHas{texts[r.IntN(len(texts))]}
	case 6:
		return VLANIs{uint16(r.IntN(4096))}
	case 7:
		return ObserverIs{texts[r.IntN(len(texts))]}
	}
	return Count{Field(r.IntN(2)), Op(r.IntN(6)), r.Uint64() >> 1}
}

func TestPrintParses(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		e := randomExpr(r, 6)
		got, err := Parse(e.String(), testApps)
		if err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		if diff := cmp.Diff(e, got, comparePrefixes()); diff != "" {
			t.Fatalf("%s:\n%s", e, diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "tcp port 443 and not host 10.0.0.1", `name "a\"b" or app tls,dns || bytes>=10MiB`,
		"client and server net 10/8", "src or dst port 1-2,3", "!(ip6 udp) && vlan 3", "2001:db8::/32 or ::1", "x (((",
		"observer 'a b' and packets != 5k",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Parse(s, testApps)
		if err != nil {
			se, ok := errors.AsType[*SyntaxError](err)
			if !ok {
				t.Fatalf("error %T without position: %v", err, err)
			}
			if se.Pos < 0 || se.Pos > len(s) {
				t.Fatalf("position %d in %d bytes", se.Pos, len(s))
			}
			if line, caret, ok := strings.Cut(se.Excerpt(), "\n"); !ok || utf8.RuneCountInString(line) > 2*excerptSide+6 || len(caret) > excerptSide+4 {
				t.Fatalf("excerpt: %q", se.Excerpt())
			}
			if strings.Contains(se.Error(), "\n") {
				t.Fatalf("error of several lines: %q", se)
			}
			return
		}
		if e == nil {
			return
		}
		e.Matches(&flow.Record{})
		where, args := DuckDB.SQL(e)
		if n := strings.Count(where, "?"); n != len(args) {
			t.Fatalf("%d parameters, %d arguments: %s", n, len(args), where)
		}
		text := e.String()
		if len(text) > MaxLength {
			return
		}
		again, err := Parse(text, testApps)
		if err != nil {
			t.Fatalf("%q was printed as %q: %v", s, text, err)
		}
		if diff := cmp.Diff(e, again, comparePrefixes()); diff != "" {
			t.Fatalf("%q was printed as %q:\n%s", s, text, diff)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	const short = "tcp port 443 and not host 10.0.0.1"
	const list = "server net 192.168.1.0/24 and (port 80,443,8000-8090 or app tls) and bytes > 10M and not observer eth0"
	for _, s := range []string{short, list} {
		b.Run(fmt.Sprintf("%dB", len(s)), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				if _, err := Parse(s, testApps); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
