package export

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/portolan/portolan/internal/chart"
	"github.com/portolan/portolan/internal/chart/charttest"
)

// A mxCell is what the tests read of a draw.io file.
type mxCell struct {
	ID     string `xml:"id,attr"`
	Style  string `xml:"style,attr"`
	Vertex string `xml:"vertex,attr"`
	Edge   string `xml:"edge,attr"`
	Parent string `xml:"parent,attr"`
	Source string `xml:"source,attr"`
	Target string `xml:"target,attr"`
}

type userObject struct {
	ID      string `xml:"id,attr"`
	Label   string `xml:"label,attr"`
	Tooltip string `xml:"tooltip,attr"`
	Cell    mxCell `xml:"mxCell"`
}

type mxFile struct {
	Diagrams []struct {
		ID    string       `xml:"id,attr"`
		Cells []mxCell     `xml:"mxGraphModel>root>mxCell"`
		Users []userObject `xml:"mxGraphModel>root>UserObject"`
	} `xml:"diagram"`
}

func readDrawio(t *testing.T, d chart.Drawing) mxFile {
	t.Helper()
	var b bytes.Buffer
	if err := Drawio(&b, d); err != nil {
		t.Fatal(err)
	}
	var f mxFile
	if err := xml.Unmarshal(b.Bytes(), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDrawioReferencesResolve(t *testing.T) {
	for name, d := range map[string]chart.Drawing{
		"campus": chart.Layout(charttest.Campus(), picture), "hostile": chart.Layout(hostile(), picture),
	} {
		for _, page := range readDrawio(t, d).Diagrams {
			cells := page.Cells
			for _, u := range page.Users {
				u.Cell.ID = u.ID
				cells = append(cells, u.Cell)
				if u.Tooltip == "" {
					t.Errorf("%s: %s has no tooltip", name, u.ID)
				}
			}
			ids := map[string]bool{"": true}
			for _, c := range cells {
				if c.ID == "" || ids[c.ID] {
					t.Errorf("%s: id %q is empty or twice there", name, c.ID)
				}
				ids[c.ID] = true
			}
			edges := 0
			for _, c := range cells {
				if !ids[c.Parent] || !ids[c.Source] || !ids[c.Target] {
					t.Errorf("%s: %s refers to nothing: parent %q source %q target %q", name, c.ID, c.Parent, c.Source, c.Target)
				}
				if c.Edge == "1" {
					edges++
					if c.Source == "" || c.Target == "" || !strings.Contains(c.Style, "exitX=") || !strings.Contains(c.Style, "entryX=") {
						t.Errorf("%s: %s is not glued", name, c.ID)
					}
				}
			}
			if want := len(d.Pages[0].Links); edges != want {
				t.Errorf("%s: %d edges, want %d", name, edges, want)
			}
		}
	}
}

func TestDrawioWritesAllPages(t *testing.T) {
	a, b := chart.Layout(charttest.Lab(), picture).Pages[0], chart.Layout(charttest.HomeLab(), picture).Pages[0]
	b.ID = "second"
	if f := readDrawio(t, chart.Drawing{Pages: []chart.Page{a, b}}); len(f.Diagrams) != 2 || f.Diagrams[1].ID != "second" {
		t.Errorf("read %d diagrams, want 2", len(f.Diagrams))
	}
}
