// Package storetest is the contract of store.Store: what every driver's test
// runs. What is not in it is not promised.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

// Run tests the contract. The function open returns an empty store; Run closes
// it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	groups := []struct {
		name  string
		tests []test
	}{
		{"rows", rowTests}, {"order", orderTests}, {"observers", observerTests},
		{"filters", filterTests}, {"losses", lossTests}, {"calls", callTests},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, test := range g.tests {
				t.Run(test.name, func(t *testing.T) { test.run(t, opened(t, open)) })
			}
		})
	}
}

// A test looks at one promise with an empty store.
type test struct {
	name string
	run  func(t *testing.T, s store.Store)
}

// opened opens a store that is closed when the test ends.
func opened(t *testing.T, open func(t *testing.T) store.Store) store.Store {
	t.Helper()
	s := open(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// noon is when most records of the tests begin: a full UTC hour.
var noon = time.Date(2026, time.January, 15, 12, 0, 0, 0, time.UTC).UnixNano()

// at returns the time after noon, in ns since 1970.
func at(after time.Duration) int64 { return noon + int64(after) }

// addr returns the 16 bytes of an address.
func addr(s string) [16]byte { return netip.MustParseAddr(s).As16() }

// web returns a record of 10.0.0.1 asking 10.0.0.2 on TCP port 443, just after
// noon, changed by the functions.
func web(change ...func(*flow.Record)) flow.Record {
	r := flow.Record{
		Key: flow.Key{
			Client: addr("10.0.0.1"), Server: addr("10.0.0.2"),
			ClientPort: 50000, ServerPort: 443, Proto: flow.TCP,
		},
		ID:    1,
		Start: at(1), End: at(time.Minute),
		ToServer: flow.Counters{Packets: 10, Bytes: 1000},
		ToClient: flow.Counters{Packets: 20, Bytes: 20000},
		App:      flow.App{Master: 91, App: 126},
		Evidence: flow.SYNSeen, Cause: flow.EndOfFlow,
		Observer: "eth0", Info: "www.example.com",
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

// count sets both counters of a record: to the server n, to the client 2n.
func count(n uint64) func(*flow.Record) {
	return func(r *flow.Record) {
		r.ToServer = flow.Counters{Packets: n, Bytes: 100 * n}
		r.ToClient = flow.Counters{Packets: 2 * n, Bytes: 200 * n}
	}
}

func client(s string) func(*flow.Record)   { return func(r *flow.Record) { r.Client = addr(s) } }
func server(s string) func(*flow.Record)   { return func(r *flow.Record) { r.Server = addr(s) } }
func port(p uint16) func(*flow.Record)     { return func(r *flow.Record) { r.ServerPort = p } }
func vlan(id uint16) func(*flow.Record)    { return func(r *flow.Record) { r.VLAN = id } }
func slice(n uint32) func(*flow.Record)    { return func(r *flow.Record) { r.Slice = n } }
func observer(s string) func(*flow.Record) { return func(r *flow.Record) { r.Observer = s } }
func info(s string) func(*flow.Record)     { return func(r *flow.Record) { r.Info = s } }

func proto(p flow.Proto) func(*flow.Record) { return func(r *flow.Record) { r.Proto = p } }

func app(master, app uint16, guess bool) func(*flow.Record) {
	return func(r *flow.Record) { r.App = flow.App{Master: master, App: app, Guess: guess} }
}

// from sets when a record begins and ends, counted from noon.
func from(start, end time.Duration) func(*flow.Record) {
	return func(r *flow.Record) { r.Start, r.End = at(start), at(end) }
}

// write hands records over, one batch, and flushes.
func write(t *testing.T, s store.Store, records ...flow.Record) {
	t.Helper()
	if err := s.WriteFlows(t.Context(), &flow.Batch{Records: records}); err != nil {
		t.Fatalf("WriteFlows: %v", err)
	}
	flush(t, s)
}

func flush(t *testing.T, s store.Store) {
	t.Helper()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatalf("Flush: %v", err)
	}
}

// top returns the whole answer to q.
func top(t *testing.T, s store.Store, q query.Query) []query.Row {
	t.Helper()
	rows, err := collect(t.Context(), s, q)
	if err != nil {
		t.Fatalf("Top(%s): %v", show(q), err)
	}
	return rows
}

func collect(ctx context.Context, s store.Store, q query.Query) (rows []query.Row, err error) {
	for row, err := range s.Top(ctx, q) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// want compares the answer to q with rows.
func want(t *testing.T, s store.Store, q query.Query, rows ...query.Row) {
	t.Helper()
	if diff := cmp.Diff(lines(rows), lines(top(t, s, q))); diff != "" {
		t.Errorf("%s (-want +got):\n%s", show(q), diff)
	}
}

// show prints a query.
func show(q query.Query) string {
	filter := "everything"
	if q.Filter != nil {
		filter = q.Filter.String()
	}
	if len(filter) > 1000 {
		filter = filter[:1000] + "..."
	}
	return fmt.Sprintf("%s by %s, span %d to %d, step %s, order %s, limit %d",
		filter, q.Dims(), q.Span.Start, q.Span.End, q.Step, q.Sort, q.Limit)
}

// lines prints rows, so that a difference can be read.
func lines(rows []query.Row) []string {
	var out []string
	for _, r := range rows {
		observer := r.Observer
		if len(observer) > 100 {
			observer = fmt.Sprintf("%s... %d bytes", observer[:100], len(observer))
		}
		out = append(out, fmt.Sprintf(
			"bucket %d: %s to %s port %d proto %d app %d.%d guess %t vlan %d observer %q: "+
				"to server %d packets %d bytes, to client %d packets %d bytes, %d flows, %d to %d, evidence %d",
			r.Bucket, netip.AddrFrom16(r.Client), netip.AddrFrom16(r.Server), r.Port, r.Proto,
			r.App.Master, r.App.App, r.App.Guess, r.VLAN, observer,
			r.ToServer.Packets, r.ToServer.Bytes, r.ToClient.Packets, r.ToClient.Bytes,
			r.Flows, r.First, r.Last, r.Evidence))
	}
	return out
}

// webRow is the row of the record that web returns, changed by the functions.
func webRow(change ...func(*query.Row)) query.Row {
	row := query.Row{
		Client: addr("10.0.0.1"), Server: addr("10.0.0.2"), Port: 443, Proto: flow.TCP,
		App:      flow.App{Master: 91, App: 126},
		ToServer: flow.Counters{Packets: 10, Bytes: 1000},
		ToClient: flow.Counters{Packets: 20, Bytes: 20000},
		Flows:    1,
		First:    at(1), Last: at(time.Minute),
		Evidence: flow.SYNSeen,
	}
	for _, c := range change {
		c(&row)
	}
	return row
}

// servers returns the addresses of the servers of rows.
func servers(rows []query.Row) string {
	var names []string
	for _, r := range rows {
		names = append(names, flow.Addr(r.Server).String())
	}
	return strings.Join(names, " ")
}
