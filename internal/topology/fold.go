package topology

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"sort"

	"github.com/portolan/portolan/internal/host"
)

// A Budget is what one page can hold and still be read.
type Budget struct {
	Hosts int // boxes
	Edges int // lines: client and server boxes, whatever the ports between them
}

// DefaultBudget is a page that people can take in.
func DefaultBudget() Budget { return Budget{Hosts: 40, Edges: 60} }

// Keys of boxes that Fold makes, beside "net TITLE" for the rest of a network.
const (
	internetClients = "internet clients"
	internetServers = "internet servers"
	otherNetworks   = "other networks"
	everything      = "everything"
)

// maxPublics is how many public addresses are drawn one by one.
const maxPublics = 3

// Fold makes a graph that b can hold. The hosts with the most bytes stay as
// they are; the rest of each network becomes one stack; with many networks, the
// stacks of the quiet ones become one. Public addresses, if there are more than
// three, become one box for those that ask and one for those that are asked.
//
// Nothing is left out: edges of what is folded are summed, and the bytes of all
// edges are the same before and after. If b cannot hold even that, everything
// becomes one box. Folded is set in any case.
func Fold(g *Graph, b Budget) *Graph {
	f := newFolder(g)
	keep, nets := f.fit(b)
	out := f.fold(keep, nets)
	out.Folded, out.LeftOut = folding(g, out), g.LeftOut
	return out
}

func folding(before, after *Graph) *Folding {
	f := &Folding{Edges: len(before.Edges), EdgesShown: len(after.Edges)}
	for i := range before.Hosts {
		f.Hosts += before.Hosts[i].Count
	}
	for i := range after.Hosts {
		if after.Hosts[i].Count == 1 {
			f.HostsShown++
		}
	}
	for i := range after.Edges {
		e := &after.Edges[i]
		f.Bytes += e.Bytes()
		if after.Hosts[e.Client].Count == 1 && after.Hosts[e.Server].Count == 1 {
			f.BytesShown += e.Bytes()
		}
	}
	return f
}

// A folder tries out how far to fold a graph.
type folder struct {
	g     *Graph
	rank  []int // of each host by bytes, 0 = most; public addresses that are folded come last
	net   []int // of each host, its network's place in nets; -1 = a public address that is folded
	nets  []string
	loud  int         // hosts that may be kept
	pairs [][2]HostID // client and server, each pair once
}

