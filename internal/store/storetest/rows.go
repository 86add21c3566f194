package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

var rowTests = []test{
	{"empty", func(t *testing.T, s store.Store) {
		flush(t, s)
		want(t, s, query.Query{})
		want(t, s, query.Query{By: query.Server, Step: time.Hour, Limit: 3})
		write(t, s) // a batch without records
		want(t, s, query.Query{})
	}},
	{"one record", func(t *testing.T, s store.Store) {
		write(t, s, web())
		want(t, s, query.Query{}, webRow())
	}},
	{"IPv6", func(t *testing.T, s store.Store) {
		write(t, s, web(client("2001:db8::1"), server("fe80::ff"), proto(flow.ICMPv6), port(0)))
		want(t, s, query.Query{}, webRow(func(r *query.Row) {
			r.Client, r.Server, r.Proto, r.Port = addr("2001:db8::1"), addr("fe80::ff"), flow.ICMPv6, 0
		}))
	}},
	{"extremes", func(t *testing.T, s store.Store) {
		write(t, s, web(func(r *flow.Record) {
			r.Key = flow.Key{
				Client: addr("::"), Server: addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
				ClientPort: 65535, ServerPort: 65535, VLAN: 4095, Proto: 255,
			}
			r.ID, r.Slice, r.Sampling = 1<<64-1, 1<<32-1, 1<<32-1
			r.Start, r.End = 0, at(0)
			r.ToServer, r.ToClient = flow.Counters{Packets: 1 << 61, Bytes: 1 << 62}, flow.Counters{}
			r.TCP = flow.TCPFacts{ServerRTT: 1 << 62, ClientRTT: 1, FlagsToServer: 255, FlagsToClient: 255, Retransmits: 1<<32 - 1}
			r.App = flow.App{Master: 65535, App: 65535, Guess: true}
			r.Evidence, r.Cause = 255, 255
		}))
		want(t, s, query.Query{By: query.Edge | query.VLAN}, query.Row{
			Client: addr("::"), Server: addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), Port: 65535, Proto: 255, VLAN: 4095,
			App:      flow.App{Master: 65535, App: 65535, Guess: true},
			ToServer: flow.Counters{Packets: 1 << 61, Bytes: 1 << 62},
			Flows:    1, First: 0, Last: at(0), Evidence: 255,
		})
	}},
	{"sums", func(t *testing.T, s store.Store) {
		write(t, s,
			web(count(1), from(5*time.Second, 6*time.Second)),
			web(count(2), from(1*time.Second, 2*time.Second)),
			web(count(4), from(3*time.Second, 9*time.Second), func(r *flow.Record) { r.Evidence = flow.LowerPort }))
		want(t, s, query.Query{}, webRow(func(r *query.Row) {
			r.ToServer, r.ToClient = flow.Counters{Packets: 7, Bytes: 700}, flow.Counters{Packets: 14, Bytes: 1400}
			r.Flows, r.First, r.Last = 3, at(time.Second), at(9*time.Second)
		}))
	}},
	{"evidence", func(t *testing.T, s store.Store) {
		write(t, s,
			web(func(r *flow.Record) { r.Evidence = flow.FirstPacket }),
			web(func(r *flow.Record) { r.Evidence = flow.SYNACKSeen }),
			web(func(r *flow.Record) { r.Evidence = flow.NoEvidence }))
		rows := top(t, s, query.Query{})
		if len(rows) != 1 || rows[0].Evidence != flow.SYNACKSeen {
			t.Errorf("got %v", lines(rows))
		}
	}},
	{"directions", func(t *testing.T, s store.Store) {
		write(t, s, web(count(1)), web(count(2), client("10.0.0.2"), server("10.0.0.1")))
		rows := top(t, s, query.Query{})
		if len(rows) != 2 || rows[0].Client != addr("10.0.0.2") || rows[0].ToServer.Packets != 2 || rows[0].ToClient.Packets != 4 {
			t.Errorf("got %v", lines(rows))
		}
	}},
	{"every column tells rows apart", func(t *testing.T, s store.Store) {
		write(t, s,
			web(), web(client("10.0.0.9")), web(server("10.0.0.9")), web(port(80)), web(proto(flow.UDP)),
			web(app(91, 0, false)), web(app(5, 126, false)), web(vlan(9)), web(observer("eth1")))
		tests := []struct {
			by   query.Dims
			rows int
		}{
			{0, 7}, {query.Edge, 7}, {query.Edge | query.VLAN, 8}, {query.Edge | query.Observer, 8},
			{query.Edge | query.VLAN | query.Observer, 9},
			{query.Client, 2}, {query.Server, 2}, {query.Port, 2}, {query.Proto, 2}, {query.App, 3},
			{query.VLAN, 2}, {query.Observer, 2}, {query.Client | query.Server, 3}, {query.Server | query.Port | query.Proto, 4},
		}
		for _, tt := range tests {
			rows := top(t, s, query.Query{By: tt.by})
			if len(rows) != tt.rows {
				t.Errorf("by %s: got %d rows, want %d:\n%v", tt.by, len(rows), tt.rows, lines(rows))
			}
			for _, r := range rows {
				if zero := keep(r, tt.by); zero != r {
					t.Errorf("by %s: a column that is not kept apart is set: %v", tt.by, lines([]query.Row{r}))
				}
			}
		}
	}},
	{"a guess is a row's if all its records are", func(t *testing.T, s store.Store) {
		write(t, s,
			web(app(91, 0, true), server("10.0.0.2")), web(app(91, 0, true), server("10.0.0.2")),
			web(app(91, 0, true), server("10.0.0.3")), web(app(91, 0, false), server("10.0.0.3")))
		got := map[[16]byte]bool{}
		for _, r := range top(t, s, query.Query{}) {
			got[r.Server] = r.App.Guess
		}
		if diff := cmp.Diff(map[[16]byte]bool{addr("10.0.0.2"): true, addr("10.0.0.3"): false}, got); diff != "" {
			t.Error(diff)
		}
	}},
	{"slices", func(t *testing.T, s store.Store) {
		write(t, s,
			web(count(1), slice(0), from(0, time.Minute)),
			web(count(2), slice(1), from(time.Minute, 2*time.Minute)),
			web(count(4), slice(2), from(2*time.Minute, 90*time.Minute)))
		want(t, s, query.Query{}, webRow(func(r *query.Row) {
			r.ToServer, r.ToClient = flow.Counters{Packets: 7, Bytes: 700}, flow.Counters{Packets: 14, Bytes: 1400}
			r.First, r.Last = at(0), at(90*time.Minute)
		}))
		// Of a conversation that began before the span there is one all the same.
		q := query.Query{Span: flow.Span{Start: at(90 * time.Second)}}
		want(t, s, q, webRow(func(r *query.Row) {
			r.ToServer, r.ToClient = flow.Counters{Packets: 6, Bytes: 600}, flow.Counters{Packets: 12, Bytes: 1200}
			r.First, r.Last = at(time.Minute), at(90*time.Minute)
		}))
	}},
	{"span", func(t *testing.T, s store.Store) {
		write(t, s,
			web(count(1), from(0, time.Minute)),
			web(count(2), from(0, time.Minute+1)),
			web(count(4), from(0, 2*time.Minute-1)),
			web(count(8), from(0, 2*time.Minute)))
		tests := []struct {
			span    flow.Span
			packets uint64 // to the server
		}{
			{flow.Span{}, 15},
			{flow.Span{Start: at(time.Minute), End: at(2 * time.Minute)}, 7},
			{flow.Span{Start: at(time.Minute + 1), End: at(2*time.Minute - 1)}, 2},
			{flow.Span{Start: at(2 * time.Minute)}, 8},
			{flow.Span{End: at(time.Minute + 1)}, 1},
			{flow.Span{Start: at(time.Hour)}, 0},
			{flow.Span{Start: at(time.Minute), End: at(time.Minute)}, 0},
		}
		for _, tt := range tests {
			var packets uint64
			for _, r := range top(t, s, query.Query{Span: tt.span}) {
				packets += r.ToServer.Packets
			}
			if packets != tt.packets {
				t.Errorf("span %d to %d: got %d packets, want %d", tt.span.Start-noon, tt.span.End-noon, packets, tt.packets)
			}
		}
	}},
	{"steps", func(t *testing.T, s store.Store) {
		const step = 7 * time.Minute // noon is not a multiple
		first := at(0) - at(0)%int64(step)
		write(t, s,
			web(count(8), func(r *flow.Record) { r.Start, r.End = first-5, first-1 }),
			web(count(1), func(r *flow.Record) { r.Start, r.End = first-5, first }),
			web(count(2), func(r *flow.Record) { r.Start, r.End = first, first+int64(step)-1 }),
			web(count(4), func(r *flow.Record) { r.Start, r.End = first, first+int64(step) }))
		type bucket struct{ Start, Packets uint64 }
		var got []bucket
		for _, r := range top(t, s, query.Query{Step: step, By: query.Server}) {
			got = append(got, bucket{uint64(r.Bucket - first + int64(step)), r.ToServer.Packets})
		}
		if diff := cmp.Diff([]bucket{{0, 8}, {uint64(step), 3}, {2 * uint64(step), 4}}, got); diff != "" {
			t.Errorf("buckets (-want +got):\n%s", diff)
		}
	}},
}

// keep returns r with the columns that are not in dims zero.
func keep(r query.Row, dims query.Dims) query.Row {
	q := query.Query{By: dims}
	dims = q.Dims()
	if !dims.Has(query.Client) {
		r.Client = [16]byte{}
	}
	if !dims.Has(query.Server) {
		r.Server = [16]byte{}
	}
	if !dims.Has(query.Port) {
		r.Port = 0
	}
	if !dims.Has(query.Proto) {
		r.Proto = 0
	}
	if !dims.Has(query.App) {
		r.App = flow.App{}
	}
	if !dims.Has(query.VLAN) {
		r.VLAN = 0
	}
	if !dims.Has(query.Observer) {
		r.Observer = ""
	}
	return r
}
