package topology

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/host"
	"github.com/portolan/portolan/internal/l7"
	"github.com/portolan/portolan/internal/query"
)

// New makes the graph of rows that keep query.Edge apart. It ends at the first
// error of rows.
func New(rows iter.Seq2[query.Row, error], names *host.Names) (*Graph, error) {
	b := newBuilder()
	for r, err := range rows {
		if err != nil {
			return nil, err
		}
		b.add(flowHost(r.Client, names), flowHost(r.Server, names), Edge{
			Proto: r.Proto, Port: r.Port, Service: l7.ServiceName(r.Proto, r.Port),
			App: r.App, AppName: l7.AppName(r.App), ToServer: r.ToServer, ToClient: r.ToClient,
			Flows: r.Flows, First: r.First, Last: r.Last, Evidence: r.Evidence,
		})
	}
	return b.graph(), nil
}

func flowHost(addr [16]byte, names *host.Names) Host {
	a := flow.Addr(addr)
	h := Host{Key: a.String(), Addrs: []netip.Addr{a}, Name: names.Name(a), Network: names.Network(a), Count: 1}
	switch {
	case names.IsGroup(a):
		h.Kind = Group
	case names.Kind(a) == host.Virtual:
		h.Kind = Virtual
	case names.Kind(a) == host.Physical:
		h.Kind = Physical
	}
	return h
}

// A builder sums edges between hosts that it tells apart by Key.
type builder struct {
	hosts map[string]*Host
	edges map[edgeKey]*Edge
}

type edgeKey struct {
	client, server string
	proto          flow.Proto
	port           uint16
	app            uint32
}

func newBuilder() *builder {
	return &builder{map[string]*Host{}, map[edgeKey]*Edge{}}
}

// add adds an edge; its ends are given by client and server, not by its IDs.
func (b *builder) add(client, server Host, e Edge) {
	for _, h := range []Host{client, server} {
		if b.hosts[h.Key] == nil {
			h.Bytes, h.Services = 0, nil
			b.hosts[h.Key] = &h
		}
	}
	b.hosts[client.Key].Bytes += e.Bytes()
	if client.Key != server.Key {
		b.hosts[server.Key].Bytes += e.Bytes()
	}
	key := edgeKey{client.Key, server.Key, e.Proto, e.Port, uint32(e.App.Master)<<16 | uint32(e.App.App)}
	sum := b.edges[key]
	if sum == nil {
		b.edges[key] = &e
		return
	}
	sum.ToServer, sum.ToClient = sum.ToServer.Add(e.ToServer), sum.ToClient.Add(e.ToClient)
	sum.Flows += e.Flows
	sum.First, sum.Last = min(sum.First, e.First), max(sum.Last, e.Last)
	sum.Evidence = max(sum.Evidence, e.Evidence)
	sum.App.Guess = sum.App.Guess && e.App.Guess
}

// graph sorts what was added.
func (b *builder) graph() *Graph {
	g := &Graph{}
	for _, h := range b.hosts {
		g.Hosts = append(g.Hosts, *h)
	}
	slices.SortFunc(g.Hosts, func(x, y Host) int {
		return cmp.Or(slices.CompareFunc(x.Addrs[:1], y.Addrs[:1], netip.Addr.Compare), cmp.Compare(x.Key, y.Key))
	})
	ids := make(map[string]HostID, len(g.Hosts))
	for i := range g.Hosts {
		g.Hosts[i].ID = HostID(i)
		ids[g.Hosts[i].Key] = HostID(i)
	}
	for key, e := range b.edges {
		e.Client, e.Server = ids[key.client], ids[key.server]
		g.Edges = append(g.Edges, *e)
		if g.Span.End == 0 || e.First < g.Span.Start {
			g.Span.Start = e.First
		}
		g.Span.End = max(g.Span.End, e.Last)
	}
	slices.SortFunc(g.Edges, func(x, y Edge) int {
		return cmp.Or(cmp.Compare(x.Client, y.Client), cmp.Compare(x.Server, y.Server), cmp.Compare(x.Proto, y.Proto),
			cmp.Compare(x.Port, y.Port), cmp.Compare(x.App.Master, y.App.Master), cmp.Compare(x.App.App, y.App.App))
	})
	for i := range g.Edges {
		g.serve(&g.Edges[i])
	}
	return g
}

// serve notes that an edge's server serves its port.
func (g *Graph) serve(e *Edge) {
	h := &g.Hosts[e.Server]
	for i := range h.Services {
		if s := &h.Services[i]; s.Proto == e.Proto && s.Port == e.Port {
			if s.App.Guess && !e.App.Guess {
				s.App = e.App
			}
			s.Bytes += e.Bytes()
			return
		}
	}
	h.Services = append(h.Services, Service{e.Proto, e.Port, e.Service, e.App, e.Bytes()})
	slices.SortFunc(h.Services, func(x, y Service) int {
		return cmp.Or(cmp.Compare(x.Port, y.Port), cmp.Compare(x.Proto, y.Proto))
	})
}
