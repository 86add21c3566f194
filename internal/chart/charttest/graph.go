// Package charttest makes graphs for tests of charts and exports.
package charttest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/topology"
)

var names = map[uint16]string{
	22: "ssh", 25: "smtp", 53: "dns", 80: "http", 123: "ntp", 389: "ldap", 443: "https", 445: "smb", 514: "syslog",
	902: "vmware", 2049: "nfs", 3000: "grafana", 3306: "mysql", 4000: "ntopng", 5432: "postgresql", 5672: "amqp",
	6379: "redis", 7777: "web", 8080: "http-alt", 8086: "influxdb", 8181: "tautulli", 9091: "pushgateway",
	9100: "node-exporter", 3389: "rdp", 1521: "oracle",
}

// A Builder collects hosts and edges.
type Builder struct {
	graph topology.Graph
	index map[string]topology.HostID
}

// Host adds a host by its key, or returns the one with that key.
func (b *Builder) Host(h topology.Host) topology.HostID {
	if id, ok := b.index[h.Key]; ok {
		return id
	}
	if b.index == nil {
		b.index = map[string]topology.HostID{}
	}
	h.ID = topology.HostID(len(b.graph.Hosts))
	h.Count = max(h.Count, 1)
	if a, err := netip.ParseAddr(h.Key); err == nil && len(h.Addrs) == 0 {
		h.Addrs = []netip.Addr{a}
	}
	b.graph.Hosts = append(b.graph.Hosts, h)
	b.index[h.Key] = h.ID
	return h.ID
}

// Edge says that client uses port of server.
func (b *Builder) Edge(client, server topology.HostID, port uint16, bytes uint64) {
	proto := flow.TCP
	switch port {
	case 53, 123, 514:
		proto = flow.UDP
	}
	b.graph.Edges = append(b.graph.Edges, topology.Edge{
		Client: client, Server: server, Proto: proto, Port: port, Service: names[port],
		ToServer: flow.Counters{Packets: bytes / 4000, Bytes: bytes / 4},
		ToClient: flow.Counters{Packets: bytes / 1000, Bytes: bytes - bytes/4},
		Flows:    1 + bytes/1_000_000, First: start, Last: end - 1, Evidence: flow.SYNSeen,
	})
}

var (
	start = time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC).UnixNano()
	end   = time.Date(2026, 3, 4, 17, 0, 0, 0, time.UTC).UnixNano()
)

// Graph returns what was collected, sorted as topology promises.
func (b *Builder) Graph() *topology.Graph {
	g := &b.graph
	g.Span = flow.Span{Start: start, End: end}
	slices.SortFunc(g.Edges, func(a, z topology.Edge) int {
		return cmp.Or(cmp.Compare(a.Client, z.Client), cmp.Compare(a.Server, z.Server), cmp.Compare(a.Proto, z.Proto), cmp.Compare(a.Port, z.Port))
	})
	for i := range g.Hosts {
		g.Hosts[i].Services, g.Hosts[i].Bytes = nil, 0
	}
	for _, e := range g.Edges {
		c, s := &g.Hosts[e.Client], &g.Hosts[e.Server]
		c.Bytes += e.Bytes()
		s.Bytes += e.Bytes()
		at := slices.IndexFunc(s.Services, func(v topology.Service) bool { return v.Proto == e.Proto && v.Port == e.Port })
		if at < 0 {
			at = len(s.Services)
			s.Services = append(s.Services, topology.Service{Proto: e.Proto, Port: e.Port, Name: e.Service, App: e.App})
		}
		s.Services[at].Bytes += e.Bytes()
	}
	return g
}

