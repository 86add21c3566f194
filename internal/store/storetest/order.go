package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

var orderTests = []test{
	{"every order", func(t *testing.T, s store.Store) {
		counters := func(packets, bytes uint64) func(*flow.Record) {
			return func(r *flow.Record) {
				r.ToServer, r.ToClient = flow.Counters{Bytes: bytes}, flow.Counters{Packets: packets}
			}
		}
		write(t, s,
			web(server("10.0.0.1"), counters(1, 300), from(3, 5*time.Second)),
			web(server("10.0.0.2"), counters(3, 200), from(1, 4*time.Second)),
			web(server("10.0.0.3"), counters(2, 100), from(2, 6*time.Second)),
			web(server("10.0.0.3"), counters(0, 0), from(2, 6*time.Second)))
		for order, want := range map[query.Order]string{
			query.ByBytes:   "10.0.0.1 10.0.0.2 10.0.0.3",
			query.ByPackets: "10.0.0.2 10.0.0.3 10.0.0.1",
			query.ByFlows:   "10.0.0.3 10.0.0.1 10.0.0.2",
			query.ByLast:    "10.0.0.3 10.0.0.1 10.0.0.2",
			query.ByFirst:   "10.0.0.2 10.0.0.3 10.0.0.1",
		} {
			if got := servers(top(t, s, query.Query{Sort: order, By: query.Server})); got != want {
				t.Errorf("by %s: got %s, want %s", order, got, want)
			}
		}
	}},
	{"ties", func(t *testing.T, s store.Store) {
		ordered := []flow.Record{
			web(client("9.255.255.255"), server("255.0.0.1")),
			web(client("10.0.0.1"), server("2.0.0.0"), proto(flow.UDP)),
			web(client("10.0.0.1"), server("10.0.0.2"), proto(flow.ICMP), port(900)),
			web(client("10.0.0.1"), server("10.0.0.2"), proto(flow.TCP), port(80), app(255, 0, false)),
			web(client("10.0.0.1"), server("10.0.0.2"), proto(flow.TCP), port(443), app(5, 300, false)),
			web(client("10.0.0.1"), server("10.0.0.2"), proto(flow.TCP), port(443), app(300, 4, false), vlan(500)),
			web(client("10.0.0.1"), server("10.0.0.2"), proto(flow.TCP), port(443), app(300, 5, false), vlan(4), observer("z")),
			web(client("10.0.0.1"), server("10.0.0.2"), proto(flow.TCP), port(443), app(300, 5, false), vlan(300), observer("B")),
			web(client("10.0.0.1"), server("10.0.0.2"), proto(flow.TCP), port(443), app(300, 5, false), vlan(300), observer("a")),
			web(client("10.0.0.1"), server("10.0.0.2"), proto(flow.TCP), port(443), app(300, 5, false), vlan(300), observer("ab")),
			web(client("10.0.0.1"), server("10.0.0.2"), proto(flow.TCP), port(443), app(300, 5, false), vlan(300), observer("é")),
			web(client("10.0.0.1"), server("10.0.0.2"), proto(flow.TCP), port(30000)),
			web(client("2001:db8::1"), server("::1")),
		}
		var want []query.Row
		for _, r := range ordered {
			want = append(want, webRow(func(row *query.Row) {
				row.Client, row.Server, row.Proto, row.Port = r.Client, r.Server, r.Proto, r.ServerPort
				row.App, row.VLAN, row.Observer = r.App, r.VLAN, r.Observer
			}))
		}
		for i := len(ordered) - 1; i >= 0; i-- {
			write(t, s, ordered[i])
		}
		for order := query.ByBytes; order <= query.ByFirst; order++ {
			for _, limit := range []int{0, 1, 5, len(want), 100} {
				w := want
				if limit > 0 && limit < len(w) {
					w = w[:limit]
				}
				got := top(t, s, query.Query{Sort: order, By: query.Edge | query.VLAN | query.Observer, Limit: limit})
				if diff := cmp.Diff(lines(w), lines(got)); diff != "" {
					t.Fatalf("by %s, limit %d (-want +got):\n%s", order, limit, diff)
				}
			}
		}
	}},
	{"buckets before all else", func(t *testing.T, s store.Store) {
		write(t, s,
			web(server("10.0.0.3"), count(1), from(0, time.Minute)),
			web(server("10.0.0.2"), count(2), from(0, time.Minute)),
			web(server("10.0.0.5"), count(9), from(0, time.Hour)),
			web(server("10.0.0.4"), count(3), from(0, time.Hour)))
		q := query.Query{By: query.Server, Step: time.Hour}
		if got := servers(top(t, s, q)); got != "10.0.0.2 10.0.0.3 10.0.0.5 10.0.0.4" {
			t.Errorf("got %s", got)
		}
		q.Limit = 3
		if got := servers(top(t, s, q)); got != "10.0.0.2 10.0.0.3 10.0.0.5" {
			t.Errorf("limit 3: got %s", got)
		}
	}},
}

