package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/chart/charttest"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/topology"
)

func lucidOf(t *testing.T, g *topology.Graph, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Lucid(&b, g, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLucidPassesItsChecker(t *testing.T) {
	g := charttest.HomeLab()
	for _, perPort := range []bool{false, true} {
		out := lucidOf(t, g, Options{Title: "Home Lab - Flows", LinePerPort: perPort})
		if err := CheckLucid(strings.NewReader(out)); err != nil {
			t.Errorf("line per port %v: %v", perPort, err)
		}
		if !strings.HasPrefix(out, strings.Join(lucidHead, ",")+"\r\n1,Page,") {
			t.Errorf("begins with %.120q", out)
		}
	}
}

func TestLucidCheckerFindsMistakes(t *testing.T) {
	head := strings.Join(lucidHead, ",") + ",,\n1,Page,,,,,,,,,Lab,,\n66,Connector,Flowchart Shapes,1,,,,,,,NUC,,\n,,,,,,,,,,,,\n55,Connector,Flowchart Shapes,1,,,,,,,vCenter,,\n"
	for _, c := range []struct{ row, want string }{
		{"100,Line,,1,,,66,55,None,Arrow,443,,\n", ""},
		{"66,Line,,1,,,66,55,None,Arrow,443,,\n", "Id 66 comes twice"},
		{"x,Line,,1,,,66,55,None,Arrow,443,,\n", `Id "x" is no number`},
		{"100,Line,,1,,,66,56,None,Arrow,443,,\n", `Line Destination "56" is no shape`},
		{"100,Line,,2,,,66,55,None,Arrow,443,,\n", `Page ID "2" is no page`},
		{"100,Line,,1,,,66,55,Arrow,None,443,,\n", `arrows are "Arrow" to "None"`},
		{"100,Process,,1,,,,,,,x,,\n", "without a Shape Library"},
		{"100,,Flowchart Shapes,1,,,,,,,x,,\n", "row 6: no Name"},
	} {
		err := CheckLucid(strings.NewReader(head + c.row))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %q", c.row, err, c.want)
		}
	}
	head = strings.Join(lucidHead, ",") + "\n"
	for text, want := range map[string]string{
		"":      "lucid csv: no rows",
		"a,b\n": `lucid csv: no column "Id"`,
		head:    "lucid csv: no page",
		head + "2,Process,Flowchart Shapes,1,,,,,,,x\n1,Page,,,,,,,,,Lab\n": "row 2: Process stands before the first page",
		head + "1,\"Page\n": "lucid csv: parse error on line 2",
	} {
		if err := CheckLucid(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestAuthorsFormPasses holds the checker to a form that Lucidchart took: gaps
// between identifiers, blank rows, columns without a name, CRLF.
func TestAuthorsFormPasses(t *testing.T) {
	text := strings.ReplaceAll(strings.Join(lucidHead, ",")+`,,,
1,Page,,,,,,,,,Flows,,,
66,Connector,Flowchart Shapes,1,,,,,,,nuc (66),,,
55,Connector,Flowchart Shapes,1,,,,,,,vcenter (55),,,
,,,,,,,,,,,,,
240,Connector,Flowchart Shapes,1,,,,,,,esxi (240),,,
,,,,,,,,,,,,,
100,Line,,1,,,55,240,None,Arrow,443,,,
101,Line,,1,,,55,240,None,Arrow,902,,,
105,Line,,1,,,66,55,None,Arrow,443,,,
`, "\n", "\r\n")
	if err := CheckLucid(strings.NewReader(text)); err != nil {
		t.Error(err)
	}
}

// texts are the formats that are written from the graph.
var texts = []struct {
	file  string
	write func(io.Writer, *topology.Graph, Options) error
}{
	{"lucid.csv", Lucid}, {"drawio.csv", DrawioCSV}, {"dot", DOT}, {"mmd", Mermaid}, {"json", JSON}, {"csv", CSV},
}

func TestTextsAreTheExpectedOnes(t *testing.T) {
	g := topology.Fold(charttest.HomeLab(), topology.DefaultBudget())
	for _, f := range texts {
		var b bytes.Buffer
		if err := f.write(&b, g, Options{Title: "Home lab", Filter: "tcp", Made: "Portolan"}); err != nil {
			t.Fatal(err)
		}
		file := "testdata/homelab." + f.file
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), b.String()); d != "" {
			t.Errorf("%s differs (-want +got); run go test -update:\n%s", file, d)
		}
	}
}

// nasty is a graph of names that try to break out of every format: names of
// hosts, of networks, of services.
func nasty() *topology.Graph {
	g := hostile()
	for i, name := range []string{
		`=cmd|'/c "x"'!A1 <b>&\ %id%` + "\n--></svg>", `+1`, `-2+3`, `@SUM(A1)`, "\t=1+1", "\r\n=1+1", `"]; evil [label="`, `\N \L`, "end", `"] --> x["`,
		"` + 1", `--- ||"`,
	} {
		g.Hosts[i].Name, g.Hosts[i].Network, g.Edges[i].Service = name, name, name
	}
	return g
}

func TestHostileNamesStayText(t *testing.T) {
	g := nasty()
	for _, f := range texts {
		for _, perPort := range []bool{false, true} {
			var b bytes.Buffer
			if err := f.write(&b, g, Options{Title: g.Hosts[0].Name, LinePerPort: perPort}); err != nil {
				t.Fatalf("%s: %v", f.file, err)
			}
			if !utf8.Valid(b.Bytes()) || strings.ContainsAny(b.String(), "\x00\x1b\u202e") && f.file != "json" {
				t.Errorf("%s holds what is no text", f.file)
			}
			check := map[string]func(*testing.T, string){
				"lucid.csv": checkCells, "csv": checkCells, "drawio.csv": checkDrawioCSV, "dot": checkDOT, "mmd": checkMermaid, "json": checkJSON,
			}
			check[f.file](t, b.String())
			if f.file == "lucid.csv" {
				if err := CheckLucid(&b); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// checkCells wants no cell that a spreadsheet would compute.
func checkCells(t *testing.T, text string) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		for _, cell := range row {
			if strings.TrimLeft(cell, "=+-@\t\r\n ") != cell {
				t.Errorf("row %d has the cell %q", i+1, cell)
			}
		}
	}
}

func checkDrawioCSV(t *testing.T, text string) {
	_, rows, _ := strings.Cut(text, "\nid,name")
	if strings.ContainsAny(rows, `'\<>%`+"\r") || strings.Contains(rows, `""`) {
		t.Errorf("the draw.io CSV holds what its reader stumbles over: %s", rows)
	}
	for line := range strings.Lines(rows) {
		if strings.HasPrefix(line, "#") {
			t.Errorf("a row looks like a directive: %s", line)
		}
	}
}

func checkJSON(t *testing.T, text string) {
	if !json.Valid([]byte(text)) {
		t.Errorf("no JSON: %s", text)
	}
}

// checkMermaid wants every line to be one of those that Mermaid writes.
func checkMermaid(t *testing.T, text string) {
	form := regexp.MustCompile(`^(---|title: ".*"|flowchart LR|  subgraph net\d+\["[^"\x60<>|{}]*"\]|  end|    n\d+(\(\[|\[\[|\[)"([^"\x60<>|{}]|<br/>)*"(\]\)|\]\]|\])|  n\d+ -->\|"[^"\x60<>|{}]*"\| n\d+|  linkStyle \d+ stroke:#[0-9a-f]{6},stroke-width:[\d.]+px)$`)
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); !form.MatchString(line) {
			t.Errorf("Mermaid: %s", line)
		}
	}
}

func checkDOT(t *testing.T, text string) {
	dot, err := exec.LookPath("dot")
	if err != nil {
		t.Log("no Graphviz here to read the DOT")
		return
	}
	cmd := exec.Command(dot, "-Tplain")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("Graphviz refuses: %v: %s", err, out)
	}
	if n := len(regexp.MustCompile(`(?m)^node n\d+ `).FindAll(out, -1)); n != len(nasty().Hosts) {
		t.Errorf("Graphviz finds %d nodes, want %d", n, len(nasty().Hosts))
	}
}

func TestLabels(t *testing.T) {
	edge := func(proto flow.Proto, port uint16, service string, bytes uint64) *topology.Edge {
		return &topology.Edge{Proto: proto, Port: port, Service: service, ToServer: flow.Counters{Bytes: bytes}, Server: 1}
	}
	for _, c := range []struct {
		edges []*topology.Edge
		want  string
	}{
		{[]*topology.Edge{edge(flow.TCP, 443, "https", 1)}, "443 https"},
		{[]*topology.Edge{edge(flow.TCP, 9999, "", 1)}, "9999"},
		{[]*topology.Edge{edge(flow.ICMP, 0, "", 1)}, "icmp"},
		{[]*topology.Edge{edge(flow.TCP, 53, "dns", 1), edge(flow.UDP, 53, "dns", 2)}, "53 dns"},
		{[]*topology.Edge{edge(flow.TCP, 443, "https", 1), edge(flow.TCP, 902, "vsphere-nfc", 5)}, "902, 443"},
		{[]*topology.Edge{edge(flow.TCP, 1, "", 1), edge(flow.TCP, 2, "", 2), edge(flow.TCP, 3, "", 3), edge(flow.TCP, 4, "", 4), edge(flow.ICMP, 0, "", 9)}, "icmp, 4, 3 +2"},
		{[]*topology.Edge{edge(flow.TCP, 443, strings.Repeat("é", 40), 1)}, "443 " + strings.Repeat("é", 25) + "…"},
	} {
		g := &topology.Graph{Hosts: make([]topology.Host, 2)}
		for _, e := range c.edges {
			g.Edges = append(g.Edges, *e)
		}
		all := lines(g, false)
		if len(all) != 1 || all[0].label() != c.want {
			t.Errorf("label %q, want %q", all[0].label(), c.want)
		}
	}
}

func TestTitles(t *testing.T) {
	for _, c := range []struct {
		host topology.Host
		want string
	}{
		{topology.Host{Key: "10.0.0.1", Count: 1}, "10.0.0.1"},
		{topology.Host{Key: "10.0.0.1", Name: "web\n1", Count: 1}, "web 1 (10.0.0.1)"},
		{topology.Host{Key: "net 10.0.0.0/24", Name: "+12 hosts", Count: 12, Network: "10.0.0.0/24", Kind: topology.Stack}, "12 hosts of 10.0.0.0/24"},
		{topology.Host{Key: "internet clients", Name: "Internet clients", Count: 412, Network: "Internet", Kind: topology.Internet}, "Internet clients (412 hosts)"},
	} {
		if got := title(&c.host); got != c.want {
			t.Errorf("title %q, want %q", got, c.want)
		}
	}
}

// TestStacksHaveNoLineToThemselves: a chart draws none either.
func TestStacksHaveNoLineToThemselves(t *testing.T) {
	b := &charttest.Builder{}
	stack := b.Host(topology.Host{Key: "net a", Name: "+2 hosts", Count: 2, Kind: topology.Stack, Network: "a"})
	b.Edge(stack, stack, 443, 1000)
	g := b.Graph()
	if n := len(lines(g, false)); n != 0 {
		t.Errorf("%d lines", n)
	}
	var out bytes.Buffer
	if err := CSV(&out, g, Options{}); err != nil || strings.Count(out.String(), "\n") != 2 {
		t.Errorf("the table lacks the edge: %s, %v", out.String(), err)
	}
}

func TestFormatsAreChosenByNameAndPath(t *testing.T) {
	for path, want := range map[string]string{"a.drawio": "drawio", "a.SVG": "svg", "a.csv": "lucid", "a.dot": "dot", "a.json": "json", "dir.x/a.mmd": "mermaid"} {
		if f, err := ByPath(path); err != nil || f.Name != want {
			t.Errorf("ByPath(%s) = %s, %v", path, f.Name, err)
		}
	}
	for _, f := range Formats() {
		if got, err := ByName(f.Name); err != nil || got.Ext != f.Ext || f.Help == "" {
			t.Errorf("ByName(%s) = %v, %v", f.Name, got, err)
		}
	}
	_, err := ByPath("a.vsdx")
	wantError(t, err, `a.vsdx: the ending ".vsdx" tells no format (have: .drawio, .svg, .csv, .dot, .mmd, .json)`)
	_, err = ByPath("dir.x/a")
	wantError(t, err, `dir.x/a: no ending that tells the format (have: .drawio, .svg, .csv, .dot, .mmd, .json)`)
	_, err = ByName("visio")
	wantError(t, err, `unknown format "visio"`)
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func FuzzCheckLucid(f *testing.F) {
	head := strings.Join(lucidHead, ",") + "\n"
	f.Add(head + "1,Page,,,,,,,,,Lab\n2,Process,Flowchart Shapes,1,,,,,,,x\n")
	f.Add(head + "\"\n")
	f.Fuzz(func(_ *testing.T, s string) { _ = CheckLucid(strings.NewReader(s)) })
}
