package export

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/portolan/portolan/internal/chart"
)

// Drawio writes d as a draw.io file (mxfile, not compressed), one diagram per
// page. Networks are containers with their hosts as children, links are glued
// to both boxes and follow the drawing's own corners, flows and infrastructure
// are layers. Facts are kept as attributes and shown as tooltips.
//
// Names are escaped twice, for HTML and for XML: draw.io reads labels as HTML.
func Drawio(w io.Writer, d chart.Drawing) error {
	x := &drawio{}
	x.line(`<mxfile host="portolan">`)
	for i := range d.Pages {
		x.page(&d.Pages[i])
	}
	x.line(`</mxfile>`)
	_, err := w.Write(x.b.Bytes())
	return err
}

type drawio struct{ b bytes.Buffer }

func (x *drawio) line(format string, args ...any) {
	fmt.Fprintf(&x.b, format, args...)
	x.b.WriteByte('\n')
}

// The layers of a page, in drawing order.
const (
	noteLayer  = "layer-notes"
	boxLayer   = "layer-hosts"
	infraLayer = "layer-infrastructure"
	flowLayer  = "layer-flows"
)

func (x *drawio) page(p *chart.Page) {
	x.line(` <diagram id="%s" name="%s">`, escape(p.ID), escape(pageName(p)))
	x.line(`  <mxGraphModel dx="0" dy="0" grid="0" gridSize="7" guides="1" tooltips="1" connect="1" arrows="1" fold="1" page="0" pageScale="1" pageWidth="%s" pageHeight="%s" background="#ffffff" math="0" shadow="0">`, num(p.W), num(p.H))
	x.line(`   <root>`)
	x.line(`    <mxCell id="0"/>`)
	x.line(`    <mxCell id="1" value="Background" parent="0"/>`)
	x.line(`    <mxCell id="%s" value="Hosts" parent="0"/>`, boxLayer)
	x.line(`    <mxCell id="%s" value="Infrastructure" parent="0"/>`, infraLayer)
	x.line(`    <mxCell id="%s" value="Flows" parent="0"/>`, flowLayer)
	x.line(`    <mxCell id="%s" value="Title and legend" parent="0"/>`, noteLayer)
	at := map[string]chart.Rect{}
	for i := range p.Boxes {
		b := &p.Boxes[i]
		at[b.ID] = b.Rect
		if b.Container {
			x.container(b)
		}
	}
	for i := range p.Boxes {
		if b := &p.Boxes[i]; !b.Container {
			x.host(b, at)
		}
	}
	for i := range p.Links {
		x.link(&p.Links[i], at)
	}
	x.notes(p)
	x.line(`   </root>`)
	x.line(`  </mxGraphModel>`)
	x.line(` </diagram>`)
}

func pageName(p *chart.Page) string {
	if p.Title == "" {
		return "Network flows"
	}
	return p.Title
}

// A drawioCell is one shape or line.
type drawioCell struct {
	id, parent string
	label      string // HTML
	style      string
	data       []chart.Datum
	geometry   string // the mxGeometry element
	ends       string // source and target of an edge, "" for a shape
}

// cell writes c, in a UserObject if it carries data.
func (x *drawio) cell(c drawioCell) {
	kind := `vertex="1"`
	if c.ends != "" {
		kind = `edge="1" ` + c.ends
	}
	if len(c.data) == 0 {
		x.line(`    <mxCell id="%s" value="%s" style="%s" %s parent="%s">`, escape(c.id), escape(c.label), escape(c.style), kind, escape(c.parent))
		x.line(`     %s`, c.geometry)
		x.line(`    </mxCell>`)
		return
	}
	var attrs, tip strings.Builder
	for i, d := range c.data {
		if i > 0 {
			tip.WriteString("\n")
		}
		tip.WriteString(escapeHTML(d.Key + ": " + d.Value))
		fmt.Fprintf(&attrs, ` %s="%s"`, attribute(d.Key), escape(d.Value))
	}
	x.line(`    <UserObject id="%s" label="%s" tooltip="%s"%s>`, escape(c.id), escape(c.label), escape(tip.String()), attrs.String())
	x.line(`     <mxCell style="%s" %s parent="%s">`, escape(c.style), kind, escape(c.parent))
	x.line(`      %s`, c.geometry)
	x.line(`     </mxCell>`)
	x.line(`    </UserObject>`)
}