var observerTests = []test{
	{"the largest of an hour", func(t *testing.T, s store.Store) {
		write(t, s,
			web(observer("a"), count(5), from(0, time.Minute)),
			web(observer("a"), count(5), from(0, 59*time.Minute)),
			web(observer("b"), count(7), from(0, 30*time.Minute)),
			web(observer("a"), count(1), from(0, time.Hour)), // the next hour
			web(observer("b"), count(3), from(0, 61*time.Minute)))
		rows := top(t, s, query.Query{})
		if len(rows) != 1 || rows[0].ToServer.Packets != 13 || rows[0].ToClient.Bytes != 2600 || rows[0].Flows != 3 {
			t.Errorf("want max(5+5, 7) + max(1, 3) = 13 packets to the server in 2 + 1 flows, got %v", lines(rows))
		}
		rows = top(t, s, query.Query{Step: 30 * time.Minute})
		var got []uint64
		for _, r := range rows {
			got = append(got, r.ToServer.Packets)
		}
		if diff := cmp.Diff([]uint64{5, 7, 3}, got); diff != "" {
			t.Errorf("a step cuts as the hour does (-want +got):\n%s", diff)
		}
		rows = top(t, s, query.Query{Step: 2 * time.Hour})
		if len(rows) != 1 || rows[0].ToServer.Packets != 13 {
			t.Errorf("step of two hours: got %v", lines(rows))
		}
	}},
	{"each counter for itself", func(t *testing.T, s store.Store) {
		write(t, s,
			web(observer("a"), func(r *flow.Record) {
				r.ToServer, r.ToClient = flow.Counters{Packets: 1, Bytes: 20}, flow.Counters{Packets: 3, Bytes: 40}
			}),
			web(observer("b"), slice(1), from(5*time.Second, 50*time.Second), func(r *flow.Record) {
				r.ToServer, r.ToClient = flow.Counters{Packets: 2, Bytes: 10}, flow.Counters{Packets: 4, Bytes: 30}
			}))
		want(t, s, query.Query{}, webRow(func(r *query.Row) {
			r.ToServer, r.ToClient = flow.Counters{Packets: 2, Bytes: 20}, flow.Counters{Packets: 4, Bytes: 40}
		}))
	}},
	{"of each edge, then the sum", func(t *testing.T, s store.Store) {
		write(t, s,
			web(observer("a"), count(1), port(1)), web(observer("b"), count(10), port(1)),
			web(observer("a"), count(200), port(2)), web(observer("b"), count(100), port(2)))
		rows := top(t, s, query.Query{By: query.Server})
		if len(rows) != 1 || rows[0].ToServer.Packets != 210 || rows[0].Flows != 2 {
			t.Errorf("want max(1, 10) + max(200, 100) = 210 packets in 2 flows, got %v", lines(rows))
		}
	}},
	{"apart", func(t *testing.T, s store.Store) {
		write(t, s,
			web(observer("a"), count(1)), web(observer("b"), count(10)), web(observer("b"), count(10)))
		var got []uint64
		for _, r := range top(t, s, query.Query{By: query.Edge | query.Observer}) {
			got = append(got, r.ToServer.Packets)
		}
		if diff := cmp.Diff([]uint64{20, 1}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}},
	{"VLANs", func(t *testing.T, s store.Store) {
		// One conversation, tagged on one observer's link and not on the other's.
		write(t, s, web(observer("a"), vlan(5), count(4)), web(observer("b"), vlan(0), count(3)))
		rows := top(t, s, query.Query{})
		if len(rows) != 1 || rows[0].ToServer.Packets != 4 {
			t.Errorf("VLANs together: want 4 packets, got %v", lines(rows))
		}
		rows = top(t, s, query.Query{By: query.Edge | query.VLAN})
		if len(rows) != 2 || rows[0].ToServer.Packets != 4 || rows[1].ToServer.Packets != 3 {
			t.Errorf("VLANs apart: want 4 and 3 packets, got %v", lines(rows))
		}
	}},
}
