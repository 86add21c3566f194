package memory_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/memory"
	"github.com/portolan/portolan/internal/store/storetest"
)

func open(*testing.T) store.Store { return memory.New() }

func TestStore(t *testing.T) { storetest.Run(t, open) }

func TestDifferential(t *testing.T) { storetest.Differential(t, open) }

// BenchmarkTop asks about 100 000 records of 1000 clients and 20 servers over
// a day.
func BenchmarkTop(b *testing.B) {
	const records = 100_000
	s := memory.New()
	batch := flow.Batch{Records: make([]flow.Record, records)}
	for i := range batch.Records {
		r := &batch.Records[i]
		r.Client[10], r.Client[11], r.Client[12] = 0xff, 0xff, 10
		binary.BigEndian.PutUint16(r.Client[14:], uint16(i%1000))
		r.Server = r.Client
		r.Server[13], r.Server[14], r.Server[15] = 1, 0, byte(i%20)
		r.ServerPort, r.Proto, r.Observer = uint16(440+i%7), flow.TCP, "eth0"
		r.Start = int64(i) * int64(24*time.Hour) / records
		r.End = r.Start + int64(time.Second)
		r.ToServer = flow.Counters{Packets: 1, Bytes: uint64(i)}
	}
	if err := s.WriteFlows(b.Context(), &batch); err != nil {
		b.Fatal(err)
	}
	filter, err := query.Parse("tcp port 443 and server net 10.1.0.0/29", nil)
	if err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]query.Query{
		"edges":    {Limit: 100},
		"servers":  {By: query.Server},
		"filtered": {Filter: filter},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range s.Top(b.Context(), q) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
		})
	}
}