// attribute turns a key of a datum into an XML attribute's name.
func attribute(key string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(key))
	switch {
	case name == "" || name[0] >= '0' && name[0] <= '9':
		return "_" + name
	case name == "id", name == "label", name == "tooltip", name == "link", name == "placeholders", name == "tags":
		return name + "_" // these mean something to draw.io
	}
	return name
}

// box returns the geometry of a shape.
func geometry(r chart.Rect) string {
	return fmt.Sprintf(`<mxGeometry x="%s" y="%s" width="%s" height="%s" as="geometry"/>`, num(r.X), num(r.Y), num(r.W), num(r.H))
}

const drawioFont = "fontFamily=Helvetica;html=1;"

func (x *drawio) container(b *chart.Box) {
	fill, dash := netFill, ""
	if b.Shape == chart.Cloud {
		fill, dash = outsideFill, "dashed=1;dashPattern=5 4;"
	}
	label := span(chart.ContainerFont, textColor, b.Title)
	if b.Sub != "" {
		label += "&nbsp; " + span(chart.SubFont, mutedColor, b.Sub)
	}
	x.cell(drawioCell{
		id: b.ID, parent: boxLayer, label: label, data: b.Data, geometry: geometry(b.Rect),
		style: "rounded=1;absoluteArcSize=1;arcSize=20;container=1;collapsible=0;recursiveResize=0;pointerEvents=0;" + drawioFont +
			"align=left;verticalAlign=top;spacingLeft=8;spacingTop=1;fillColor=" + fill + ";strokeColor=" + netStroke + ";" + dash,
	})
}

func (x *drawio) host(b *chart.Box, at map[string]chart.Rect) {
	stroke := b.Family.Style().Line
	if b.Family == chart.Neutral {
		stroke = boxStroke
	}
	style := "absoluteArcSize=1;" + drawioFont + "align=center;verticalAlign=top;spacing=0;spacingTop=" + num(max(0, b.TitleAt.Y-b.Rect.Y-2)) +
		";fillColor=#ffffff;strokeWidth=1.3;strokeColor=" + stroke + ";"
	if radius := b.Shape.Radius(); radius > 0 {
		style = "rounded=1;arcSize=" + num(2*radius) + ";" + style
	} else {
		style = "rounded=0;" + style
	}
	switch b.Shape {
	case chart.Cloud:
		style += "dashed=1;dashPattern=4 3;"
	case chart.StackBox:
		style += "shadow=1;"
	}
	parent, r := boxLayer, b.Rect
	if p, ok := at[b.Parent]; ok {
		parent = b.Parent
		r.X, r.Y = r.X-p.X, r.Y-p.Y
	}
	label := span(chart.HostFont, textColor, b.Title)
	if b.Sub != "" {
		label += "<br>" + span(chart.SubFont, mutedColor, b.Sub)
	}
	x.cell(drawioCell{
		id: b.ID, parent: parent, label: label, data: b.Data, geometry: geometry(r),
		style: style + "container=" + bit(len(b.Ports) > 0) + ";collapsible=0;recursiveResize=0;",
	})
	for _, c := range b.Ports {
		r := c.Rect
		r.X, r.Y = r.X-b.Rect.X, r.Y-b.Rect.Y
		x.cell(drawioCell{
			id: c.ID, parent: b.ID, label: escapeHTML(c.Text), geometry: geometry(r),
			style: "rounded=1;absoluteArcSize=1;arcSize=6;connectable=0;" + drawioFont + "fontStyle=1;spacing=0;fontSize=" + num(chart.ChipFont.Size) +
				";fontColor=" + c.Family.Style().Line + ";fillColor=" + chipFill(c.Family) + ";strokeColor=none;",
		})
	}
}

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// span returns text in HTML with a font.
func span(f chart.Font, color, text string) string {
	s := fmt.Sprintf(`<span style="font-size:%spx;color:%s">%s</span>`, num(f.Size), color, escapeHTML(text))
	if f.Bold {
		return "<b>" + s + "</b>"
	}
	return s
}

