package export

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/portolan/portolan/internal/chart"
)

// Colours of a light page that no family has.
const (
	pageFill     = "#ffffff"
	netFill      = "#f7f8fa"
	netStroke    = "#c9d0da"
	outsideFill  = "#ffffff"
	boxStroke    = "#9aa5b5"
	textColor    = "#17202e"
	mutedColor   = "#5b6778"
	fontFamilies = "Inter, Helvetica, Arial, 'DejaVu Sans', sans-serif"
)

// infrastructureOpacity makes lines of the infrastructure layer step back.
const infrastructureOpacity = "0.55"

// SVG writes the pages of d, one below the other, as one SVG 1.1 picture in
// light colours. Attributes are literal, so that viewers without style sheets
// draw it too; tooltips are title elements.
func SVG(w io.Writer, d chart.Drawing) error {
	s := &svg{}
	width, height := 0.0, 0.0
	for _, p := range d.Pages {
		width = max(width, p.W)
		height += p.H
	}
	title := "Network flows"
	if len(d.Pages) > 0 && d.Pages[0].Title != "" {
		title = d.Pages[0].Title
	}
	s.open("svg", "xmlns", "http://www.w3.org/2000/svg", "width", num(width), "height", num(height),
		"viewBox", "0 0 "+num(width)+" "+num(height), "font-family", fontFamilies,
		"role", "img", "aria-labelledby", "title desc")
	s.text("title", title, "id", "title")
	s.text("desc", describe(d), "id", "desc")
	s.empty("rect", "width", num(width), "height", num(height), "fill", pageFill)
	y := 0.0
	for i := range d.Pages {
		p := &d.Pages[i]
		s.page(p, y, len(d.Pages) > 1)
		y += p.H
	}
	s.close("svg")
	_, err := w.Write(s.b.Bytes())
	return err
}

// describe tells a picture in one sentence, for people who do not see it.
func describe(d chart.Drawing) string {
	hosts, links := 0, 0
	var caption []string
	for _, p := range d.Pages {
		for _, b := range p.Boxes {
			if !b.Container {
				hosts++
			}
		}
		links += len(p.Links)
		caption = append(caption, p.Caption...)
	}
	return fmt.Sprintf("Chart of %d hosts and %d links from clients to servers. %s.", hosts, links, strings.Join(caption, ". "))
}

type svg struct {
	b     bytes.Buffer
	depth int
}

func (s *svg) page(p *chart.Page, y float64, many bool) {
	if many {
		s.open("g", "id", p.ID, "transform", "translate(0 "+num(y)+")")
		defer s.close("g")
	}
	s.label(p.TitleAt, p.Title, chart.TitleFont, textColor, "start")
	for i, at := range p.CaptionAt {
		s.label(at, p.Caption[i], chart.CaptionFont, mutedColor, "start")
	}
	for i := range p.Boxes {
		if p.Boxes[i].Container {
			s.container(&p.Boxes[i])
		}
	}
	for _, layer := range []chart.Layer{chart.Infrastructure, chart.Flows} {
		s.layer(p, layer)
	}
	for i := range p.Boxes {
		if !p.Boxes[i].Container {
			s.host(&p.Boxes[i])
		}
	}
	s.legend(&p.Legend)
	if p.Made != "" {
		s.label(p.MadeAt, p.Made, chart.SubFont, mutedColor, "end")
	}
}

func (s *svg) layer(p *chart.Page, layer chart.Layer) {
	name, opacity := "flows", ""
	if layer == chart.Infrastructure {
		name, opacity = "infrastructure", infrastructureOpacity
	}
	s.open("g", "id", p.ID+"-"+name)
	defer s.close("g")
	s.open("g", "opacity", opacity)
	// First the lines, then all labels, so that no line crosses a label.
	for i := range p.Links {
		if p.Links[i].Layer == layer {
			s.link(&p.Links[i])
		}
	}
	s.close("g")
	for i := range p.Links {
		if l := &p.Links[i]; l.Layer == layer && l.Label.Text != "" {
			s.linkLabel(l)
		}
	}
}

func (s *svg) container(b *chart.Box) {
	fill, dash := netFill, ""
	if b.Shape == chart.Cloud {
		fill, dash = outsideFill, "5 4"
	}
	s.open("g", "id", b.ID)
	s.tooltip(b.Data)
	s.rect(b.Rect, 10, "fill", fill, "stroke", netStroke, "stroke-width", "1", "stroke-dasharray", dash)
	s.label(b.TitleAt, b.Title, chart.ContainerFont, textColor, "start")
	s.label(b.SubAt, b.Sub, chart.SubFont, mutedColor, "start")
	s.close("g")
}

