package export

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/portolan/portolan/internal/topology"
)

// A container is a network with its hosts, both in the order of the graph.
type container struct {
	title string
	hosts []*topology.Host
}

// containers returns the networks of g in the order of their first hosts.
func containers(g *topology.Graph) []container {
	var out []container
	at := map[string]int{}
	for i := range g.Hosts {
		h := &g.Hosts[i]
		n, ok := at[h.Network]
		if !ok {
			n = len(out)
			at[h.Network] = n
			out = append(out, container{title: oneLine(h.Network)})
		}
		out[n].hosts = append(out[n].hosts, h)
	}
	return out
}

// DOT writes Graphviz's language: networks as clusters, hosts as boxes, one
// edge for each pair of hosts, wider with more bytes.
func DOT(w io.Writer, g *topology.Graph, o Options) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "digraph portolan {\n  rankdir=LR;\n  label=%s;\n  labelloc=t;\n  fontname=Helvetica;\n", dotText(pageTitle(o.Title)))
	b.WriteString("  node [shape=box, style=rounded, fontname=Helvetica, fontsize=11];\n  edge [fontname=Helvetica, fontsize=9];\n")
	for i, c := range containers(g) {
		fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%s;\n", i, dotText(c.title))
		for _, h := range c.hosts {
			name, below := hostLines(h)
			text := dotText(name)
			if below != "" && h.Count == 1 {
				text = strings.TrimSuffix(text, `"`) + `\n` + strings.TrimPrefix(dotText(below), `"`)
			}
			fmt.Fprintf(&b, "    n%d [label=%s%s];\n", h.ID, text, dotShape(h.Kind))
		}
		b.WriteString("  }\n")
	}
	for _, l := range lines(g, o.LinePerPort) {
		color := l.family().Style().Line
		fmt.Fprintf(&b, "  n%d -> n%d [label=%s, color=\"%s\", fontcolor=\"%s\", penwidth=%.1f];\n",
			l.client, l.server, dotText(l.label()), color, color, penWidth(l.bytes()))
	}
	b.WriteString("}\n")
	_, err := w.Write(b.Bytes())
	return err
}

func dotShape(k topology.Kind) string {
	switch k {
	case topology.Virtual:
		return ", shape=oval, style=solid"
	case topology.Physical:
		return ", style=solid"
	case topology.Internet:
		return `, style="rounded,dashed"`
	case topology.Stack:
		return ", shape=box3d, style=solid"
	}
	return ""
}

// penWidth is 1 to 4 points, by the logarithm of the bytes.
func penWidth(bytes uint64) float64 {
	return min(4, max(1, 1+(math.Log10(float64(bytes)+1)-4)*0.5))
}

// dotText quotes s for DOT.
func dotText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oneLine(s)) + `"`
}
