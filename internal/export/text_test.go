package export

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/portolan/portolan/internal/chart/charttest"
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
	} {
		err := CheckLucid(strings.NewReader(head + c.row))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %q", c.row, err, c.want)
		}
	}
	if err := CheckLucid(strings.NewReader("a,b\n")); err == nil {
		t.Error("a file without the columns passes")
	}
}

const nasty = `=cmd|'/c "x"'!A1 <b>&\ %id%` + "\n" + `--></svg>`

func TestHostileNamesStayText(t *testing.T) {
	g := *charttest.HomeLab()
	g.Hosts = append([]topology.Host(nil), g.Hosts...)
	g.Hosts[0].Name, g.Hosts[0].Count = nasty, 1

	lucid := lucidOf(t, &g, Options{Title: nasty})
	if err := CheckLucid(strings.NewReader(lucid)); err != nil {
		t.Error(err)
	}
	if strings.Contains(lucid, `,"=cmd`) || strings.Contains(lucid, ",=cmd") {
		t.Error("a cell of the Lucid CSV begins like a formula")
	}
	var b bytes.Buffer
	if err := DrawioCSV(&b, &g, Options{}); err != nil {
		t.Fatal(err)
	}
	_, rows, _ := strings.Cut(b.String(), "id,name")
	if strings.ContainsAny(rows, `'\<`) || strings.Contains(rows, `""`) {
		t.Errorf("the draw.io CSV holds what its reader stumbles over: %s", rows)
	}
	b.Reset()
	if err := JSON(&b, &g, Options{}); err != nil || !json.Valid(b.Bytes()) {
		t.Errorf("JSON: %v", err)
	}
	b.Reset()
	if err := DOT(&b, &g, Options{Title: nasty}); err != nil {
		t.Fatal(err)
	}
	dot, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("no Graphviz here; the set-up of CI has it")
	}
	cmd := exec.Command(dot, "-Tcanon")
	cmd.Stdin = &b
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("Graphviz refuses: %v: %s", err, out)
	}
}

func TestFormatsAreChosenByNameAndPath(t *testing.T) {
	for path, want := range map[string]string{"a.drawio": "drawio", "a.SVG": "svg", "a.csv": "lucid", "a.dot": "dot", "a.json": "json"} {
		if f, err := ByPath(path); err != nil || f.Name != want {
			t.Errorf("ByPath(%s) = %s, %v", path, f.Name, err)
		}
	}
	if _, err := ByPath("a.vsdx"); err == nil {
		t.Error("a.vsdx has a format")
	}
	if _, err := ByName("visio"); err == nil {
		t.Error("visio is a format")
	}
}
