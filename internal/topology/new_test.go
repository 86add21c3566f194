package topology

import (
	"encoding/binary"
	"errors"
	"iter"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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

// graphOf is the graph of rows, names unknown.
func graphOf(t testing.TB, rows []query.Row) *Graph {
	t.Helper()
	g, err := New(rowsOf(rows), host.NewNames())
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func ipv4(ip uint32) (a [16]byte) {
	a[10], a[11] = 0xff, 0xff
	binary.BigEndian.PutUint32(a[12:], ip)
	return a
}

// row says that client uses port of server.
func row(client, server string, port uint16, bytes uint64) query.Row {
	return query.Row{
		Client: netip.MustParseAddr(client).As16(), Server: netip.MustParseAddr(server).As16(), Port: port, Proto: flow.TCP,
		ToServer: flow.Counters{Packets: 1, Bytes: bytes}, Flows: 1, First: 1000, Last: 2000, Evidence: flow.SYNSeen,
	}
}

// random returns n rows among nets private networks and public addresses.
func random(seed uint64, n, nets int) []query.Row {
	r := rand.New(rand.NewPCG(seed, 1))
	addr := func() [16]byte {
		if r.IntN(5) == 0 {
			return ipv4(8<<24 | uint32(r.IntN(500)))
		}
		return ipv4(10<<24 | uint32(r.IntN(nets))<<8 | uint32(r.IntN(60)+1))
	}
	rows := make([]query.Row, n)
	for i := range rows {
		rows[i] = query.Row{
			Client: addr(), Server: addr(), Port: []uint16{22, 80, 443, 3306}[r.IntN(4)], Proto: flow.TCP,
			ToServer: flow.Counters{Packets: 1, Bytes: r.Uint64N(1e9)}, ToClient: flow.Counters{Packets: 1, Bytes: r.Uint64N(1e6)},
			Flows: 1, First: int64(1000 + i), Last: int64(2000 + i), Evidence: flow.SYNSeen,
		}
	}
	return rows
}

func TestNew(t *testing.T) {
	names := host.NewNames()
	names.Add(netip.MustParseAddr("10.0.0.1"), "web", host.Virtual)
	names.Add(netip.MustParseAddr("10.0.0.2"), "db", host.Physical)
	a, b := row("10.0.0.1", "10.0.0.2", 3306, 10), row("10.0.0.1", "10.0.0.2", 3306, 5)
	a.App, b.App = flow.App{Master: 20}, flow.App{Master: 20, Guess: true}
	a.First, b.Last, b.Evidence = 500, 3000, flow.LowerPort
	b.ToClient = flow.Counters{Packets: 2, Bytes: 100}
	icmp := row("10.0.0.2", "10.0.0.1", 0, 84)
	icmp.Proto = flow.ICMP
	g, err := New(rowsOf([]query.Row{icmp, b, row("10.0.0.3", "224.0.0.251", 5353, 7), a}), names)
	if err != nil {
		t.Fatal(err)
	}
	want := &Graph{
		Span: flow.Span{Start: 500, End: 3000},
		Hosts: []Host{
			{ID: 0, Key: "10.0.0.1", Name: "web", Network: "10.0.0.0/24", Kind: Virtual, Count: 1, Bytes: 199,
				Services: []Service{{Proto: flow.ICMP, Bytes: 84}}},
			{ID: 1, Key: "10.0.0.2", Name: "db", Network: "10.0.0.0/24", Kind: Physical, Count: 1, Bytes: 199,
				Services: []Service{{Proto: flow.TCP, Port: 3306, Name: "mysql", App: flow.App{Master: 20}, Bytes: 115}}},
			{ID: 2, Key: "10.0.0.3", Network: "10.0.0.0/24", Count: 1, Bytes: 7},
			{ID: 3, Key: "224.0.0.251", Network: host.Groups, Kind: Group, Count: 1, Bytes: 7,
				Services: []Service{{Proto: flow.TCP, Port: 5353, Name: "mdns", Bytes: 7}}},
		},
		Edges: []Edge{
			{Client: 0, Server: 1, Proto: flow.TCP, Port: 3306, Service: "mysql", App: flow.App{Master: 20}, AppName: "MySQL",
				ToServer: flow.Counters{Packets: 2, Bytes: 15}, ToClient: flow.Counters{Packets: 2, Bytes: 100},
				Flows: 2, First: 500, Last: 3000, Evidence: flow.SYNSeen},
			{Client: 1, Server: 0, Proto: flow.ICMP, ToServer: flow.Counters{Packets: 1, Bytes: 84}, Flows: 1, First: 1000, Last: 2000, Evidence: flow.SYNSeen},
			{Client: 2, Server: 3, Proto: flow.TCP, Port: 5353, Service: "mdns", ToServer: flow.Counters{Packets: 1, Bytes: 7},
				Flows: 1, First: 1000, Last: 2000, Evidence: flow.SYNSeen},
		},
	}
	if d := cmp.Diff(want, g, cmpopts.IgnoreFields(Host{}, "Addrs")); d != "" {
		t.Error(d)
	}
	for _, h := range g.Hosts {
		if len(h.Addrs) != 1 || h.Addrs[0].String() != h.Key {
			t.Errorf("%s has the addresses %v", h.Key, h.Addrs)
		}
	}
}

func TestNewEndsAtAnError(t *testing.T) {
	broken := errors.New("broken")
	_, err := New(func(yield func(query.Row, error) bool) {
		if yield(row("10.0.0.1", "10.0.0.2", 80, 1), nil) && yield(query.Row{}, broken) {
			t.Error("New goes on after an error")
		}
	}, host.NewNames())
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

// TestOrderOfRowsDoesNotMatter holds New and Fold to one answer.
func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	for seed := range uint64(10) {
		rows := random(seed, 300, 6)
		want := Fold(graphOf(t, rows), DefaultBudget())
		r := rand.New(rand.NewPCG(seed, 2))
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		got := Fold(graphOf(t, rows), DefaultBudget())
		if d := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
	}
}

// checkGraph holds a graph to what Graph promises.
func checkGraph(t *testing.T, g *Graph) {
	t.Helper()
	keys := map[string]bool{}
	bytes := make([]uint64, len(g.Hosts))
	served := make([]uint64, len(g.Hosts))
	for i := range g.Edges {
		e := &g.Edges[i]
		bytes[e.Client] += e.Bytes()
		if e.Client != e.Server {
			bytes[e.Server] += e.Bytes()
		}
		served[e.Server] += e.Bytes()
		if i > 0 && (g.Edges[i-1].Client > e.Client || g.Edges[i-1].Client == e.Client && g.Edges[i-1].Server > e.Server) {
			t.Errorf("edge %d stands behind one that follows it", i)
		}
	}
	for i := range g.Hosts {
		h := &g.Hosts[i]
		if int(h.ID) != i || keys[h.Key] || h.Key == "" {
			t.Errorf("host %d has ID %d and key %q", i, h.ID, h.Key)
		}
		keys[h.Key] = true
		if h.Bytes != bytes[i] {
			t.Errorf("%s has %d bytes, its edges have %d", h.Key, h.Bytes, bytes[i])
		}
		for _, s := range h.Services {
			served[i] -= s.Bytes
		}
		if served[i] != 0 {
			t.Errorf("%s: the bytes of its services are not those of the edges to it", h.Key)
		}
		if len(h.Addrs) != h.Count || !slices.IsSortedFunc(h.Addrs, netip.Addr.Compare) {
			t.Errorf("%s stands for %d machines and has %d addresses", h.Key, h.Count, len(h.Addrs))
		}
		if h.Count > 1 && !strings.HasPrefix(h.Name, "+") && h.Kind != Internet {
			t.Errorf("%s is called %q", h.Key, h.Name)
		}
	}
}
