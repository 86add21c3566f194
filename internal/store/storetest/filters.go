package storetest

import (
	"strings"
	"testing"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

// testApps knows the applications of the tests' filters.
func testApps(name string) []uint16 {
	return map[string][]uint16{"unknown": {0}, "dns": {5}, "tls": {91}, "google": {126}, "both": {5, 126}, "none": {65535}}[name]
}

func parse(t *testing.T, filter string) query.Expr {
	t.Helper()
	e, err := query.Parse(filter, testApps)
	if err != nil {
		t.Fatalf("%.100s: %v", filter, err)
	}
	return e
}

// filtered are the records that filterTests look for, named by their servers.
var filtered = []flow.Record{
	web(server("10.0.0.1"), client("10.1.0.1"), func(r *flow.Record) { r.ClientPort = 443 }),
	web(server("10.0.0.2"), client("10.0.0.255"), port(80), app(7, 0, false), info("Shop.EXAMPLE.org"), vlan(3)),
	web(server("10.0.1.0"), client("172.16.0.1"), port(65535), proto(flow.UDP), app(5, 126, false), observer("eth1"), info("")),
	web(server("2001:db8::1"), client("fe80::1"), port(1024), app(0, 0, true), count(5), info("ünï.example")),
	web(server("2001:db9::1"), client("2001:db8::1"), proto(flow.ICMPv6), port(0), app(0, 5, false), count(1), info("100%_sure")),
}

var filterTests = []test{
	{"every kind", func(t *testing.T, s store.Store) {
		write(t, s, filtered...)
		const a, b, c, d, e = "10.0.0.1 ", "10.0.0.2 ", "10.0.1.0 ", "2001:db8::1 ", "2001:db9::1 "
		for _, tt := range []struct{ filter, want string }{
			{"", a + b + c + d + e},
			{"host 10.0.0.1", a},
			{"host 2001:db8::1", d + e},
			{"client 2001:db8::1", e},
			{"server 2001:db8::1", d},
			{"net 10.0.0.0/24", a + b},
			{"net 10.0.0.0/8", a + b + c},
			{"client net 10.0.0.0/24", b},
			{"client net 10.0.0.0/15", a + b},
			{"server net 10.0.0.0/31", a},
			{"server net 10.0.0.0/23", a + b + c},
			{"client and server net 10.0.0.0/8", a + b},
			{"net 0.0.0.0/0", a + b + c},
			{"net ::/0", d + e},
			{"net ::/64", ""},
			{"net 2001:db8::/31", d + e},
			{"net 2001:db8::/32", d + e},
			{"client net fe80::/10", d},
			{"port 443", a},
			{"client port 443", a},
			{"client or server port 443", a},
			{"client or server port 50000", b + c + d + e},
			{"portrange 80-1024", a + b + d},
			{"portrange 1024-65535", c + d},
			{"port 0", e},
			{"ip", a + b + c},
			{"ip6", d + e},
			{"tcp", a + b + d},
			{"udp", c},
			{"proto 58", e},
			{"proto 99", ""},
			{"app tls", a},
			{"app google", a + c},
			{"app dns", c + e},
			{"app both", a + c + e},
			{"app unknown", d},
			{"app none", ""},
			{"name example", a + b + d},
			{"name WWW.Example", a},
			{"name shop.example.ORG", b},
			{"name ÜNÏ", d},
			{"name %", e},
			{"name _", e},
			{"name e%e", ""},
			{`name ""`, a + b + c + d + e},
			{"vlan 3", b},
			{"vlan 0", a + c + d + e},
			{"observer eth1", c},
			{"observer ETH1", ""},
			{`observer "eth1 "`, ""},
			{"observer eth", ""},
			{"bytes > 1500", a + b + c},
			{"bytes > 1499", a + b + c + d},
			{"bytes >= 1500", a + b + c + d},
			{"bytes < 1500", e},
			{"bytes <= 1500", d + e},
			{"bytes = 300", e},
			{"bytes != 300", a + b + c + d},
			{"bytes <= 9223372036854775807", a + b + c + d + e},
			{"packets = 15", d},
			{"packets > 15", a + b + c},
			{"not tcp", c + e},
			{"not (tcp or udp)", e},
			{"not host 10.0.0.1", b + c + d + e},
			{"not client or server port 443", b + c + d + e},
			{"tcp and port 443 or udp", a + c},
			{"tcp and (port 443 or udp)", a},
			{"(tcp or udp) and not net 10.0.0.0/24", c + d},
			{"not (tcp and port 443) and not not ip", b + c},
			{"tcp and udp", ""},
		} {
			q := query.Query{Filter: parse(t, tt.filter), By: query.Server, Sort: query.ByFlows}
			if got := servers(top(t, s, q)); got != strings.TrimSpace(tt.want) {
				t.Errorf("%s: got %s, want %s", tt.filter, got, tt.want)
			}
		}
	}},
	{"an application of no identifier passes nothing", func(t *testing.T, s store.Store) {
		write(t, s, filtered...)
		want(t, s, query.Query{Filter: query.AppIs{Name: "x"}})
		all := query.Query{Filter: query.Not{X: query.AppIs{Name: "x"}}, By: query.Server}
		if rows := top(t, s, all); len(rows) != len(filtered) {
			t.Errorf("not: got %v", lines(rows))
		}
	}},
	{"counters are those of a record", func(t *testing.T, s store.Store) {
		write(t, s, web(count(1)), web(count(2)), web(count(3)))
		rows := top(t, s, query.Query{Filter: parse(t, "packets >= 6 and bytes > 400")})
		if len(rows) != 1 || rows[0].ToServer.Packets != 5 {
			t.Errorf("want 2 + 3 packets to the server, got %v", lines(rows))
		}
	}},
	{"a filter stands beside the span", func(t *testing.T, s store.Store) {
		write(t, s, web(count(1), from(0, 1)), web(count(2), from(0, 5)))
		q := query.Query{Filter: parse(t, "udp or tcp"), Span: flow.Span{Start: at(3), End: at(9)}}
		if rows := top(t, s, q); len(rows) != 1 || rows[0].ToServer.Packets != 2 {
			t.Errorf("got %v", lines(rows))
		}
	}},
	{"long", func(t *testing.T, s store.Store) {
		write(t, s, filtered...)
		filter := "host 10.0.0.1" + strings.Repeat(" or 10.9.9.9", 500) + " or " +
			strings.Repeat("(tcp and not (", 60) + "udp" + strings.Repeat("))", 60)
		rows := top(t, s, query.Query{Filter: parse(t, filter), By: query.Server, Sort: query.ByFlows})
		var want []string
		for _, r := range filtered {
			if parse(t, filter).Matches(&r) {
				want = append(want, flow.Addr(r.Server).String())
			}
		}
		if len(want) == 0 || servers(rows) != strings.Join(want, " ") {
			t.Errorf("got %s, want %s", servers(rows), want)
		}
	}},
	{"hostile texts", func(t *testing.T, s store.Store) {
		texts := []string{
			"'", `"`, `\`, `\'`, "'; DROP TABLE flows; --", "%", "_", "a%b", "?", "$1", ":name", "{x}", "\x00", "a\x00b",
			"\n", "\t", "\u202e", "\U0001F600", " lead", "trail ", "NULL", "\ufeff", "a,b", "`", "\x1a", "\\N",
		}
		for _, text := range texts {
			write(t, s, web(observer(text), info("<"+text+">")))
		}
		for _, text := range texts {
			q := query.Query{By: query.Observer, Filter: query.ObserverIs{Name: text}}
			if rows := top(t, s, q); len(rows) != 1 || rows[0].Observer != text {
				t.Errorf("observer %q: got %v", text, lines(rows))
			}
			q.Filter = query.NameHas{Text: "<" + text + ">"}
			if rows := top(t, s, q); len(rows) != 1 || rows[0].Observer != text {
				t.Errorf("name %q: got %v", text, lines(rows))
			}
		}
		if rows := top(t, s, query.Query{By: query.Observer}); len(rows) != len(texts) {
			t.Errorf("%d observers, want %d", len(rows), len(texts))
		}
	}},
	{"texts that are not UTF-8", func(t *testing.T, s store.Store) {
		write(t, s, web(observer("a\xff\xfeb\xc3"), info("x\x80\x81Y")))
		rows := top(t, s, query.Query{By: query.Observer})
		if len(rows) != 1 || rows[0].Observer != "a\uFFFDb\uFFFD" {
			t.Errorf("got %v", lines(rows))
		}
		for _, e := range []query.Expr{
			query.ObserverIs{Name: "a\uFFFDb\uFFFD"}, query.NameHas{Text: "X\uFFFDy"},
		} {
			if rows := top(t, s, query.Query{Filter: e}); len(rows) != 1 {
				t.Errorf("%s: got %d rows, want 1", e, len(rows))
			}
		}
	}},
	{"long texts", func(t *testing.T, s store.Store) {
		long := strings.Repeat("x", 64<<10)
		write(t, s, web(info(long), observer(long)), web(info(long+"y"), observer(long+"y")))
		for _, q := range []query.Query{
			{By: query.Observer, Filter: query.NameHas{Text: "xY"}},
			{By: query.Observer, Filter: query.NameHas{Text: long + "y"}},
			{By: query.Observer, Filter: query.ObserverIs{Name: long + "y"}},
		} {
			if rows := top(t, s, q); len(rows) != 1 || rows[0].Observer != long+"y" {
				t.Errorf("got %d rows, want that of the longer text", len(rows))
			}
		}
	}},
}
