package clickhouse

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	chtest "github.com/portolan/portolan/e2e/clickhouse"

	"github.com/portolan/portolan/internal/flow"
)

// noon is a full UTC hour.
var noon = time.Date(2026, time.January, 15, 12, 0, 0, 0, time.UTC).UnixNano()

// record returns the i-th record of a test: one packet of 100 bytes to the
// server, ended at a time after noon.
func record(i uint64, after time.Duration) flow.Record {
	r := flow.Record{
		Key: flow.Key{
			Client:     [16]byte{10: 0xff, 11: 0xff, 12: 10, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)},
			Server:     [16]byte{10: 0xff, 11: 0xff, 12: 192, 13: 168, 15: byte(i % 7)},
			ClientPort: 50000, ServerPort: 443, Proto: flow.TCP,
		},
		ID: i, End: noon + int64(after), ToServer: flow.Counters{Packets: 1, Bytes: 100}, Observer: "eth0", Info: fmt.Sprint("host", i%100),
	}
	r.Start = r.End - int64(time.Second)
	return r
}

// records returns n records over two days, the first of them the one with
// number first.
func records(first, n uint64) *flow.Batch {
	b := &flow.Batch{}
	for i := first; i < first+n; i++ {
		b.Records = append(b.Records, record(i, time.Duration(i%20)*time.Hour))
	}
	return b
}

// totals are sums over the tables of a store.
type totals struct{ Flows, Distinct, Hourly, Daily, Days uint64 }

func sumsOf(t *testing.T, s *Store) (n totals) {
	t.Helper()
	for statement, to := range map[string]*uint64{
		"SELECT count() FROM %s.flows":                               &n.Flows,
		"SELECT uniqExact(flow_id) FROM %s.flows":                    &n.Distinct,
		"SELECT toUInt64(sum(packets_to_server)) FROM %s.edges_hour": &n.Hourly,
		"SELECT toUInt64(sum(packets_to_server)) FROM %s.edges_day":  &n.Daily,
		"SELECT toUInt64(sum(records)) FROM %s.days":                 &n.Days,
	} {
		if err := s.db.QueryRow(t.Context(), fmt.Sprintf(statement, s.config.Database)).Scan(to); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func all(n uint64) totals { return totals{n, n, n, n, n} }

// TestKilledServer kills a server in the middle of each write: every record is
// there, once, in each table.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	const kills, size = 8, 30_000
	tests := []struct {
		name, options string
		victim        int
	}{
		{"the only one", "", 0},
		{"the second of two shards", "&cluster=lab", 1},
	}
	servers := chtest.StartCluster(t, "lab", 2)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := servers[tt.victim]
			s := open(t, newDatabase(servers[0], tt.options+"&retry=60s"))
			defer s.Close()
			began := time.Now()
			if err := write(t.Context(), s, records(0, size)); err != nil {
				t.Fatal(err)
			}
			usual := time.Since(began)
			for i := range uint64(kills) {
				written := make(chan error, 1)
				go func() { written <- write(t.Context(), s, records((i+1)*size, size)) }()
				// Most is to be seen near the end, where parts become visible.
				time.Sleep(time.Duration(float64(usual) * (0.5 + (float64(i)+rand.Float64())/kills/2)))
				server.Kill()
				if err := server.Start(); err != nil {
					t.Fatal(err)
				}
				if err := <-written; err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(all((i+2)*size), sumsOf(t, s)); diff != "" {
					t.Fatalf("after kill %d (-want +got):\n%s\n%s", i+1, diff, server.Log())
				}
			}
		})
	}
}

func write(ctx context.Context, s *Store, b *flow.Batch) error {
	if err := s.WriteFlows(ctx, b); err != nil {
		return err
	}
	return s.Flush(ctx)
}
