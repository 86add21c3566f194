// Package export writes charts and graphs in the formats of other programs.
package export

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/portolan/portolan/internal/chart"
	"github.com/portolan/portolan/internal/topology"
)

// Options are what a format may want to know beyond the graph.
type Options struct {
	Title       string
	Filter      string // "" = everything
	Made        string // what made the picture
	LinePerPort bool   // CSV formats: a line for each port, not for each pair
}

// A Format is one way to write a chart.
type Format struct {
	Name string // as --format takes it
	Ext  string // ending of file names, with the dot
	Help string

	write func(io.Writer, *topology.Graph, *chart.Drawing, Options) error
}

// Write writes a graph, or its drawing, to w.
func (f Format) Write(w io.Writer, g *topology.Graph, d *chart.Drawing, o Options) error {
	return f.write(w, g, d, o)
}

func drawn(draw func(io.Writer, chart.Drawing) error) func(io.Writer, *topology.Graph, *chart.Drawing, Options) error {
	return func(w io.Writer, _ *topology.Graph, d *chart.Drawing, _ Options) error { return draw(w, *d) }
}

func told(tell func(io.Writer, *topology.Graph, Options) error) func(io.Writer, *topology.Graph, *chart.Drawing, Options) error {
	return func(w io.Writer, g *topology.Graph, _ *chart.Drawing, o Options) error { return tell(w, g, o) }
}

// Formats returns what there is, the most useful first.
func Formats() []Format {
	return []Format{
		{"drawio", ".drawio", "draw.io and diagrams.net: boxes, lines and layers to move and edit", drawn(Drawio)},
		{"svg", ".svg", "a picture for browsers and documents", drawn(SVG)},
		{"lucid", ".csv", "Lucidchart: File > Import Data > Process Diagram", told(Lucid)},
		{"drawio-csv", ".csv", "draw.io: Arrange > Insert > Advanced > CSV", told(DrawioCSV)},
		{"dot", ".dot", "Graphviz", told(DOT)},
		{"json", ".json", "hosts, services and edges, for programs", told(JSON)},
	}
}

// ByName returns the format of that name.
func ByName(name string) (Format, error) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("unknown format %q", name)
}

// ByPath returns the first format whose files end as path does.
func ByPath(path string) (Format, error) {
	ext := strings.ToLower(filepath.Ext(path))
	for _, f := range Formats() {
		if f.Ext == ext {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("%s: the ending %q tells no format", path, ext)
}

// A line is what one box uses of another, or one port of it.
type line struct {
	client, server topology.HostID
	edges          []*topology.Edge
	bytes          uint64
}

// lines gathers the edges of g by pair of hosts, or by port. Their order is
// that of the graph.
func lines(g *topology.Graph, perPort bool) []line {
	var out []line
	for i := range g.Edges {
		e := &g.Edges[i]
		if n := len(out); n > 0 && out[n-1].client == e.Client && out[n-1].server == e.Server &&
			(!perPort || out[n-1].edges[0].Port == e.Port && out[n-1].edges[0].Proto == e.Proto) {
			out[n-1].edges = append(out[n-1].edges, e)
			out[n-1].bytes += e.Bytes()
			continue
		}
		out = append(out, line{e.Client, e.Server, []*topology.Edge{e}, e.Bytes()})
	}
	return out
}

// maxPorts is how many ports a line's label names.
const maxPorts = 3

// label names the ports of a line: "443 https", "443, 902 +2".
func (l line) label() string {
	var ports []string
	for _, e := range l.edges {
		text := e.Proto.String()
		if e.Proto.HasPorts() {
			text = fmt.Sprint(e.Port)
		}
		if len(ports) == 0 || ports[len(ports)-1] != text {
			ports = append(ports, text)
		}
	}
	if e := l.edges[0]; len(ports) == 1 && e.Service != "" {
		return ports[0] + " " + e.Service
	}
	if len(ports) > maxPorts {
		return fmt.Sprintf("%s +%d", strings.Join(ports[:maxPorts], ", "), len(ports)-maxPorts)
	}
	return strings.Join(ports, ", ")
}

// title is how a host is called on one line: its name and address.
func title(h *topology.Host) string {
	switch {
	case h.Count > 1:
		return h.Name
	case h.Name != "":
		return h.Name + " (" + h.Key + ")"
	}
	return h.Key
}