func (x *drawio) link(l *chart.Link, at map[string]chart.Rect) {
	if len(l.Points) < 2 {
		return
	}
	from, to := at[l.From], at[l.To]
	first, last := l.Points[0], l.Points[len(l.Points)-1]
	color := l.Family.Style().Line
	parent := flowLayer
	style := "edgeStyle=none;rounded=1;arcSize=12;jettySize=0;orthogonalLoop=0;" + drawioFont + "endArrow=block;endFill=1;endSize=" + num(5.5-0.5*l.Width) +
		";strokeWidth=" + num(l.Width) + ";strokeColor=" + color + ";"
	if l.Dashed {
		style += "dashed=1;dashPattern=6 4;fixDash=1;"
	}
	if l.Layer == chart.Infrastructure {
		parent = infraLayer
		style += "opacity=55;"
	}
	style += fractions("exit", first, from) + fractions("entry", last, to)
	style += "fontSize=" + num(chart.LabelFont.Size) + ";fontColor=" + color + ";labelBackgroundColor=#ffffff;"
	var g strings.Builder
	g.WriteString(`<mxGeometry relative="1" as="geometry">`)
	if len(l.Points) > 2 {
		g.WriteString(`<Array as="points">`)
		for _, q := range l.Points[1 : len(l.Points)-1] {
			fmt.Fprintf(&g, `<mxPoint x="%s" y="%s"/>`, num(q.X), num(q.Y))
		}
		g.WriteString(`</Array>`)
	}
	g.WriteString(`</mxGeometry>`)
	x.cell(drawioCell{
		id: l.ID, parent: parent, style: style, data: l.Data, geometry: g.String(),
		ends: fmt.Sprintf(`source="%s" target="%s"`, escape(l.From), escape(l.To)),
	})
	if l.Label.Text == "" {
		return
	}
	// The label is a child of the edge: its place is a share of the way, -1 at
	// the client to 1 at the server, and it moves with the line.
	r := l.Label.Rect
	x.cell(drawioCell{
		id: l.ID + "-label", parent: l.ID, label: escapeHTML(l.Label.Text),
		style: "edgeLabel;resizable=0;rounded=1;absoluteArcSize=1;arcSize=13;" + drawioFont + "align=center;verticalAlign=middle;spacing=0;fontSize=" + num(chart.LabelFont.Size) +
			";fontColor=" + color + ";fillColor=#ffffff;strokeColor=" + color + ";strokeWidth=0.8;",
		geometry: fmt.Sprintf(`<mxGeometry x="%s" y="0" width="%s" height="%s" relative="1" connectable="0" as="geometry"><mxPoint x="%s" y="%s" as="offset"/></mxGeometry>`,
			share(labelShare(l)), num(r.W), num(r.H), num(-r.W/2), num(-r.H/2)),
	})
}

// fractions glues an end to a place on the border of r.
func fractions(end string, q chart.Point, r chart.Rect) string {
	if r.W == 0 || r.H == 0 {
		return ""
	}
	return fmt.Sprintf("%sX=%s;%sY=%s;%sDx=0;%sDy=0;%sPerimeter=0;", end, share((q.X-r.X)/r.W), end, share((q.Y-r.Y)/r.H), end, end, end)
}

