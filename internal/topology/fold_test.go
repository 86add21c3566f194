package topology

import (
	"fmt"
	"slices"
	"testing"

	"github.com/portolan/portolan/internal/host"
	"github.com/portolan/portolan/internal/query"
)

func total(g *Graph) (n uint64) {
	for i := range g.Edges {
		n += g.Edges[i].Bytes()
	}
	return n
}

// lines counts the lines that a chart draws.
func lines(g *Graph) int {
	seen := map[[2]HostID]bool{}
	for i := range g.Edges {
		if e := &g.Edges[i]; e.Client != e.Server {
			seen[[2]HostID{e.Client, e.Server}] = true
		}
	}
	return len(seen)
}

func TestFoldKeepsBytesAndBudget(t *testing.T) {
	for _, b := range []Budget{DefaultBudget(), {40, 20}, {12, 200}, {5, 5}, {2, 1}, {1, 1}} {
		for seed := range uint64(12) {
			for _, nets := range []int{1, 4, 90} {
				name := fmt.Sprintf("%v, seed %d, %d networks", b, seed, nets)
				g := graphOf(t, random(seed, 400, nets))
				checkGraph(t, g)
				f := Fold(g, b)
				checkGraph(t, f)
				if total(f) != total(g) || f.Folded.Bytes != total(g) || f.Folded.BytesShown > f.Folded.Bytes {
					t.Errorf("%s: %d bytes before, %d after, %+v", name, total(g), total(f), *f.Folded)
				}
				if len(f.Hosts) > b.Hosts || lines(f) > b.Edges {
					t.Errorf("%s: %d boxes, %d lines", name, len(f.Hosts), lines(f))
				}
				if f.Folded.Hosts != len(g.Hosts) || f.Folded.Edges != len(g.Edges) || f.Folded.EdgesShown != len(f.Edges) {
					t.Errorf("%s: %+v of %d hosts, %d edges", name, *f.Folded, len(g.Hosts), len(g.Edges))
				}
				if f.Span != g.Span {
					t.Errorf("%s: span %v, want %v", name, f.Span, g.Span)
				}
			}
		}
	}
}

// TestFoldKeepsTheLoudest wants hosts one by one even when there are more
// networks than boxes.
func TestFoldKeepsTheLoudest(t *testing.T) {
	var rows []query.Row
	for i := range 200 {
		rows = append(rows, row(fmt.Sprintf("10.1.%d.1", i), fmt.Sprintf("10.2.%d.1", i), 443, uint64(1000+i)))
	}
	f := Fold(graphOf(t, rows), DefaultBudget())
	if f.Folded.HostsShown < 10 {
		t.Errorf("only %d hosts are drawn one by one", f.Folded.HostsShown)
	}
	if !slices.ContainsFunc(f.Hosts, func(h Host) bool { return h.Key == "10.2.199.1" && h.Count == 1 }) {
		t.Error("the loudest host was folded")
	}
	at := slices.IndexFunc(f.Hosts, func(h Host) bool { return h.Key == otherNetworks })
	if at < 0 || f.Hosts[at].Kind != Stack || f.Hosts[at].Network == "" {
		t.Errorf("other networks: %+v", f.Hosts)
	}
}

func TestFoldSplitsTheInternet(t *testing.T) {
	rows := []query.Row{row("10.0.0.1", "10.0.0.2", 80, 1)}
	for i := range 9 {
		rows = append(rows,
			row(fmt.Sprintf("8.8.0.%d", i), "10.0.0.1", 443, 10),
			row("10.0.0.2", fmt.Sprintf("9.9.0.%d", i), 443, 10))
	}
	rows = append(rows, row("10.0.0.2", "8.8.0.1", 25, 10)) // asks and is asked
	f := Fold(graphOf(t, rows), DefaultBudget())
	checkGraph(t, f)
	got := map[string]int{}
	for _, h := range f.Hosts {
		got[h.Key] = h.Count
		if h.Count > 1 && (h.Kind != Internet || h.Network != host.Internet) {
			t.Errorf("%s is %d in %q", h.Key, h.Kind, h.Network)
		}
	}
	if len(got) != 4 || got[internetClients] != 9 || got[internetServers] != 10 || lines(f) != 3 {
		t.Errorf("boxes %v, %d lines", got, lines(f))
	}
	if f.Folded.Hosts != 20 || f.Folded.HostsShown != 2 {
		t.Errorf("%+v", *f.Folded)
	}
}

func TestFoldLeavesWhatFits(t *testing.T) {
	rows := []query.Row{row("10.0.0.1", "10.0.0.2", 80, 1), row("10.0.0.1", "8.8.8.8", 53, 1), row("10.0.0.2", "10.0.1.9", 22, 9)}
	g := graphOf(t, rows)
	f := Fold(g, DefaultBudget())
	if len(f.Hosts) != 4 || len(f.Edges) != 3 || f.Folded.HostsShown != 4 || f.Folded.BytesShown != 11 {
		t.Errorf("%d hosts, %d edges, %+v", len(f.Hosts), len(f.Edges), *f.Folded)
	}
	if g.Folded != nil {
		t.Error("Fold changed its graph")
	}
	if empty := Fold(graphOf(t, nil), DefaultBudget()); len(empty.Hosts) != 0 || empty.Folded == nil {
		t.Errorf("no rows give %+v", empty)
	}
}

func BenchmarkFold(b *testing.B) {
	g := graphOf(b, random(1, 100_000, 200))
	b.ReportAllocs()
	for b.Loop() {
		Fold(g, DefaultBudget())
	}
	b.ReportMetric(float64(len(g.Hosts)), "hosts")
}

func BenchmarkNew(b *testing.B) {
	rows := random(1, 100_000, 200)
	b.ReportAllocs()
	for b.Loop() {
		graphOf(b, rows)
	}
}
