package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/portolan/portolan/internal/chart"
	"github.com/portolan/portolan/internal/topology"
)

// drawioCSVHead tells draw.io's CSV import how to draw the rows. Every host is
// a row first; then each line is one more row of its client, with the server
// and the label: the import draws one edge a row.
const drawioCSVHead = `# label: <b>%name%</b><br><font color="#657187">%addr%</font>
# style: rounded=1;whiteSpace=wrap;html=1;fillColor=%fill%;strokeColor=%stroke%;fontColor=#17202E;
# namespace: host-
# identity: id
# connect: {"from":"to","to":"id","fromlabel":"port","style":"endArrow=classic;html=1;rounded=1;edgeStyle=orthogonalEdgeStyle;fontSize=11;labelBackgroundColor=#FFFFFF;strokeColor=#4A5568;"}
# width: 150
# height: 50
# padding: 8
# ignore: id,fill,stroke,to,port
# nodespacing: 60
# levelspacing: 120
# edgespacing: 40
# layout: horizontalflow
`

// DrawioCSV writes draw.io's CSV for Insert > Advanced > CSV, in the form that
// versions 14 to 24 read alike: no quotes, no backslashes, no byte order mark.
// draw.io lays the hosts out itself.
func DrawioCSV(w io.Writer, g *topology.Graph, o Options) error {
	if _, err := io.WriteString(w, drawioCSVHead); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	rows := [][]string{{"id", "name", "addr", "fill", "stroke", "to", "port"}}
	hosts := make([][]string, len(g.Hosts))
	for i := range g.Hosts {
		h := &g.Hosts[i]
		name, addr := h.Name, h.Network
		if h.Count == 1 {
			addr = h.Key
		}
		if name == "" {
			name, addr = h.Key, h.Network
		}
		fill, stroke := "#FFFFFF", "#C3CAD5"
		if len(h.Services) > 0 {
			fill, stroke = hostColours(h)
		}
		hosts[i] = []string{fmt.Sprintf("h%d", i+1), plain(name), plain(addr), fill, stroke}
		rows = append(rows, append(hosts[i][:5:5], "", ""))
	}
	for _, l := range lines(g, o.LinePerPort) {
		rows = append(rows, append(hosts[l.client][:5:5], hosts[l.server][0], plain(l.label())))
	}
	return out.WriteAll(rows)
}

// hostColours are a pale and a full form of the colour of a host's busiest
// service.
func hostColours(h *topology.Host) (fill, stroke string) {
	best := h.Services[0]
	for _, s := range h.Services[1:] {
		if s.Bytes > best.Bytes {
			best = s
		}
	}
	style := chart.FamilyOf(best.Proto, best.Port, best.Name).Style()
	return style.Fill, style.Line
}

// plain writes what draw.io's CSV reader of any version could take for
// something else as HTML entities, which its labels understand.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < ' ':
			return ' '
		case r == '\\':
			return '/'
		}
		return r
	}, s)
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;", "%", "&#37;").Replace(s)
}