// share prints a fraction with enough digits to hit the pixel.
func share(v float64) string {
	s := strings.TrimRight(fmt.Sprintf("%.6f", v), "0")
	s = strings.TrimSuffix(s, ".")
	if s == "-0" {
		return "0"
	}
	return s
}

// labelShare returns where on the line the middle of the label is: -1 at its
// beginning, 1 at its end.
func labelShare(l *chart.Link) float64 {
	total := 0.0
	for i := 1; i < len(l.Points); i++ {
		total += distance(l.Points[i-1], l.Points[i])
	}
	if total == 0 {
		return 0
	}
	r, tip := l.Label.Rect, l.Points[len(l.Points)-1]
	rest := distance(chart.Point{X: r.X + r.W/2, Y: tip.Y}, tip)
	return 1 - 2*rest/total
}

// notes writes title, caption and legend as shapes on a layer of their own.
func (x *drawio) notes(p *chart.Page) {
	n := 0
	text := func(r chart.Rect, s string, f chart.Font, color, align string) {
		if s == "" {
			return
		}
		n++
		style := "text;strokeColor=none;fillColor=none;whiteSpace=nowrap;spacing=0;verticalAlign=middle;" + drawioFont +
			"align=" + align + ";fontSize=" + num(f.Size) + ";fontColor=" + color + ";"
		if f.Bold {
			style += "fontStyle=1;"
		}
		x.cell(drawioCell{id: fmt.Sprintf("note-%d", n), parent: noteLayer, label: escapeHTML(s), style: style, geometry: geometry(r)})
	}
	text(p.TitleAt, p.Title, chart.TitleFont, textColor, "left")
	for i, r := range p.CaptionAt {
		text(r, p.Caption[i], chart.CaptionFont, mutedColor, "left")
	}
	if len(p.Legend.Lines) > 0 {
		x.legend(&p.Legend)
	}
	text(p.MadeAt, p.Made, chart.SubFont, mutedColor, "right")
}

// legend writes the legend as a container, so that it moves as one.
func (x *drawio) legend(l *chart.Legend) {
	inside := func(r chart.Rect) chart.Rect { return chart.Rect{X: r.X - l.Rect.X, Y: r.Y - l.Rect.Y, W: r.W, H: r.H} }
	x.cell(drawioCell{id: "legend", parent: noteLayer, geometry: geometry(l.Rect),
		style: "rounded=1;absoluteArcSize=1;arcSize=16;container=1;collapsible=0;fillColor=#ffffff;strokeColor=" + netStroke + ";"})
	for i, e := range l.Lines {
		color := e.Family.Style().Line
		style := "line;html=1;strokeWidth=" + num(e.Width) + ";strokeColor=" + color + ";"
		switch e.Mark {
		case chart.DashMark:
			style += "dashed=1;dashPattern=6 4;fixDash=1;"
		case chart.ShapeMark:
			style = "rounded=1;absoluteArcSize=1;arcSize=" + num(2*min(e.Shape.Radius(), e.MarkAt.H/2)) + ";fillColor=#ffffff;strokeColor=" + color + ";"
			if e.Shape == chart.Cloud {
				style += "dashed=1;dashPattern=4 3;"
			}
			if e.Shape == chart.StackBox {
				style += "shadow=1;"
			}
		}
		x.cell(drawioCell{id: fmt.Sprintf("legend-%d-mark", i+1), parent: "legend", style: style, geometry: geometry(inside(e.MarkAt))})
		x.cell(drawioCell{id: fmt.Sprintf("legend-%d", i+1), parent: "legend", label: escapeHTML(e.Text), geometry: geometry(inside(e.TextAt)),
			style: "text;strokeColor=none;fillColor=none;whiteSpace=nowrap;spacing=0;align=left;verticalAlign=middle;" + drawioFont +
				"fontSize=" + num(chart.LegendFont.Size) + ";fontColor=" + textColor + ";"})
	}
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

// escapeHTML makes s plain text in HTML.
func escapeHTML(s string) string { return htmlEscaper.Replace(s) }
