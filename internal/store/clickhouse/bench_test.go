package clickhouse

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	chtest "github.com/portolan/portolan/e2e/clickhouse"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

// traffic returns n records of 4000 clients and 50 000 servers, few of which
// have most of the traffic, over a week from noon.
func traffic(n int) *flow.Batch {
	g := rand.New(rand.NewPCG(1, 2))
	clients, servers := rand.NewZipf(g, 1.2, 10, 3999), rand.NewZipf(g, 1.2, 10, 49999)
	b := &flow.Batch{Records: make([]flow.Record, n)}
	for i := range b.Records {
		r := record(uint64(i), 7*24*time.Hour/time.Duration(n)*time.Duration(i)+time.Duration(g.Int64N(int64(time.Second))/1000*1000))
		s := servers.Uint64()
		binary.BigEndian.PutUint32(r.Client[12:], 10<<24|uint32(clients.Uint64()))
		binary.BigEndian.PutUint32(r.Server[12:], 100<<24|uint32(s*2654435761>>8&0xffffff))
		r.ID, r.Start = g.Uint64(), r.End-g.Int64N(int64(time.Minute))/1000*1000
		r.ClientPort, r.ServerPort = uint16(32768+g.IntN(28000)), [...]uint16{443, 443, 443, 53, 80, 22, 123, 8080}[s%8]
		r.ToServer = flow.Counters{Packets: 1 + g.Uint64N(20), Bytes: 60 + uint64(g.ExpFloat64()*2000)}
		r.ToClient = flow.Counters{Packets: 1 + g.Uint64N(30), Bytes: 60 + uint64(g.ExpFloat64()*20000)}
		r.TCP = flow.TCPFacts{ServerRTT: time.Duration(g.ExpFloat64() * 2e7), FlagsToServer: 0x1b, FlagsToClient: 0x1b}
		r.App, r.Evidence, r.Cause = flow.App{Master: 91, App: uint16(s % 200)}, flow.SYNSeen, flow.EndOfFlow
		r.Info = "host" + string('a'+rune(s%26)) + ".example.org"
		b.Records[i] = r
	}
	return b
}

// BenchmarkWrite writes blocks of 64 Ki records, a day of traffic each.
func BenchmarkWrite(b *testing.B) {
	s, err := Open(b.Context(), newDatabase(chtest.Start(b), "&sync=true"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	batch := traffic(7 * blockRecords)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		part := flow.Batch{Records: batch.Records[i%7*blockRecords : (i%7+1)*blockRecords]}
		if err := write(b.Context(), s, &part); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*blockRecords), "ns/record")
}

// BenchmarkTop asks about a week of 450 000 records.
func BenchmarkTop(b *testing.B) {
	s, err := Open(b.Context(), newDatabase(chtest.Start(b), ""))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := write(b.Context(), s, traffic(7*blockRecords)); err != nil {
		b.Fatal(err)
	}
	filter, err := query.Parse("client net 10.0.0.0/29 and server port 443", nil)
	if err != nil {
		b.Fatal(err)
	}
	raw := query.Count{Field: query.Packets, Op: query.Greater, N: 0}
	for _, ask := range []struct {
		name string
		q    query.Query
	}{
		{"edges", query.Query{Limit: 100}},
		{"edges from records", query.Query{Limit: 100, Filter: raw}},
		{"hours of servers", query.Query{By: query.Server, Step: time.Hour, Limit: 100}},
		{"filtered", query.Query{Filter: filter, Limit: 100}},
		{"last hour", query.Query{Span: flow.Span{Start: noon + 7*day - hour - 1}, Limit: 100}},
	} {
		b.Run(ask.name, func(b *testing.B) {
			for b.Loop() {
				for _, err := range s.Top(b.Context(), ask.q) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
