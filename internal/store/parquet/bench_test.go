package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

// benchEdges is how many edges a large company's network has in a day.
const benchEdges = 50_000

// perDay is how many records a day of traffic has at the most.
const perDay = 10_000_000

// traffic yields n records of a day, or of as many as it takes, in order of End, of benchEdges edges of
// uneven weight, a thousand at a time.
func traffic(n int, yield func([]flow.Record)) {
	g := rand.New(rand.NewPCG(1, 2))
	zipf := func(most uint64) *rand.Zipf { return rand.NewZipf(g, 1.2, 4, most) }
	clients, servers, ports := zipf(4000), zipf(3000), zipf(40)
	edges := make([]flow.Record, benchEdges)
	for i := range edges {
		r := record(0, 0)
		server := servers.Uint64()
		r.Client, r.Server = [16]byte{10: 0xff, 11: 0xff, 12: 10}, [16]byte{10: 0xff, 11: 0xff, 12: 192, 13: 168}
		binary.BigEndian.PutUint16(r.Client[14:], uint16(clients.Uint64()))
		binary.BigEndian.PutUint16(r.Server[14:], uint16(server))
		r.ServerPort = uint16(440 + (server+ports.Uint64())%40)
		r.Info = "host" + strconv.FormatUint(server, 10) + ".example.com"
		edges[i] = r
	}
	pick := zipf(benchEdges - 1)
	records := make([]flow.Record, 0, 1000)
	span := 24 * hour * int64((n+perDay-1)/perDay)
	for i := range n {
		r := record(uint64(i), int64(float64(span)*float64(i)/float64(n)))
		e := &edges[pick.Uint64()]
		r.Client, r.Server, r.ServerPort, r.Info = e.Client, e.Server, e.ServerPort, e.Info
		r.ClientPort = uint16(g.Uint32())
		r.ToServer.Bytes, r.ToClient = g.Uint64N(1e4), flow.Counters{Packets: g.Uint64N(100), Bytes: g.Uint64N(1e6)}
		if records = append(records, r); len(records) == cap(records) || i == n-1 {
			yield(records)
			records = records[:0]
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	const n = 200_000
	var records []flow.Record
	traffic(n, func(r []flow.Record) { records = append(records, r...) })
	b.ReportAllocs()
	var size uint64
	for b.Loop() {
		dir := b.TempDir()
		s, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		fill(b, s, records)
		st, err := s.Stats(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		size = st.Bytes
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
	b.ReportMetric(float64(size)/float64(len(records)), "bytes/record")
}

func fill(tb testing.TB, s *Store, records []flow.Record) {
	tb.Helper()
	for len(records) > 0 {
		n := min(1000, len(records))
		if err := s.WriteFlows(tb.Context(), &flow.Batch{Records: records[:n]}); err != nil {
			tb.Fatal(err)
		}
		records = records[n:]
	}
	if err := s.Flush(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkTop asks a store of a million records, or of as many as
// PORTOLAN_BENCH_RECORDS says.
func BenchmarkTop(b *testing.B) {
	n := 1_000_000
	if text := os.Getenv("PORTOLAN_BENCH_RECORDS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	s, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	traffic(n, func(r []flow.Record) {
		if err := s.WriteFlows(b.Context(), &flow.Batch{Records: r}); err != nil {
			b.Fatal(err)
		}
	})
	if err := errors.Join(s.Flush(b.Context()), s.Compact(b.Context())); err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name string
		q    query.Query
	}{
		{"10 edges from roll-ups", query.Query{Limit: 10}},
		{"10 edges from segments", query.Query{Limit: 10, Filter: query.NameHas{Text: "example"}}},
		{"10 edges of an hour, from its segments", query.Query{Limit: 10, Span: flow.Span{Start: noon + 1, End: noon + hour}}},
		{"10 edges of an hour, from its roll-up", query.Query{Limit: 10, Span: flow.Span{Start: noon, End: noon + hour}}},
		{"servers per hour", query.Query{By: query.Server, Step: 3600e9}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			rows := 0
			for b.Loop() {
				rows = 0
				for _, err := range s.Top(b.Context(), bench.q) {
					if err != nil {
						b.Fatal(err)
					}
					rows++
				}
			}
			b.ReportMetric(float64(rows), "rows")
		})
	}
	fmt.Fprintln(b.Output(), n, "records")
}
