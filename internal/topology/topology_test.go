package topology

import (
	"encoding/binary"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"net/netip"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/host"
	"github.com/portolan/portolan/internal/query"
)

func rowsOf(rows []query.Row) iter.Seq2[query.Row, error] {
	return func(yield func(query.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func random(seed uint64, n int) []query.Row {
	rnd := rand.New(rand.NewPCG(seed, 1))
	addr := func() (a [16]byte) {
		a[10], a[11] = 0xff, 0xff
		ip := uint32(192<<24|168<<16) | uint32(rnd.IntN(4))<<8 | uint32(rnd.IntN(60)+1)
		if rnd.IntN(5) == 0 {
			ip = 8<<24 | uint32(rnd.IntN(500))
		}
		binary.BigEndian.PutUint32(a[12:], ip)
		return a
	}
	rows := make([]query.Row, n)
	for i := range rows {
		rows[i] = query.Row{
			Client: addr(), Server: addr(), Port: []uint16{22, 80, 443, 3306}[rnd.IntN(4)], Proto: flow.TCP,
			ToServer: flow.Counters{Packets: 1, Bytes: rnd.Uint64N(1e9)}, ToClient: flow.Counters{Packets: 1, Bytes: rnd.Uint64N(1e6)},
			Flows: 1, First: int64(1000 + i), Last: int64(2000 + i), Evidence: flow.SYNSeen,
		}
	}
	return rows
}

func total(g *Graph) (n uint64) {
	for i := range g.Edges {
		n += g.Edges[i].Bytes()
	}
	return n
}

func TestFoldKeepsBytesAndBudget(t *testing.T) {
	budget := DefaultBudget()
	for seed := range uint64(20) {
		rows := random(seed, 400)
		g, err := New(rowsOf(rows), host.NewNames())
		if err != nil {
			t.Fatal(err)
		}
		folded := Fold(g, budget)
		if total(folded) != total(g) || folded.Folded.Bytes != total(g) {
			t.Errorf("seed %d: %d bytes before, %d after", seed, total(g), total(folded))
		}
		if len(folded.Hosts) > budget.Hosts || pairs(folded) > budget.Edges {
			t.Errorf("seed %d: %d boxes, %d lines", seed, len(folded.Hosts), pairs(folded))
		}
		if folded.Folded.Hosts != len(g.Hosts) {
			t.Errorf("seed %d: says %d hosts of %d", seed, folded.Folded.Hosts, len(g.Hosts))
		}
		slices.Reverse(rows)
		again, err := New(rowsOf(rows), host.NewNames())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(folded, Fold(again, budget), cmpopts.EquateComparable(netip.Addr{})); d != "" {
			t.Errorf("seed %d: another order of rows gives another graph:\n%s", seed, d)
		}
	}
}

func TestSmallGraphStaysWhole(t *testing.T) {
	g, err := New(rowsOf(random(1, 6)), host.NewNames())
	if err != nil {
		t.Fatal(err)
	}
	for i := range g.Hosts {
		if g.Hosts[i].Count != 1 {
			t.Errorf("%s was folded by New", g.Hosts[i].Key)
		}
	}
	if empty, err := New(rowsOf(nil), host.NewNames()); err != nil || len(Fold(empty, DefaultBudget()).Hosts) != 0 {
		t.Errorf("no rows: %v", err)
	}
}
