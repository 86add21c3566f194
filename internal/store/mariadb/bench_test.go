package mariadb_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

// traffic makes n records of a busy network within two hours: a few thousand clients, services
// by a power law, one in twenty IPv6.
func traffic(n int) []flow.Record {
	random := rand.New(rand.NewPCG(1, 1))
	client := rand.NewZipf(random, 1.2, 1, 4000)
	server := rand.NewZipf(random, 1.1, 1, 50_000)
	ports := []uint16{443, 443, 443, 53, 80, 22, 3306, 8080}
	records := make([]flow.Record, n)
	for i := range records {
		c, s := client.Uint64(), server.Uint64()
		ends := [2]string{fmt.Sprintf("10.0.%d.%d:50000", c>>8, c&255), fmt.Sprintf("10.1.%d.%d:443", s>>8, s&255)}
		if random.IntN(20) == 0 {
			ends = [2]string{fmt.Sprintf("[2001:db8::%x]:50000", c), fmt.Sprintf("[2001:db8:1::%x]:443", s)}
		}
		records[i] = record(ends[0], ends[1], func(r *flow.Record) {
			r.ID = random.Uint64()
			r.ServerPort = ports[random.IntN(len(ports))]
			r.End = noon + int64(i)*int64(2*time.Hour)/int64(n)
			r.Start = r.End - random.Int64N(int64(time.Minute))
			r.ToServer.Bytes, r.ToClient.Bytes = random.Uint64N(10_000), random.Uint64N(1_000_000)
			r.Info = fmt.Sprintf("host%d.example.com", s)
		})
	}
	return records
}

// BenchmarkWrite writes records in the ways there are; oneRow is how ntopng
// does it.
func BenchmarkWrite(b *testing.B) {
	srv := need(b)
	records := traffic(100_000)
	ways := []struct {
		name  string
		setup string
		rows  int // of one write
	}{
		{"load", "", len(records)},
		{"insert", "SET GLOBAL local_infile = 0", len(records)},
	}
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			db := srv.db(b, "")
			if way.setup != "" {
				exec1(b, db, way.setup)
				defer db.ExecContext(context.Background(), "SET GLOBAL local_infile = 1")
			}
			s := open(b, srv.config(srv.database(b)))
			write(b, s, records[:1000]...)
			b.ReportAllocs()
			for b.Loop() {
				write(b, s, records[:way.rows]...)
			}
			b.ReportMetric(float64(b.N*way.rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	b.Run("oneRow", func(b *testing.B) {
		db := srv.db(b, srv.database(b))
		exec1(b, db, generations[3].create)
		exec1(b, db, "ALTER TABLE flowsv4 ENGINE=InnoDB")
		i := 0
		for b.Loop() {
			text := strings.NewReplacer("%first", "1773489600", "%last", "1773489660").Replace(generations[3].insert)
			if _, err := db.ExecContext(b.Context(), text); err != nil {
				b.Fatal(err)
			}
			i++
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

// BenchmarkTop asks for the largest edges among 200 000 records: of the
// roll-up, and of the rows.
func BenchmarkTop(b *testing.B) {
	srv := need(b)
	s := open(b, srv.config(srv.database(b)))
	const records = 200_000
	write(b, s, traffic(records)...)
	for name, q := range map[string]query.Query{
		"rollUp": {Limit: 10},
		"rows":   {Limit: 10, Filter: query.Count{Field: query.Bytes, Op: query.GreaterEq}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if rows := top(b, s, q); len(rows) != 10 {
					b.Fatalf("%d rows", len(rows))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
		})
	}
}