// HomeLab returns a home lab of nine machines in one network: a monitoring
// server that asks everybody and is asked by everybody, hypervisors, a backup.
func HomeLab() *topology.Graph {
	b := &Builder{}
	add := func(octet int, name string, kind topology.Kind) topology.HostID {
		return b.Host(topology.Host{Key: fmt.Sprintf("192.168.1.%d", octet), Name: name, Kind: kind, Network: "192.168.1.0/24"})
	}
	nuc, vcenter := add(66, "Ubuntu-NUC", topology.Virtual), add(55, "vCenter", topology.Virtual)
	vembu, zm := add(69, "VEMBU", topology.Virtual), add(71, "Ubuntu-ZM", topology.Virtual)
	pios, photon := add(65, "rPiOS", topology.Virtual), add(52, "Photon-ARM", topology.Virtual)
	pi4, media := add(168, "rPi4 ESXi", topology.Physical), add(51, "MediaLinux", topology.Physical)
	esxi := add(240, "NUC ESXi", topology.Physical)
	for _, e := range []struct {
		client, server topology.HostID
		port           uint16
		bytes          uint64
	}{
		{vembu, esxi, 902, 28_803_000_000}, {vembu, esxi, 443, 12_400_000}, {vembu, pi4, 902, 3_100_000_000}, {vembu, pi4, 443, 8_100_000},
		{vembu, vcenter, 443, 92_000_000}, {vembu, nuc, 8086, 4_100_000},
		{nuc, vcenter, 443, 2_910_000_000}, {nuc, vcenter, 22, 1_200_000},
		{nuc, media, 9100, 40_300_000}, {nuc, media, 9091, 17_400_000}, {media, nuc, 8086, 1_350_000}, {media, nuc, 9999, 310_000},
		{nuc, pios, 9100, 33_100_000}, {nuc, pios, 7777, 5_200_000}, {nuc, pios, 902, 1_100_000}, {nuc, pios, 9999, 220_000},
		{nuc, pios, 3000, 8_800_000}, {nuc, pios, 22, 700_000}, {nuc, pios, 4000, 2_400_000}, {nuc, pios, 9091, 900_000},
		{nuc, pios, 80, 400_000}, {nuc, pios, 443, 600_000}, {pios, nuc, 8086, 508_000_000},
		{photon, nuc, 8086, 2_200_000}, {zm, nuc, 8086, 3_300_000}, {pios, zm, 8181, 14_900_000}, {zm, media, 32400, 5_100_000},
		{vcenter, esxi, 443, 210_000_000}, {vcenter, esxi, 902, 96_000_000}, {esxi, vcenter, 902, 1_900_000},
		{vcenter, pi4, 443, 160_000_000}, {vcenter, pi4, 902, 44_000_000}, {pi4, vcenter, 902, 1_400_000},
	} {
		b.Edge(e.client, e.server, e.port, e.bytes)
	}
	return b.Graph()
}

// Lab returns a small lab of twelve hosts: a workstation, a proxy, two web
// servers, a database, a cache, a file server and their infrastructure.
func Lab() *topology.Graph {
	b := &Builder{}
	add := func(net string, octet int, name string) topology.HostID {
		return b.Host(topology.Host{Key: fmt.Sprintf("10.0.%s.%d", net, octet), Name: name, Network: "10.0." + net + ".0/24"})
	}
	ws1, ws2 := add("1", 11, "alice-laptop"), add("1", 12, "bob-desktop")
	proxy, web1, web2 := add("2", 5, "proxy"), add("2", 11, "web-1"), add("2", 12, "web-2")
	db, cache, files := add("3", 20, "db-1"), add("3", 21, "cache-1"), add("3", 30, "files")
	dns, ntp, mail, mon := add("3", 2, "dns"), add("3", 3, "ntp"), add("3", 25, "mail"), add("3", 90, "monitor")
	for i, w := range []topology.HostID{ws1, ws2} {
		b.Edge(w, proxy, 443, uint64(700+90*i)*1_000_000)
		b.Edge(w, files, 445, uint64(3100-700*i)*1_000_000)
		b.Edge(w, mail, 25, uint64(12+i)*1_000_000)
		b.Edge(w, dns, 53, 800_000)
	}
	b.Edge(ws1, web1, 22, 3_000_000)
	for _, w := range []topology.HostID{web1, web2} {
		b.Edge(proxy, w, 80, 610_000_000)
		b.Edge(w, db, 3306, 420_000_000)
		b.Edge(w, cache, 6379, 150_000_000)
		b.Edge(w, dns, 53, 500_000)
		b.Edge(w, ntp, 123, 40_000)
		b.Edge(mon, w, 9100, 9_000_000)
	}
	b.Edge(mon, db, 9100, 9_000_000)
	b.Edge(mail, dns, 53, 90_000)
	b.Edge(files, ntp, 123, 30_000)
	return b.Graph()
}

