package topology

import "net/netip"

// Unicast returns g without what no machine asks of another: multicast and
// broadcast, and what hosts say on their link before they have an address.
// LeftOut of the result says how much that was.
func Unicast(g *Graph) *Graph {
	b := newBuilder()
	left := Leaving{}
	for i := range g.Edges {
		e := &g.Edges[i]
		client, server := &g.Hosts[e.Client], &g.Hosts[e.Server]
		if onLink(client) || onLink(server) {
			left.Edges++
			left.Bytes += e.Bytes()
			continue
		}
		b.add(*client, *server, *e)
	}
	out := b.graph()
	out.Span = g.Span
	left.Hosts = len(g.Hosts) - len(out.Hosts)
	if left.Edges > 0 {
		out.LeftOut = &left
	}
	return out
}

// onLink reports whether h is a group, or an address that means something on
// one link only.
func onLink(h *Host) bool {
	link := func(a netip.Addr) bool { return a.IsLinkLocalUnicast() || a.IsUnspecified() }
	return h.Kind == Group || len(h.Addrs) == 1 && link(h.Addrs[0])
}
