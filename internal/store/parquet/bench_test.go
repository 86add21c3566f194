package parquet

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

// traffic returns n records of one day, in order of End: 4000 clients, 3000
// servers of uneven weight.
func traffic(n int) []flow.Record {
	g := rand.New(rand.NewPCG(1, 2))
	zipf := func(most uint64) func() uint64 { return rand.NewZipf(g, 1.2, 4, most).Uint64 }
	client, server, port := zipf(4000), zipf(3000), zipf(40)
	records := make([]flow.Record, n)
	for i := range records {
		r := record(uint64(i), int64(float64(i)/float64(n)*float64(24*hour)))
		s := server()
		r.Client, r.Server = [16]byte{10: 0xff, 11: 0xff, 12: 10}, [16]byte{10: 0xff, 11: 0xff, 12: 192, 13: 168}
		binary.BigEndian.PutUint16(r.Client[14:], uint16(client()))
		binary.BigEndian.PutUint16(r.Server[14:], uint16(s))
		r.ServerPort = uint16(440 + (s+port())%40)
		r.ClientPort = uint16(g.Uint32())
		r.Info = "host" + strconv.FormatUint(s, 10) + ".example.com"
		r.ToServer.Bytes, r.ToClient = g.Uint64N(1e4), flow.Counters{Packets: g.Uint64N(100), Bytes: g.Uint64N(1e6)}
		records[i] = r
	}
	return records
}

func BenchmarkWrite(b *testing.B) {
	records := traffic(200_000)
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
	fill(b, s, traffic(n))
	for _, bench := range []struct {
		name string
		q    query.Query
	}{
		{"10 edges from roll-ups", query.Query{Limit: 10}},
		{"10 edges from segments", query.Query{Limit: 10, Filter: query.NameHas{Text: "example"}}},
		{"10 edges of an hour", query.Query{Limit: 10, Span: flow.Span{Start: noon, End: noon + hour}}},
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