func newFolder(g *Graph) *folder {
	f := &folder{g: g, rank: make([]int, len(g.Hosts)), net: make([]int, len(g.Hosts))}
	publics := 0
	bytes := map[string]uint64{}
	for i := range g.Hosts {
		h := &g.Hosts[i]
		if bytes[h.Network] += h.Bytes; h.Network == host.Internet {
			publics++
		}
	}
	folded := func(h *Host) bool { return publics > maxPublics && h.Network == host.Internet }

	for title := range bytes {
		f.nets = append(f.nets, title)
	}
	slices.SortFunc(f.nets, func(x, y string) int { return cmp.Or(cmp.Compare(bytes[y], bytes[x]), cmp.Compare(x, y)) })
	at := make(map[string]int, len(f.nets))
	for i, title := range f.nets {
		at[title] = i
	}
	order := make([]*Host, len(g.Hosts))
	for i := range g.Hosts {
		h := &g.Hosts[i]
		order[i], f.net[i] = h, at[h.Network]
		if folded(h) {
			f.net[i] = -1
			continue
		}
		f.loud++
	}
	slices.SortFunc(order, func(x, y *Host) int {
		if a, b := folded(x), folded(y); a != b {
			if a {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(x.ID, y.ID))
	})
	for i, h := range order {
		f.rank[h.ID] = i
	}
	for i := range g.Edges {
		p := [2]HostID{g.Edges[i].Client, g.Edges[i].Server}
		if n := len(f.pairs); n == 0 || f.pairs[n-1] != p { // edges are sorted
			f.pairs = append(f.pairs, p)
		}
	}
	return f
}

// fit returns how many hosts stay single, and how many networks keep a stack of
// their own. It keeps as many networks as leave a quarter of the boxes to
// hosts, or else what leaves the most hosts. nets is -1 if nothing fits.
func (f *folder) fit(b Budget) (keep, nets int) {
	keep, nets = -1, -1
	for n := min(len(f.nets), max(b.Hosts, 1)); ; n /= 2 {
		// Folding more never takes more boxes, and rarely more lines.
		k := f.loud - sort.Search(f.loud, func(less int) bool { return f.fits(f.loud-less, n, b) })
		if k == 0 && !f.fits(0, n, b) {
			k = -1
		}
		if k > keep {
			keep, nets = k, n
		}
		if n == 0 || k == f.loud || k >= max(1, b.Hosts/4) {
			return max(keep, 0), nets
		}
	}
}

// fits reports whether a fold stays within b.
func (f *folder) fits(keep, nets int, b Budget) bool {
	boxes, lines := map[box]bool{}, map[[2]box]bool{}
	for _, p := range f.pairs {
		client, server := f.box(p[0], true, keep, nets), f.box(p[1], false, keep, nets)
		boxes[client], boxes[server] = true, true
		if client != server { // inside a stack no line is drawn
			lines[[2]box{client, server}] = true
		}
		if len(boxes) > b.Hosts || len(lines) > b.Edges {
			return false
		}
	}
	return true
}

// A box says where an end of an edge is drawn: 0 and up are hosts, below are
// stacks.
type box int

const (
	clientsBox    box = -1 // of the Internet
	serversBox    box = -2
	othersBox     box = -3
	everythingBox box = -4
	networkBox    box = -5 // minus the place of the network
)

func (f *folder) box(h HostID, asks bool, keep, nets int) box {
	switch n := f.net[h]; {
	case nets < 0:
		return everythingBox
	case f.rank[h] < keep:
		return box(h)
	case n < 0 && asks:
		return clientsBox
	case n < 0:
		return serversBox
	case n < nets:
		return networkBox - box(n)
	}
	return othersBox
}

// fold draws keep hosts one by one, and stacks for nets networks.
func (f *folder) fold(keep, nets int) *Graph {
	members := map[box]map[HostID]bool{}
	for _, p := range f.pairs {
		for i, id := range p {
			at := f.box(id, i == 0, keep, nets)
			if members[at] == nil {
				members[at] = map[HostID]bool{}
			}
			members[at][id] = true
		}
	}
	stacks := make(map[box]Host, len(members))
	for at, ids := range members {
		stacks[at] = f.stack(at, ids)
	}
	b := newBuilder()
	for i := range f.g.Edges {
		e := f.g.Edges[i]
		b.add(stacks[f.box(e.Client, true, keep, nets)], stacks[f.box(e.Server, false, keep, nets)], e)
	}
	return b.graph()
}

// stack is what is drawn for ids: a single host is itself.
func (f *folder) stack(at box, ids map[HostID]bool) Host {
	h := Host{Kind: Stack}
	networks := map[string]bool{}
	for id := range ids {
		one := &f.g.Hosts[id]
		if len(ids) == 1 {
			return *one
		}
		h.Addrs = append(h.Addrs, one.Addrs...)
		h.Count += one.Count
		networks[one.Network] = true
		h.Network = one.Network
	}
	slices.SortFunc(h.Addrs, netip.Addr.Compare)
	h.Name = fmt.Sprintf("+%d hosts", h.Count)
	switch at {
	case clientsBox:
		h.Key, h.Kind, h.Name = internetClients, Internet, "Internet clients"
	case serversBox:
		h.Key, h.Kind, h.Name = internetServers, Internet, "Internet servers"
	case othersBox:
		h.Key = otherNetworks
		if len(networks) > 1 {
			h.Network = fmt.Sprintf("%d other networks", len(networks))
		}
	case everythingBox:
		h.Key, h.Network = everything, "All networks"
	default:
		h.Key = "net " + h.Network
	}
	return h
}
