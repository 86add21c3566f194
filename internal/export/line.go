package export

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/portolan/portolan/internal/chart"
	"github.com/portolan/portolan/internal/topology"
)

// A line is what one box uses of another, or one port of it.
type line struct {
	client, server topology.HostID
	edges          []*topology.Edge // most bytes first
}

// lines gathers the edges of g by pair of boxes, or by port. Their order is
// that of the graph. What hosts of one box use of each other is no line.
func lines(g *topology.Graph, perPort bool) []line {
	var out []line
	for i := range g.Edges {
		e := &g.Edges[i]
		if e.Client == e.Server {
			continue
		}
		if n := len(out); n > 0 && out[n-1].client == e.Client && out[n-1].server == e.Server &&
			(!perPort || out[n-1].edges[0].Port == e.Port && out[n-1].edges[0].Proto == e.Proto) {
			out[n-1].edges = append(out[n-1].edges, e)
			continue
		}
		out = append(out, line{e.Client, e.Server, []*topology.Edge{e}})
	}
	for _, l := range out {
		slices.SortStableFunc(l.edges, func(a, b *topology.Edge) int { return cmp.Compare(b.Bytes(), a.Bytes()) })
	}
	return out
}

// bytes returns the bytes of all edges of l.
func (l line) bytes() (n uint64) {
	for _, e := range l.edges {
		n += e.Bytes()
	}
	return n
}

// family returns the family that most bytes of l are of.
func (l line) family() chart.Family {
	var bytes [chart.Neutral + 1]uint64
	best := chart.FamilyOf(l.edges[0].Proto, l.edges[0].Port, l.edges[0].App)
	for _, e := range l.edges {
		f := chart.FamilyOf(e.Proto, e.Port, e.App)
		if bytes[f] += e.Bytes(); bytes[f] > bytes[best] {
			best = f
		}
	}
	return best
}

const (
	maxPorts = 3  // ports that a label names
	maxLabel = 30 // characters of a label
)

// label names the ports of a line, most bytes first: "443 https", "902, 443",
// "902, 443, 22 +2".
func (l line) label() string {
	var ports []string
	for _, e := range l.edges {
		text := e.Proto.String()
		if e.Proto.HasPorts() {
			text = strconv.Itoa(int(e.Port))
		}
		if !slices.Contains(ports, text) {
			ports = append(ports, text)
		}
	}
	if name := oneLine(l.edges[0].Service); len(ports) == 1 && name != "" {
		return cut(ports[0]+" "+name, maxLabel)
	}
	if len(ports) > maxPorts {
		return fmt.Sprintf("%s +%d", strings.Join(ports[:maxPorts], ", "), len(ports)-maxPorts)
	}
	return strings.Join(ports, ", ")
}

// cut shortens s to n characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:n-1]) + "\u2026"
}

// title is how a box is called on one line.
func title(h *topology.Host) string {
	name, addr := hostLines(h)
	switch {
	case h.Kind == topology.Internet && h.Count > 1:
		return fmt.Sprintf("%s (%d hosts)", name, h.Count)
	case h.Count > 1:
		return fmt.Sprintf("%d hosts of %s", h.Count, oneLine(h.Network))
	case addr != "":
		return name + " (" + addr + ")"
	}
	return name
}

// hostLines is how a box is called on two lines: its name, and its address or
// network. The second is empty if it would say nothing new.
func hostLines(h *topology.Host) (name, below string) {
	name, key := oneLine(h.Name), oneLine(h.Key)
	switch {
	case h.Count > 1:
		return name, oneLine(h.Network)
	case name == "" || name == key:
		return key, ""
	}
	return name, key
}

// oneLine returns s as one line of valid text: control characters, and signs
// that turn the direction of text, become blanks.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e ||
			r >= 0x2066 && r <= 0x2069 || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.Join(strings.Fields(s), " ")
}

// inert makes text harmless in a spreadsheet, which takes cells that begin with
// these signs for formulas.
func inert(s string) string {
	s = oneLine(s)
	if s != "" && strings.IndexByte("=+-@", s[0]) >= 0 {
		return "'" + s
	}
	return s
}