// Campus returns what folding leaves of a larger network: 40 hosts, 60 pairs
// of them, five networks and the Internet.
func Campus() *topology.Graph {
	b := &Builder{}
	r := rand.New(rand.NewPCG(7, 40))
	nets := []struct {
		title, prefix, name string
		n                   int
	}{
		{"10.1.0.0/24 office", "10.1.0", "ws", 8}, {"10.2.0.0/24 dmz", "10.2.0", "web", 6}, {"10.3.0.0/24 apps", "10.3.0", "app", 9},
		{"10.4.0.0/24 data", "10.4.0", "db", 7}, {"10.9.0.0/24 infrastructure", "10.9.0", "infra", 6},
	}
	hosts := make([][]topology.HostID, len(nets))
	for i, n := range nets {
		for k := range n.n - 1 {
			hosts[i] = append(hosts[i], b.Host(topology.Host{Key: fmt.Sprintf("%s.%d", n.prefix, 10+k), Name: fmt.Sprintf("%s-%02d", n.name, k+1), Network: n.title}))
		}
		hosts[i] = append(hosts[i], b.Host(topology.Host{Key: fmt.Sprintf("net %s.0/24 (+%d)", n.prefix, 20+30*i), Name: fmt.Sprintf("+%d hosts", 20+30*i), Count: 20 + 30*i, Kind: topology.Stack, Network: n.title}))
	}
	in := b.Host(topology.Host{Key: "internet clients", Name: "Internet clients", Kind: topology.Internet, Count: 412, Network: "Internet"})
	var out []topology.HostID
	for _, n := range []string{"updates.example.org", "mail.example.net", "internet servers"} {
		out = append(out, b.Host(topology.Host{Key: n, Name: n, Kind: topology.Internet, Network: "Internet"}))
	}
	ports := map[[2]int][]uint16{{0, 1}: {443, 80}, {0, 2}: {443, 8080}, {1, 2}: {8080, 443}, {2, 3}: {5432, 1521, 6379, 3306}, {0, 3}: {445, 2049}}
	seen := map[[2]topology.HostID]bool{}
	join := func(c, s topology.HostID, ports []uint16) {
		if c == s || seen[[2]topology.HostID{c, s}] || len(seen) >= 60 {
			return
		}
		seen[[2]topology.HostID{c, s}] = true
		b.Edge(c, s, ports[r.IntN(len(ports))], uint64(1)<<(14+r.IntN(24)))
		if r.IntN(4) == 0 {
			b.Edge(c, s, 22, 40_000+uint64(r.IntN(1_000_000)))
		}
	}
	pick := func(n int) topology.HostID { return hosts[n][r.IntN(len(hosts[n]))] }
	for range 3 {
		join(in, pick(1), []uint16{443, 80})
	}
	for _, o := range out {
		join(pick(r.IntN(2)), o, []uint16{443, 25})
	}
	for _, p := range [][3]int{{0, 1, 5}, {0, 2, 6}, {1, 2, 9}, {2, 3, 13}, {0, 3, 3}} {
		for range p[2] {
			join(pick(p[0]), pick(p[1]), ports[[2]int{p[0], p[1]}])
		}
	}
	for range 200 {
		join(pick(r.IntN(4)), hosts[4][r.IntN(3)], []uint16{53, 123, 389, 514})
	}
	g := b.Graph()
	g.Folded = &topology.Folding{Hosts: 872, HostsShown: 36, Edges: 1893, EdgesShown: len(g.Edges), Bytes: 1_204_000_000_000, BytesShown: 1_203_300_000_000}
	return g
}

// Random returns a graph of n hosts in up to nets networks with about edges
// edges; the same seed gives the same graph.
func Random(seed uint64, n, nets, edges int) *topology.Graph {
	b := &Builder{}
	r := rand.New(rand.NewPCG(seed, 1))
	ports := make([]uint16, 0, len(names))
	for p := range names {
		ports = append(ports, p)
	}
	slices.Sort(ports)
	kinds := []topology.Kind{topology.Machine, topology.Virtual, topology.Physical, topology.Stack}
	for i := range n {
		net := r.IntN(max(nets, 1))
		h := topology.Host{Key: fmt.Sprintf("10.%d.%d.%d", net, i/250, i%250+1), Kind: kinds[r.IntN(4)], Network: fmt.Sprintf("10.%d.0.0/16", net)}
		if r.IntN(2) == 0 {
			h.Name = fmt.Sprintf("host-%d.%s", i, []string{"lan", "example.com", "a-rather-long-department.example.org"}[r.IntN(3)])
		}
		if net == 0 && nets > 2 {
			h.Kind, h.Network = topology.Internet, "Internet"
		}
		b.Host(h)
	}
	seen := map[string]bool{}
	for range edges {
		c, s, port := topology.HostID(r.IntN(n)), topology.HostID(r.IntN(n)*r.IntN(n)/n), ports[r.IntN(len(ports))]
		k := fmt.Sprint(c, s, port)
		if c == s || seen[k] {
			continue
		}
		seen[k] = true
		b.Edge(c, s, port, 1<<r.IntN(40))
		if r.IntN(5) == 0 {
			b.graph.Edges[len(b.graph.Edges)-1].Evidence = flow.LowerPort
		}
	}
	return b.Graph()
}
