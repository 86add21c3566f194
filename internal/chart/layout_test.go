package chart_test

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"testing"

	"github.com/portolan/portolan/internal/chart"
	"github.com/portolan/portolan/internal/chart/charttest"
	"github.com/portolan/portolan/internal/l7"
	"github.com/portolan/portolan/internal/topology"
)

var options = chart.Options{Title: "Test", Made: "Portolan test"}

func TestGeometry(t *testing.T) {
	graphs := map[string]*topology.Graph{"homelab": charttest.HomeLab(), "lab": charttest.Lab(), "campus": charttest.Campus()}
	for seed := range uint64(60) {
		n := 2 + int(seed*7%39)
		graphs[fmt.Sprintf("random %d", seed)] = charttest.Random(seed, n, 1+int(seed%6), n+int(seed*13%40))
	}
	for name, g := range graphs {
		t.Run(name, func(t *testing.T) { checkPage(t, chart.Layout(g, options).Pages[0]) })
	}
}

// checkPage fails if anything on a page overlaps what it must not.
func checkPage(t *testing.T, p chart.Page) {
	t.Helper()
	var hosts, nets []chart.Box
	boxes, ids := map[string]chart.Box{}, map[string]bool{}
	sheet := chart.Rect{W: p.W, H: p.H}
	unique := func(id string) {
		if !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(id) || ids[id] {
			t.Errorf("id %q is malformed or twice there", id)
		}
		ids[id] = true
	}
	for _, b := range p.Boxes {
		unique(b.ID)
		boxes[b.ID] = b
		if !sheet.Contains(b.Rect) {
			t.Errorf("%s leaves the page: %v", b.ID, b.Rect)
		}
		for _, r := range []chart.Rect{b.TitleAt, b.SubAt} {
			if r.W > 0 && !b.Rect.Contains(r) {
				t.Errorf("text of %s leaves its box: %v in %v", b.ID, r, b.Rect)
			}
		}
		for _, c := range b.Ports {
			unique(c.ID)
			if !b.Rect.Contains(c.Rect) || chart.ChipFont.Width(c.Text) > c.Rect.W {
				t.Errorf("chip %s does not fit: %v in %v", c.ID, c.Rect, b.Rect)
			}
		}
		if b.Container {
			nets = append(nets, b)
			continue
		}
		hosts = append(hosts, b)
		if !boxes[b.Parent].Rect.Contains(b.Rect) {
			t.Errorf("%s is not in its container", b.ID)
		}
	}
	apart(t, "host", hosts)
	apart(t, "network", nets)
	for i, l := range p.Links {
		unique(l.ID)
		checkLink(t, l, boxes)
		for _, b := range hosts {
			if l.Label.Rect.Overlaps(b.Rect) {
				t.Errorf("label of %s covers %s", l.ID, b.ID)
			}
			for k := 1; k < len(l.Points); k++ {
				if run(l.Points[k-1], l.Points[k]).Overlaps(shrink(b.Rect)) {
					t.Errorf("%s runs through %s", l.ID, b.ID)
				}
			}
		}
		if !sheet.Contains(l.Label.Rect) {
			t.Errorf("label of %s leaves the page", l.ID)
		}
		for _, o := range p.Links[:i] {
			if l.Label.Rect.Overlaps(o.Label.Rect) {
				t.Errorf("labels of %s and %s overlap", l.ID, o.ID)
			}
			checkTracks(t, l, o)
			checkTracks(t, o, l)
		}
	}
	for _, e := range p.Legend.Lines {
		if !p.Legend.Rect.Contains(e.TextAt) || !p.Legend.Rect.Contains(e.MarkAt) {
			t.Errorf("legend entry %q leaves the legend", e.Text)
		}
	}
	if !sheet.Contains(p.Legend.Rect) || !sheet.Contains(p.TitleAt) || !sheet.Contains(p.MadeAt) {
		t.Error("legend, title or maker leaves the page")
	}
}

func apart(t *testing.T, what string, boxes []chart.Box) {
	t.Helper()
	for i, a := range boxes {
		for _, b := range boxes[:i] {
			if a.Rect.Overlaps(b.Rect) {
				t.Errorf("%ss %s and %s overlap", what, a.ID, b.ID)
			}
		}
	}
}

// checkLink fails if a link is not orthogonal, does not go from border to
// border, or its label is not on it.
func checkLink(t *testing.T, l chart.Link, boxes map[string]chart.Box) {
	t.Helper()
	if len(l.Points) < 2 {
		t.Fatalf("%s has %d points", l.ID, len(l.Points))
	}
	first, last := l.Points[0], l.Points[len(l.Points)-1]
	if !onBorder(first, boxes[l.From].Rect) || !onBorder(last, boxes[l.To].Rect) {
		t.Errorf("%s does not end at its boxes", l.ID)
	}
	on := false
	for k := 1; k < len(l.Points); k++ {
		a, b := l.Points[k-1], l.Points[k]
		if (a.X == b.X) == (a.Y == b.Y) {
			t.Errorf("%s: %v to %v is no orthogonal run", l.ID, a, b)
		}
		r := l.Label.Rect
		if a.Y == b.Y && math.Abs(r.Y+r.H/2-a.Y) < 0.01 && min(a.X, b.X) <= r.X && r.X+r.W <= max(a.X, b.X) {
			on = true
		}
	}
	if !on {
		t.Errorf("label of %s is on no horizontal run of it", l.ID)
	}
	if w := chart.LabelFont.Width(l.Label.Text); w > l.Label.Rect.W {
		t.Errorf("label %q is %v wide, its place %v", l.Label.Text, w, l.Label.Rect.W)
	}
	if l.Width < 1 || l.Width > 6 {
		t.Errorf("%s is %v wide", l.ID, l.Width)
	}
}

