package export

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/portolan/portolan/internal/topology"
)

// Mermaid writes a Mermaid flowchart: networks as subgraphs, one line for each
// pair of hosts. Names are quoted and their special signs written as entities.
func Mermaid(w io.Writer, g *topology.Graph, o Options) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "---\ntitle: \"%s\"\n---\nflowchart LR\n", strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(pageTitle(o.Title)))
	for i, c := range containers(g) {
		fmt.Fprintf(&b, "  subgraph net%d[\"%s\"]\n", i+1, mermaidText(c.title))
		for _, h := range c.hosts {
			name, below := hostLines(h)
			text := mermaidText(name)
			if below != "" && h.Count == 1 {
				text += "<br/>" + mermaidText(below)
			}
			left, right := "[", "]"
			switch h.Kind {
			case topology.Virtual:
				left, right = "([", "])"
			case topology.Stack:
				left, right = "[[", "]]"
			}
			fmt.Fprintf(&b, "    n%d%s\"%s\"%s\n", h.ID+1, left, text, right)
		}
		b.WriteString("  end\n")
	}
	for i, l := range lines(g, o.LinePerPort) {
		fmt.Fprintf(&b, "  n%d -->|\"%s\"| n%d\n", l.client+1, mermaidText(l.label()), l.server+1)
		fmt.Fprintf(&b, "  linkStyle %d stroke:%s,stroke-width:%.1fpx\n", i, l.family().Style().Line, penWidth(l.bytes()))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// mermaidText writes signs that mean something to Mermaid, to Markdown or to
// HTML as entities.
func mermaidText(s string) string {
	return strings.NewReplacer("#", "#35;", "&", "#amp;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;", `\`, "#92;",
		"*", "#42;", "_", "#95;", "{", "#123;", "}", "#125;", "|", "#124;", "%", "#37;").Replace(oneLine(s))
}
