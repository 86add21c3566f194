package export

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/portolan/portolan/internal/chart"
	"github.com/portolan/portolan/internal/chart/charttest"
	"github.com/portolan/portolan/internal/topology"
)

var update = flag.Bool("update", false, "write golden files")

var picture = chart.Options{Title: "Home lab", Made: "Portolan test"}

// pictures are the formats of this file's tests.
var pictures = []struct {
	suffix string
	write  func(io.Writer, chart.Drawing) error
}{{".svg", SVG}, {".drawio", Drawio}}

func TestPicturesAreGolden(t *testing.T) {
	d := chart.Layout(charttest.HomeLab(), picture)
	for _, p := range pictures {
		var b bytes.Buffer
		if err := p.write(&b, d); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", "homelab"+p.suffix)
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s differs (-want +got); run go test -update:\n%s", file, diff)
		}
	}
}

// hostile returns a graph whose names try to break out of every format.
func hostile() *topology.Graph {
	b := &charttest.Builder{}
	names := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `a & b 'c' "d"`, "line\nbreak\x00\x1b[31m",
		"\xff\xfe invalid", "]]>", `{{=A1}}`, `%label%`, "\u202eright to left", strings.Repeat("long-name-", 60), "名前", "",
	}
	var ids []topology.HostID
	for i, n := range names {
		ids = append(ids, b.Host(topology.Host{Key: "k" + n, Name: n, Network: names[i%4]}))
	}
	for i := range ids {
		b.Edge(ids[i], ids[(i+3)%len(ids)], 443, 1000)
	}
	g := b.Graph()
	for i := range g.Edges {
		g.Edges[i].Service = names[i%len(names)]
		g.Edges[i].AppName = names[(i+1)%len(names)]
	}
	for i := range g.Hosts {
		for k := range g.Hosts[i].Services {
			g.Hosts[i].Services[k].Name = names[(i+k)%len(names)]
		}
	}
	return g
}

func TestPicturesAreWellFormed(t *testing.T) {
	one := &charttest.Builder{}
	one.Host(topology.Host{Key: "10.0.0.1", Network: "10.0.0.0/8"})
	for name, g := range map[string]*topology.Graph{
		"empty": {}, "one host": one.Graph(), "lab": charttest.Lab(), "campus": charttest.Campus(), "hostile": hostile(),
	} {
		d := chart.Layout(g, chart.Options{Title: `<b>&"`, Filter: `name = "<x>"`, Made: "Portolan & friends"})
		for _, p := range pictures {
			var b bytes.Buffer
			if err := p.write(&b, d); err != nil {
				t.Fatal(err)
			}
			parseXML(t, name+p.suffix, b.Bytes())
			for _, bad := range []string{"<script", "<img", "\x00", "\x1b"} {
				if strings.Contains(b.String(), bad) {
					t.Errorf("%s%s contains %q", name, p.suffix, bad)
				}
			}
		}
	}
}

func parseXML(t *testing.T, name string, data []byte) {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(data))
	for {
		_, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s is not well-formed: %v", name, err)
		}
	}
}

func TestEmptyPictureSaysSo(t *testing.T) {
	d := chart.Layout(&topology.Graph{}, picture)
	for _, p := range pictures {
		var b bytes.Buffer
		if err := p.write(&b, d); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "No flows") {
			t.Errorf("empty %s does not say that there are no flows", p.suffix)
		}
	}
}

func TestPictureErrorsReachTheCaller(t *testing.T) {
	want := errors.New("disk full")
	d := chart.Layout(charttest.Lab(), picture)
	for _, p := range pictures {
		if err := p.write(failing{want}, d); !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", p.suffix, err, want)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func BenchmarkDrawio(b *testing.B) {
	d := chart.Layout(charttest.Campus(), picture)
	b.ReportAllocs()
	for b.Loop() {
		if err := Drawio(io.Discard, d); err != nil {
			b.Fatal(err)
		}
	}
}
