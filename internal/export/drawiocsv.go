package export

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/portolan/portolan/internal/chart"
	"github.com/portolan/portolan/internal/topology"
)

// drawioColumns names, for each family, the column that holds the server of a
// line. draw.io takes the style of a line from the connection that its column
// belongs to, so each colour needs a column.
var drawioColumns = [...]string{
	chart.Other: "other", chart.Web: "web", chart.Database: "database", chart.File: "file",
	chart.Messaging: "messaging", chart.Mail: "mail", chart.Admin: "admin", chart.Core: "core",
}

// DrawioCSV writes draw.io's CSV for Insert > Advanced > CSV. Every host is a
// row; then each line is one more row of its client, with server and label,
// because the import draws one line a row. draw.io lays the hosts out itself.
//
// Versions 14 to 24 read the same from it: no byte order mark, no CRLF, no
// apostrophes, double quotes or backslashes in cells.
func DrawioCSV(w io.Writer, g *topology.Graph, o Options) error {
	all := lines(g, o.LinePerPort)
	var families []chart.Family
	for _, l := range all {
		families = append(families, l.family())
	}
	slices.Sort(families)
	families = slices.Compact(families)

	var b bytes.Buffer
	fmt.Fprintf(&b, "## %s\n", plain(oneLine(o.Title)))
	b.WriteString("# label: <b>%name%</b><br><font color=\"#5b6778\">%addr%</font>\n")
	b.WriteString("# style: rounded=%round%;absoluteArcSize=1;arcSize=%arc%;dashed=%dash%;shadow=%shadow%;whiteSpace=wrap;html=1;" +
		"fillColor=%fill%;strokeColor=%stroke%;fontColor=#17202e;\n")
	b.WriteString("# namespace: host-\n# identity: id\n")
	head := []string{"id", "name", "addr", "fill", "stroke", "round", "arc", "dash", "shadow"}
	hostColumns := len(head)
	for _, f := range families {
		color := f.Style().Line
		fmt.Fprintf(&b, `# connect: {"from":"%s","to":"id","fromlabel":"port","style":"edgeStyle=orthogonalEdgeStyle;rounded=1;html=1;endArrow=block;endFill=1;endSize=5;strokeWidth=1.5;strokeColor=%s;fontColor=%s;fontSize=11;labelBackgroundColor=#ffffff;"}`+"\n",
			drawioColumns[f], color, color)
		head = append(head, drawioColumns[f])
	}
	head = append(head, "port")
	fmt.Fprintf(&b, "# width: 150\n# height: 50\n# padding: 8\n# nodespacing: 60\n# levelspacing: %d\n# edgespacing: 40\n# layout: horizontalflow\n", levelSpacing(all))
	fmt.Fprintf(&b, "# ignore: %s\n", strings.Join(slices.Delete(slices.Clone(head), 1, 3), ","))

	rows := [][]string{head}
	hosts := make([][]string, len(g.Hosts))
	for i := range g.Hosts {
		hosts[i] = append([]string{fmt.Sprintf("h%d", i+1)}, drawioHost(&g.Hosts[i])...)
		rows = append(rows, append(slices.Clone(hosts[i]), make([]string, len(families)+1)...))
	}
	for _, l := range all {
		row := append(slices.Clone(hosts[l.client]), make([]string, len(families)+1)...)
		row[hostColumns+slices.Index(families, l.family())] = hosts[l.server][0]
		row[len(row)-1] = plain(l.label())
		rows = append(rows, row)
	}
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// levelSpacing returns the pixels between columns of hosts that leave room for
// the labels of lines.
func levelSpacing(all []line) int {
	longest := 0
	for _, l := range all {
		longest = max(longest, utf8.RuneCountInString(l.label()))
	}
	return max(100, 60+7*longest)
}

// drawioHost returns the columns of a host behind its id.
func drawioHost(h *topology.Host) []string {
	name, addr := hostLines(h)
	if addr == "" {
		addr = oneLine(h.Network)
	}
	fill, stroke := "#ffffff", boxStroke
	if len(h.Services) > 0 {
		best := h.Services[0]
		for _, s := range h.Services[1:] {
			if s.Bytes > best.Bytes {
				best = s
			}
		}
		style := chart.FamilyOf(best.Proto, best.Port, best.App).Style()
		fill, stroke = style.Fill, style.Line
	}
	arc := "12"
	switch h.Kind {
	case topology.Virtual:
		arc = "28" // round ends, as in every format
	case topology.Physical:
		arc = "0"
	}
	return []string{plain(name), plain(addr), fill, stroke, bit(arc != "0"), arc, bit(h.Kind == topology.Internet), bit(h.Kind == topology.Stack)}
}

// plain writes what a version of draw.io's CSV reader could take for something
// else as HTML entities, which its labels understand.
func plain(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;", "%", "&#37;", `\`, "&#92;").Replace(s)
}