// checkTracks fails if a run of a lies on a run of b or crosses b's label.
func checkTracks(t *testing.T, a, b chart.Link) {
	t.Helper()
	for k := 1; k < len(a.Points); k++ {
		p, q := a.Points[k-1], a.Points[k]
		if run(p, q).Overlaps(shrink(b.Label.Rect)) {
			t.Errorf("%s crosses the label of %s", a.ID, b.ID)
		}
		for m := 1; m < len(b.Points); m++ {
			r, s := b.Points[m-1], b.Points[m]
			if (p.X == q.X) == (r.X == s.X) && track(p, q).Overlaps(track(r, s)) {
				t.Errorf("%s and %s share a track at %v to %v", a.ID, b.ID, r, s)
			}
		}
	}
}

func onBorder(q chart.Point, r chart.Rect) bool {
	return (q.X == r.X || q.X == r.X+r.W) && q.Y > r.Y && q.Y < r.Y+r.H
}

// track is the room that a run needs for itself: 12 px across.
func track(a, b chart.Point) chart.Rect {
	if a.Y == b.Y {
		return chart.Rect{X: min(a.X, b.X), Y: a.Y - 6, W: math.Abs(a.X - b.X), H: 12}
	}
	return chart.Rect{X: a.X - 6, Y: min(a.Y, b.Y), W: 12, H: math.Abs(a.Y - b.Y)}
}

// run is a piece of a line as a thin rectangle.
func run(a, b chart.Point) chart.Rect {
	const half = 0.5
	return chart.Rect{X: min(a.X, b.X) - half, Y: min(a.Y, b.Y) - half, W: math.Abs(a.X-b.X) + 2*half, H: math.Abs(a.Y-b.Y) + 2*half}
}

func shrink(r chart.Rect) chart.Rect {
	return chart.Rect{X: r.X + 1, Y: r.Y + 1, W: r.W - 2, H: r.H - 2}
}

func TestLayoutIsDeterministic(t *testing.T) {
	for _, make := range []func() *topology.Graph{charttest.HomeLab, charttest.Campus} {
		a, b := chart.Layout(make(), options), chart.Layout(make(), options)
		if !reflect.DeepEqual(a, b) {
			t.Error("the same graph gave two drawings")
		}
	}
}

func TestEmptyGraphSaysSo(t *testing.T) {
	p := chart.Layout(&topology.Graph{}, options).Pages[0]
	if len(p.Boxes) != 0 || len(p.Caption) != 1 || p.Caption[0] != "No flows in this time window." {
		t.Errorf("boxes %d, caption %q", len(p.Boxes), p.Caption)
	}
	checkPage(t, p)
}

func TestOneHost(t *testing.T) {
	b := &charttest.Builder{}
	b.Host(topology.Host{Key: "10.0.0.1", Network: "10.0.0.0/8"})
	p := chart.Layout(b.Graph(), options).Pages[0]
	if len(p.Boxes) != 2 {
		t.Errorf("%d boxes, want a network and a host", len(p.Boxes))
	}
	checkPage(t, p)
}

func TestBrokenEdgesAreLeftOut(t *testing.T) {
	g := charttest.Lab()
	links := len(chart.Layout(g, options).Pages[0].Links)
	g.Edges = append(g.Edges, topology.Edge{Client: 0, Server: 99}, topology.Edge{Client: -1, Server: 0}, topology.Edge{Client: 1, Server: 1})
	if got := len(chart.Layout(g, options).Pages[0].Links); got != links {
		t.Errorf("%d links, want %d", got, links)
	}
}

func benchmark(b *testing.B, g *topology.Graph) {
	b.ReportAllocs()
	for b.Loop() {
		chart.Layout(g, options)
	}
}

func BenchmarkLayoutHomeLab(b *testing.B) { benchmark(b, charttest.HomeLab()) }
func BenchmarkLayout40(b *testing.B)      { benchmark(b, charttest.Campus()) }
func BenchmarkLayout200(b *testing.B)     { benchmark(b, charttest.Random(1, 200, 8, 260)) }

// TestFamiliesAreThoseOfServices holds the numbers of families to l7's.
func TestFamiliesAreThoseOfServices(t *testing.T) {
	for f, service := range map[chart.Family]l7.Family{
		chart.Other: l7.Other, chart.Web: l7.Web, chart.Database: l7.Database, chart.File: l7.File,
		chart.Messaging: l7.Messaging, chart.Mail: l7.Mail, chart.Admin: l7.Admin, chart.Core: l7.Core,
	} {
		if f != chart.Family(service) {
			t.Errorf("%v is %d, of services %d", f, f, service)
		}
	}
}
