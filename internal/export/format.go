// Package export writes charts and graphs in the formats of other programs.
package export

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/portolan/portolan/internal/chart"
	"github.com/portolan/portolan/internal/topology"
)

// Options are what a format may want to know beyond the graph.
type Options struct {
	Title       string
	Filter      string // the filter that the graph was asked with; "" = none
	Made        string // what made the picture; "" = not said
	LinePerPort bool   // Lucid, draw.io CSV, DOT, Mermaid: a line for each port, not for each pair of hosts
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
		{"mermaid", ".mmd", "Mermaid, as GitHub and many wikis draw it", told(Mermaid)},
		{"json", ".json", "hosts, services and edges, for programs", told(JSON)},
		{"csv", ".csv", "a table of edges, for spreadsheets", told(CSV)},
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

// ByPath returns the first format whose files end as path does: .csv is
// Lucidchart's. The error lists the endings that there are.
func ByPath(path string) (Format, error) {
	ext := strings.ToLower(filepath.Ext(path))
	var exts []string
	for _, f := range Formats() {
		if f.Ext == ext {
			return f, nil
		}
		if !slices.Contains(exts, f.Ext) {
			exts = append(exts, f.Ext)
		}
	}
	what := fmt.Sprintf("the ending %q tells no format", ext)
	if ext == "" {
		what = "no ending that tells the format"
	}
	return Format{}, fmt.Errorf("%s: %s (have: %s)", path, what, strings.Join(exts, ", "))
}
