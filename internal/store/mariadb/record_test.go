package mariadb_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

// noon is when the tests' records end, in ns since 1970 UTC.
var noon = time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC).UnixNano()

// record returns one of TCP from client to server, changed by the functions.
func record(client, server string, change ...func(*flow.Record)) flow.Record {
	r := flow.Record{
		Key: flow.NewKey(flow.TCP, netip.MustParseAddrPort(client), netip.MustParseAddrPort(server)),
		ID:  7, Start: noon - int64(time.Second), End: noon,
		ToServer: flow.Counters{Packets: 1, Bytes: 100}, ToClient: flow.Counters{Packets: 2, Bytes: 1000},
		App: flow.App{Master: 91, App: 126}, Evidence: flow.SYNSeen, Cause: flow.EndOfFlow, Observer: "eth0", Info: "www.example.com",
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func bytes2(toServer, toClient uint64) func(*flow.Record) {
	return func(r *flow.Record) { r.ToServer.Bytes, r.ToClient.Bytes = toServer, toClient }
}

func write(t testing.TB, s store.Store, records ...flow.Record) {
	t.Helper()
	if err := s.WriteFlows(t.Context(), &flow.Batch{Records: records}); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func top(t testing.TB, s store.Store, q query.Query) (rows []query.Row) {
	t.Helper()
	for row, err := range s.Top(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}
