package storetest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/memory"
)

const (
	differentialSeeds   = 3
	differentialRecords = 600
	differentialQueries = 60
)

// Differential asks random questions about random records, and compares the
// answers with those of the memory store.
func Differential(t *testing.T, open func(t *testing.T) store.Store) {
	for seed := range uint64(differentialSeeds) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			g := generator{rand.New(rand.NewPCG(seed, 0))}
			s, oracle := opened(t, open), memory.New()
			for range 3 { // writes, so that a store has several pieces
				records := make([]flow.Record, differentialRecords/3)
				for i := range records {
					records[i] = g.record()
				}
				write(t, s, records...)
				write(t, oracle, records...)
			}
			for range differentialQueries {
				q := g.query()
				if diff := cmp.Diff(lines(top(t, oracle, q)), lines(top(t, s, q))); diff != "" {
					t.Fatalf("%s (-memory +got):\n%s", show(q), diff)
				}
			}
		})
	}
}

// A generator makes records and questions from small sets of values, so that
// many records meet in a row and many filters pass some of them.
type generator struct{ *rand.Rand }

func pick[T any](g generator, values ...T) T { return values[g.IntN(len(values))] }

func (g generator) addr() [16]byte {
	return addr(pick(g, "10.0.0.1", "10.0.0.2", "10.0.1.1", "192.168.0.1", "::1", "2001:db8::1", "2001:db8:1::2", "255.255.255.255"))
}

func (g generator) port() uint16 { return pick[uint16](g, 0, 53, 80, 443, 1024, 65535) }

func (g generator) proto() flow.Proto { return pick(g, flow.ICMP, flow.TCP, flow.UDP, 255) }

func (g generator) text() string {
	return pick(g, "", "eth0", "Eth0", "a'b", "é", "É", "\xff", "a\x00", "%")
}

func (g generator) appID() uint16 { return pick[uint16](g, 0, 5, 91, 126, 300) }

// time returns a moment within four hours, often one at the edge of an hour.
func (g generator) time() int64 {
	return at(time.Duration(g.IntN(4))*time.Hour + pick(g, 0, time.Hour-1, 1, time.Duration(g.Int64N(int64(time.Hour)))))
}

func (g generator) counters() flow.Counters {
	return flow.Counters{Packets: uint64(g.IntN(20)), Bytes: pick(g, uint64(g.IntN(3000)), uint64(g.Int64N(1<<40)))}
}

func (g generator) record() flow.Record {
	start, end := g.time(), g.time()
	return flow.Record{
		Key: flow.Key{
			Client: g.addr(), Server: g.addr(), ClientPort: g.port(), ServerPort: g.port(),
			VLAN: pick[uint16](g, 0, 1, 4095), Proto: g.proto(),
		},
		ID: g.Uint64(), Slice: uint32(g.IntN(3)),
		Start: min(start, end), End: max(start, end),
		ToServer: g.counters(), ToClient: g.counters(),
		App:      flow.App{Master: g.appID(), App: g.appID(), Guess: g.IntN(2) == 0},
		Evidence: pick(g, flow.NoEvidence, flow.LowerPort, flow.SYNSeen),
		Observer: g.text(), Info: g.text() + g.text(),
	}
}

func (g generator) query() query.Query {
	q := query.Query{
		By:    query.Dims(g.IntN(int(query.Observer << 1))),
		Step:  pick(g, 0, 0, time.Minute, 7*time.Minute, time.Hour, 90*time.Minute, 24*time.Hour),
		Sort:  pick(g, query.ByBytes, query.ByPackets, query.ByFlows, query.ByLast, query.ByFirst),
		Limit: pick(g, 0, 0, 1, 10),
	}
	if g.IntN(4) > 0 {
		q.Filter = g.expr(3)
	}
	if g.IntN(2) == 0 {
		start, end := g.time(), g.time()
		q.Span = flow.Span{Start: pick(g, 0, min(start, end)), End: pick(g, 0, max(start, end))}
	}
	return q
}

func (g generator) expr(depth int) query.Expr {
	if depth > 0 && g.IntN(2) == 0 {
		switch g.IntN(3) {
		case 0:
			return query.Not{X: g.expr(depth - 1)}
		case 1:
			return query.And{L: g.expr(depth - 1), R: g.expr(depth - 1)}
		}
		return query.Or{L: g.expr(depth - 1), R: g.expr(depth - 1)}
	}
	side := pick(g, query.Either, query.OfClient, query.OfServer)
	switch g.IntN(9) {
	case 0, 1:
		a := netip.AddrFrom16(g.addr()).Unmap()
		bits := pick(g, 0, a.BitLen(), g.IntN(a.BitLen()+1))
		return query.Net{Side: side, Prefix: netip.PrefixFrom(a, bits).Masked()}
	case 2:
		a, b := g.port(), g.port()
		return query.Ports{Side: side, Lo: min(a, b), Hi: max(a, b)}
	case 3:
		return query.FamilyIs{IPv6: g.IntN(2) == 0}
	case 4:
		return query.ProtoIs{Proto: g.proto()}
	case 5:
		ids := []uint16{g.appID(), 400}
		return query.AppIs{Name: "x", IDs: ids[:g.IntN(3)]}
	case 6:
		return query.NameHas{Text: g.text()}
	case 7:
		return pick[query.Expr](g, query.VLANIs{ID: pick[uint16](g, 0, 1, 4095, 2)}, query.ObserverIs{Name: g.text()})
	}
	return query.Count{
		Field: pick(g, query.Bytes, query.Packets),
		Op:    query.Op(g.IntN(6)),
		N:     pick(g, 0, 20, 2000, g.Uint64()>>20),
	}
}