func (s *svg) host(b *chart.Box) {
	stroke, fill, dash := b.Family.Style().Line, "#ffffff", ""
	if b.Family == chart.Neutral {
		stroke = boxStroke
	}
	if b.Shape == chart.Cloud {
		dash = "4 3"
	}
	s.open("g", "id", b.ID)
	s.tooltip(b.Data)
	if b.Shape == chart.StackBox {
		r := b.Rect
		r.X, r.Y = r.X+4, r.Y+4
		s.rect(r, b.Shape.Radius(), "fill", fill, "stroke", stroke, "stroke-width", "1")
	}
	s.rect(b.Rect, b.Shape.Radius(), "fill", fill, "stroke", stroke, "stroke-width", "1.3", "stroke-dasharray", dash)
	s.label(b.TitleAt, b.Title, chart.HostFont, textColor, "middle")
	s.label(b.SubAt, b.Sub, chart.SubFont, mutedColor, "middle")
	for _, c := range b.Ports {
		style := c.Family.Style()
		s.rect(c.Rect, 3, "fill", chipFill(c.Family))
		s.label(c.Rect, c.Text, chart.ChipFont, style.Line, "middle")
	}
	s.close("g")
}

func chipFill(f chart.Family) string {
	if f == chart.Neutral {
		return "#eef0f3"
	}
	return f.Style().Fill
}

func (s *svg) link(l *chart.Link) {
	if len(l.Points) < 2 {
		return
	}
	dash := ""
	if l.Dashed {
		dash = "6 4"
	}
	color := l.Family.Style().Line
	points, head := arrow(l)
	d := path(points)
	s.open("g", "id", l.ID)
	s.tooltip(l.Data)
	// The white line below lets crossings read as bridges.
	s.empty("path", "d", d, "fill", "none", "stroke", "#ffffff", "stroke-width", num(l.Width+3), "stroke-opacity", "0.85")
	s.empty("path", "d", d, "fill", "none", "stroke", color, "stroke-width", num(l.Width), "stroke-dasharray", dash, "stroke-linejoin", "round")
	s.empty("path", "d", head, "fill", color)
	s.close("g")
}

// arrow returns the line shortened by its head, and the outline of the head.
func arrow(l *chart.Link) ([]chart.Point, string) {
	points := append([]chart.Point(nil), l.Points...)
	tip, before := points[len(points)-1], points[len(points)-2]
	length, half := 6.5+0.5*l.Width, 3.2+0.5*l.Width
	dx, dy := unit(tip.X-before.X), unit(tip.Y-before.Y)
	base := chart.Point{X: tip.X - dx*length, Y: tip.Y - dy*length}
	points[len(points)-1] = chart.Point{X: base.X + dx, Y: base.Y + dy}
	return points, fmt.Sprintf("M%s %sL%s %sL%s %sZ", num(tip.X), num(tip.Y),
		num(base.X-dy*half), num(base.Y+dx*half), num(base.X+dy*half), num(base.Y-dx*half))
}

