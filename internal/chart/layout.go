package chart

import (
	"cmp"
	"math"
	"slices"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/topology"
)

// Pitch is the distance between neighbouring tracks, in pixels. Boxes stand on
// multiples of it, lines run half a pitch beside them.
const Pitch = 14

// Options say what a drawing shows besides the graph.
type Options struct {
	Title  string // "" = "Network flows"
	Filter string // the filter that the graph was asked with, for the caption; "" = none
	Made   string // what made it: "Portolan 0.1.0"; "" = not said
	Ports  int    // ports named on a link before " +N"; 0 = 2
}

// Layout draws g on one page. The graph should be folded: up to 40 hosts and 60
// pairs of hosts are readable, more are drawn all the same. An empty graph
// gives a page that says so.
func Layout(g *topology.Graph, opts Options) Drawing {
	if opts.Title == "" {
		opts.Title = "Network flows"
	}
	if opts.Ports <= 0 {
		opts.Ports = 2
	}
	p := newPlan(g, opts)
	p.columns()
	p.settle()
	return Drawing{Pages: []Page{p.page(g, opts)}}
}

// A plan is a drawing in the making. Its lengths are cells of one Pitch.
type plan struct {
	hosts []*host
	nets  []*net
	links []*link

	roomX, roomY int // free cells added to every gap when routing failed
	minX, minY   int // bounds of everything routed, set by route
	maxX, maxY   int
}

// A host is a box that stands in a network.
type host struct {
	src  *topology.Host
	id   string
	net  int
	col  int // column within the network
	w, h int
	x, y int

	title, sub string
	chips      []Port
	sides      [2][]*end // left, right: line ends from top to bottom
}

// A net is a container.
type net struct {
	id, title, sub string
	hosts          []int // by column, then from top to bottom
	cols           int
	col            int // column on the page
	x, y, w, h     int
	titleW         int // cells that the title takes, kept free of lines
	outside        bool
	asks, answers  int // links that leave and that reach it
}

// A side is the left or the right border of a box.
type side int

const (
	left  side = 0
	right side = 1
)

// An end is where a link meets a box.
type end struct {
	link   *link
	server bool
	host   int
	side   side
	row    int // row of the box, 0 = top
}

// A link is all that one host uses of another.
type link struct {
	id             int
	client, server int
	edges          []*topology.Edge // by bytes, largest first
	bytes          uint64
	family         Family
	layer          Layer
	dashed         bool
	label          string
	labelW         float64 // pixels
	from, to       *end
	path           []cell // corners, client first
	cost           float64
	clash          bool // shares a track with another link: nothing else was left
}

func newPlan(g *topology.Graph, opts Options) *plan {
	p := &plan{}
	p.addLinks(g, opts)
	p.addHosts(g)
	return p
}

// addLinks merges the edges of each pair of hosts.
func (p *plan) addLinks(g *topology.Graph, opts Options) {
	type pair struct{ client, server topology.HostID }
	at := map[pair]*link{}
	for i := range g.Edges {
		e := &g.Edges[i]
		if e.Client == e.Server || !valid(g, e.Client) || !valid(g, e.Server) {
			continue
		}
		k := pair{e.Client, e.Server}
		l := at[k]
		if l == nil {
			l = &link{client: int(e.Client), server: int(e.Server)}
			at[k] = l
			p.links = append(p.links, l)
		}
		l.edges = append(l.edges, e)
		l.bytes += e.Bytes()
	}
	slices.SortFunc(p.links, func(a, b *link) int {
		return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.server, b.server))
	})
	for i, l := range p.links {
		l.id = i
		slices.SortStableFunc(l.edges, func(a, b *topology.Edge) int {
			return cmp.Or(cmp.Compare(b.Bytes(), a.Bytes()), cmp.Compare(a.Proto, b.Proto), cmp.Compare(a.Port, b.Port))
		})
		l.describe(opts.Ports)
	}
}

func valid(g *topology.Graph, id topology.HostID) bool { return id >= 0 && int(id) < len(g.Hosts) }

// describe sets what follows from the edges: colour, layer, label.
func (l *link) describe(ports int) {
	var bytes [Neutral + 1]uint64
	l.layer, l.dashed = Infrastructure, true
	for _, e := range l.edges {
		f := FamilyOf(e.Proto, e.Port, e.App)
		bytes[f] += e.Bytes() + 1
		if f != Core {
			l.layer = Flows
		}
		if e.Evidence > flow.LowerPort {
			l.dashed = false
		}
	}
	for f := range bytes {
		// Core is the colour only of a link that carries nothing else.
		if (Family(f) != Core || l.layer == Infrastructure) && (l.family == Core && l.layer == Flows || bytes[f] > bytes[l.family]) {
			l.family = Family(f)
		}
	}
	l.label = linkLabel(l.edges, ports)
	l.labelW = math.Ceil(LabelFont.Width(l.label)) + 8
}

// stub returns the cells between the server's box and the first corner: the
// label and the arrow.
func (l *link) stub() int { return int(math.Ceil(l.labelW/Pitch)) + 2 }

// width returns the width of the line: 1 px up to 1 kB, 6 px from 1 TB on.
func lineWidth(bytes uint64) float64 {
	w := 1 + 5*(math.Log10(float64(max(bytes, 1)))-3)/9
	return math.Round(min(max(w, 1), 6)*10) / 10
}

// settle places boxes and routes links. When a link finds no free track, it
// starts again with more room.
func (p *plan) settle() {
	const tries = 6
	for try := range tries {
		p.place()
		if p.route(try == tries-1) {
			return
		}
		p.roomX += 2 + p.roomX/2
		p.roomY += 1 + p.roomY/2
	}
}
