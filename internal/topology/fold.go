package topology

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
)

// A Budget is what one page can hold and still be read.
type Budget struct {
	Hosts int // boxes
	Edges int // lines: pairs of boxes, whatever the ports between them
}

// DefaultBudget is a page that people can take in.
func DefaultBudget() Budget { return Budget{Hosts: 40, Edges: 60} }

// Fold makes a graph of at most about b: public addresses become one box for
// those that ask and one for those that are asked; of each network the hosts
// with the least bytes become one stack. No bytes are lost: what is folded is
// summed. A graph that fits already is only told so.
//
// When there are more networks than b.Hosts, every one still keeps its stack.
func Fold(g *Graph, b Budget) *Graph {
	folding := &Folding{Hosts: machines(g), Edges: len(g.Edges)}
	for i := range g.Edges {
		folding.Bytes += g.Edges[i].Bytes()
	}
	out := g
	keep := len(g.Hosts)
	for {
		out = foldTo(g, keep, keep < len(g.Hosts) || publics(g) > maxPublics)
		if len(out.Hosts) <= b.Hosts && pairs(out) <= b.Edges || keep == 0 {
			break
		}
		// A tenth at a time: fast on large graphs, one by one at the end.
		keep -= max(1, keep/10)
		if len(out.Hosts) > 4*b.Hosts {
			keep = min(keep, 2*b.Hosts)
		}
	}
	folding.EdgesShown = len(out.Edges)
	for i := range out.Hosts {
		if out.Hosts[i].Count == 1 {
			folding.HostsShown++
		}
	}
	for i := range out.Edges {
		e := &out.Edges[i]
		if out.Hosts[e.Client].Count == 1 && out.Hosts[e.Server].Count == 1 {
			folding.BytesShown += e.Bytes()
		}
	}
	folded := *out
	folded.Folded = folding
	return &folded
}

// maxPublics is how many public addresses are drawn one by one.
const maxPublics = 3

func publics(g *Graph) int {
	n := 0
	for i := range g.Hosts {
		if g.Hosts[i].Network == "Internet" {
			n++
		}
	}
	return n
}

func machines(g *Graph) int {
	n := 0
	for i := range g.Hosts {
		n += g.Hosts[i].Count
	}
	return n
}

func pairs(g *Graph) int {
	seen := map[[2]HostID]bool{}
	for i := range g.Edges {
		seen[[2]HostID{g.Edges[i].Client, g.Edges[i].Server}] = true
	}
	return len(seen)
}

// foldTo keeps the keep hosts with the most bytes, and folds the rest.
func foldTo(g *Graph, keep int, internet bool) *Graph {
	order := make([]HostID, len(g.Hosts))
	for i := range order {
		order[i] = HostID(i)
	}
	slices.SortStableFunc(order, func(a, b HostID) int { return cmp.Compare(g.Hosts[b].Bytes, g.Hosts[a].Bytes) })
	kept := make([]bool, len(g.Hosts))
	for _, id := range order[:keep] {
		kept[id] = g.Hosts[id].Network != "Internet" || !internet
	}
	rest := map[string][]HostID{} // by key of the box they go into
	box := func(id HostID, asks bool) string {
		h := &g.Hosts[id]
		switch {
		case kept[id]:
			return h.Key
		case h.Network == "Internet" && asks:
			return "internet clients"
		case h.Network == "Internet":
			return "internet servers"
		}
		return "net " + h.Network
	}
	for i := range g.Edges {
		e := &g.Edges[i]
		for _, end := range []struct {
			id   HostID
			asks bool
		}{{e.Client, true}, {e.Server, false}} {
			if key := box(end.id, end.asks); !kept[end.id] && !slices.Contains(rest[key], end.id) {
				rest[key] = append(rest[key], end.id)
			}
		}
	}
	stacks := map[string]Host{}
	for key, ids := range rest {
		stacks[key] = stack(g, key, ids)
	}
	b := newBuilder()
	for i := range g.Edges {
		e := g.Edges[i]
		client, server := g.Hosts[e.Client], g.Hosts[e.Server]
		if !kept[e.Client] {
			client = stacks[box(e.Client, true)]
		}
		if !kept[e.Server] {
			server = stacks[box(e.Server, false)]
		}
		b.add(client, server, e)
	}
	return b.graph()
}

// stack is the box of several hosts; of one, that host.
func stack(g *Graph, key string, ids []HostID) Host {
	if len(ids) == 1 {
		return g.Hosts[ids[0]]
	}
	h := Host{Key: key, Kind: Stack, Network: g.Hosts[ids[0]].Network, Name: fmt.Sprintf("+%d hosts", len(ids))}
	switch key {
	case "internet clients":
		h.Kind, h.Name = Internet, fmt.Sprintf("%d clients", len(ids))
	case "internet servers":
		h.Kind, h.Name = Internet, fmt.Sprintf("%d servers", len(ids))
	}
	for _, id := range ids {
		h.Addrs = append(h.Addrs, g.Hosts[id].Addrs...)
		h.Count += g.Hosts[id].Count
	}
	slices.SortFunc(h.Addrs, netip.Addr.Compare)
	return h
}