func unit(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// path draws corners with a small radius.
func path(points []chart.Point) string {
	const radius = 6
	var b strings.Builder
	fmt.Fprintf(&b, "M%s %s", num(points[0].X), num(points[0].Y))
	for i := 1; i < len(points)-1; i++ {
		p, q, r := points[i-1], points[i], points[i+1]
		cut := min(radius, distance(p, q)/2, distance(q, r)/2)
		in := chart.Point{X: q.X - unit(q.X-p.X)*cut, Y: q.Y - unit(q.Y-p.Y)*cut}
		out := chart.Point{X: q.X + unit(r.X-q.X)*cut, Y: q.Y + unit(r.Y-q.Y)*cut}
		fmt.Fprintf(&b, "L%s %sQ%s %s %s %s", num(in.X), num(in.Y), num(q.X), num(q.Y), num(out.X), num(out.Y))
	}
	last := points[len(points)-1]
	fmt.Fprintf(&b, "L%s %s", num(last.X), num(last.Y))
	return b.String()
}

func distance(a, b chart.Point) float64 { return math.Abs(a.X-b.X) + math.Abs(a.Y-b.Y) }

func (s *svg) linkLabel(l *chart.Link) {
	s.rect(l.Label.Rect, 6.5, "fill", "#ffffff", "stroke", l.Family.Style().Line, "stroke-width", "0.8")
	s.label(l.Label.Rect, l.Label.Text, chart.LabelFont, l.Family.Style().Line, "middle")
}

func (s *svg) legend(l *chart.Legend) {
	if len(l.Lines) == 0 {
		return
	}
	s.open("g", "id", "legend")
	s.rect(l.Rect, 8, "fill", "#ffffff", "stroke", netStroke, "stroke-width", "1")
	for _, e := range l.Lines {
		s.mark(e)
		s.label(e.TextAt, e.Text, chart.LegendFont, textColor, "start")
	}
	s.close("g")
}

func (s *svg) mark(e chart.LegendLine) {
	at, color := e.MarkAt, e.Family.Style().Line
	switch e.Mark {
	case chart.ShapeMark:
		dash := ""
		if e.Shape == chart.Cloud {
			dash = "4 3"
		}
		if e.Shape == chart.StackBox {
			s.rect(chart.Rect{X: at.X + 3, Y: at.Y + 3, W: at.W - 3, H: at.H - 3}, 3, "fill", "#ffffff", "stroke", color, "stroke-width", "1")
			at.W, at.H = at.W-3, at.H-3
		}
		s.rect(at, min(e.Shape.Radius(), at.H/2), "fill", "#ffffff", "stroke", color, "stroke-width", "1", "stroke-dasharray", dash)
	default:
		dash := ""
		if e.Mark == chart.DashMark {
			dash = "6 4"
		}
		y := num(at.Y + at.H/2)
		s.empty("path", "d", "M"+num(at.X)+" "+y+"H"+num(at.X+at.W), "fill", "none", "stroke", color,
			"stroke-width", num(e.Width), "stroke-dasharray", dash)
	}
}

// label writes text into r: its baseline is that of one line in the middle of r.
func (s *svg) label(r chart.Rect, text string, f chart.Font, color, anchor string) {
	if text == "" {
		return
	}
	x := r.X
	switch anchor {
	case "middle":
		x += r.W / 2
	case "end":
		x += r.W
	}
	if anchor == "start" {
		anchor = ""
	}
	weight := ""
	if f.Bold {
		weight = "bold"
	}
	s.text("text", text, "x", num(x), "y", num(r.Y+r.H/2+0.36*f.Size), "font-size", num(f.Size),
		"font-weight", weight, "text-anchor", anchor, "fill", color)
}

func (s *svg) tooltip(data []chart.Datum) {
	var lines []string
	for _, d := range data {
		lines = append(lines, d.Key+": "+d.Value)
	}
	if len(lines) > 0 {
		s.text("title", strings.Join(lines, "\n"))
	}
}

func (s *svg) rect(r chart.Rect, radius float64, attrs ...string) {
	rx := ""
	if radius > 0 {
		rx = num(radius)
	}
	s.empty("rect", append([]string{"x", num(r.X), "y", num(r.Y), "width", num(r.W), "height", num(r.H), "rx", rx}, attrs...)...)
}

// tag writes an element's name and attributes; empty values are left out.
func (s *svg) tag(name string, attrs []string) {
	for range s.depth {
		s.b.WriteByte(' ')
	}
	s.b.WriteByte('<')
	s.b.WriteString(name)
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			fmt.Fprintf(&s.b, ` %s="%s"`, attrs[i], escape(attrs[i+1]))
		}
	}
}

func (s *svg) open(name string, attrs ...string) {
	s.tag(name, attrs)
	s.b.WriteString(">\n")
	s.depth++
}

func (s *svg) close(name string) {
	s.depth--
	for range s.depth {
		s.b.WriteByte(' ')
	}
	fmt.Fprintf(&s.b, "</%s>\n", name)
}

func (s *svg) empty(name string, attrs ...string) {
	s.tag(name, attrs)
	s.b.WriteString("/>\n")
}

func (s *svg) text(name, text string, attrs ...string) {
	s.tag(name, attrs)
	fmt.Fprintf(&s.b, ">%s</%s>\n", escape(text), name)
}

// num prints a length with at most two decimals.
func num(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;", "\n", "&#10;")

// escape makes s safe in XML text and attributes. Characters that XML 1.0 does
// not allow become U+FFFD.
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= 0x20 && r != 0xfffe && r != 0xffff {
			return r
		}
		return '\uFFFD'
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return escaper.Replace(s)
}
