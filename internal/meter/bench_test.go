package meter

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

// A generator makes batches of packets of established connections, in random
// order.
type generator struct {
	batch [batchSize]packet.Headers
	rng   *rand.PCG
	flows uint64
	six   bool
	now   int64
	made  uint64
}

func newGenerator(flows uint64, six bool) *generator {
	return &generator{rng: rand.NewPCG(1, 2), flows: flows, six: six, now: epoch}
}

// next fills the batch. Connections come in order once, then at random.
func (g *generator) next() []packet.Headers {
	for i := range g.batch {
		n := g.made
		if g.made >= g.flows {
			n = (g.rng.Uint64() >> 32) * g.flows >> 32
		}
		g.made++
		h := &g.batch[i]
		*h = packet.Headers{Time: g.now, Bytes: 60, TCPFlags: flagACK, Window: 1, Reversed: n&1 == 0}
		h.Tuple = packet.Tuple{(10<<24|n>>12)<<16 | 443, (172<<24|n>>4)<<16 | 40000 | n&15, 0, 0, uint64(flow.TCP) | 4<<8}
		if g.six {
			h.Tuple = packet.Tuple{0x20010db8 << 32, n >> 12, 0x20010db8<<32 | 1, n >> 4, 443<<48 | (40000|n&15)<<32 | uint64(flow.TCP) | 6<<8}
		}
		g.now += 100 // 10 million packets a second
	}
	return g.batch[:]
}

func benchTable(b testing.TB, g *generator) *Table {
	cfg := Default()
	cfg.MaxFlows = 1 << 20
	cfg.Seed = 1
	t, err := New(cfg, func(*flow.Batch) error { return nil })
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(t.Close)
	for g.made < g.flows {
		if err := t.Observe(nil, g.next()); err != nil {
			b.Fatal(err)
		}
	}
	return t
}

func BenchmarkTable(b *testing.B) {
	perPacket := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchSize), "ns/packet")
	}
	b.Run("making packets", func(b *testing.B) {
		g := newGenerator(1_000_000, false)
		for b.Loop() {
			g.next()
		}
		perPacket(b)
	})
	for _, c := range []struct {
		flows uint64
		six   bool
	}{{1000, false}, {100_000, false}, {1_000_000, false}, {1_000_000, true}} {
		for _, unhurried := range []bool{false, true} {
			name := fmt.Sprintf("flows=%d/six=%v/prefetch=%v", c.flows, c.six, !unhurried)
			b.Run(name, func(b *testing.B) {
				g := newGenerator(c.flows, c.six)
				t := benchTable(b, g)
				t.unhurried = unhurried
				b.ReportAllocs()
				for b.Loop() {
					if err := t.Observe(nil, g.next()); err != nil {
						b.Fatal(err)
					}
				}
				perPacket(b)
			})
		}
	}
}

// BenchmarkNew measures conversations that begin with each packet, up to a
// full table and beyond.
func BenchmarkNew(b *testing.B) {
	for _, proto := range []flow.Proto{flow.TCP, flow.UDP} {
		b.Run(proto.String(), func(b *testing.B) {
			g := newGenerator(1<<40, false)
			t := benchTable(b, newGenerator(0, false))
			b.ReportAllocs()
			for b.Loop() {
				hs := g.next()
				for i := range hs {
					hs[i].TCPFlags = flagSYN
					if proto == flow.UDP {
						hs[i].Tuple[4], hs[i].TCPFlags = uint64(flow.UDP)|4<<8, 0
					}
				}
				if err := t.Observe(nil, hs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchSize), "ns/packet")
		})
	}
}

// BenchmarkSweep measures one look at a million records, none of which is due.
func BenchmarkSweep(b *testing.B) {
	g := newGenerator(1_000_000, false)
	t := benchTable(b, g)
	b.ReportAllocs()
	for b.Loop() {
		t.sweeper.swept = t.clock.now - sweepPeriod
		t.sweep()
	}
}

func TestObserveAllocatesNothing(t *testing.T) {
	g := newGenerator(5000, false)
	table := benchTable(t, g)
	if n := testing.AllocsPerRun(1000, func() {
		if err := table.Observe(nil, g.next()); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a batch of known conversations", n)
	}
	g = newGenerator(1<<40, false)
	cfg := Default()
	cfg.MaxFlows = 1000 // exports with each packet
	small, err := New(cfg, func(*flow.Batch) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	if n := testing.AllocsPerRun(1000, func() {
		if err := small.Observe(nil, g.next()); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a batch of new conversations", n)
	}
}
