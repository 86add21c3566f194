package chart

import (
	"math"

	"github.com/portolan/portolan/internal/topology"
)

const (
	margin     = 28 // pixels around everything
	titleLine  = 28 // height of the title's line
	textLine   = 17 // height of a caption line
	headGap    = 14 // between the captions and the map
	legendGap  = 22 // between the map and the legend
	minPageW   = 560
	emptySpace = 60
)

// page turns the plan into pixels.
func (p *plan) page(g *topology.Graph, opts Options) Page {
	pg := Page{ID: "flows", Title: clean(opts.Title), Caption: caption(g, p)}
	if f := clean(opts.Filter); f != "" {
		pg.Caption = append(pg.Caption, CaptionFont.Fit("Filter: "+f, 800))
	}
	if opts.Made != "" {
		pg.Made = "made with " + clean(opts.Made)
	}
	mapW := float64(p.maxX-p.minX) * Pitch
	pg.W = max(minPageW, mapW+2*margin)
	for _, line := range pg.Caption {
		pg.W = max(pg.W, math.Ceil(CaptionFont.Width(line))+2*margin)
	}
	pg.Title = TitleFont.Fit(pg.Title, pg.W-2*margin)
	y := float64(margin)
	pg.TitleAt = Rect{margin, y, math.Ceil(TitleFont.Width(pg.Title)), titleLine}
	y += titleLine
	for _, line := range pg.Caption {
		pg.CaptionAt = append(pg.CaptionAt, Rect{margin, y, math.Ceil(CaptionFont.Width(line)), textLine})
		y += textLine
	}
	y += headGap
	f := frame{x: math.Floor((pg.W-mapW)/2) - float64(p.minX)*Pitch, y: y - float64(p.minY)*Pitch}
	p.addBoxes(&pg, f)
	p.addLines(&pg, f)
	y += float64(p.maxY-p.minY) * Pitch
	if len(p.hosts) == 0 {
		y += emptySpace
	}
	y += legendGap
	pg.Legend = p.legend(pg, y)
	if len(pg.Legend.Lines) > 0 {
		y = pg.Legend.Rect.Y + pg.Legend.Rect.H + 12
	}
	if pg.Made != "" {
		w := math.Ceil(SubFont.Width(pg.Made))
		pg.MadeAt = Rect{pg.W - margin - w, y, w, 14}
		y += 14
	}
	pg.H = y + margin*0.7
	pg.H = math.Ceil(pg.H)
	return pg
}

// A frame is where cell 0, 0 is on the page.
type frame struct{ x, y float64 }

func (f frame) rect(x, y, w, h int) Rect {
	return Rect{f.x + float64(x)*Pitch, f.y + float64(y)*Pitch, float64(w) * Pitch, float64(h) * Pitch}
}

// center returns the middle of a cell.
func (f frame) center(c cell) Point {
	return Point{f.x + (float64(c.x)+0.5)*Pitch, f.y + (float64(c.y)+0.5)*Pitch}
}

func (p *plan) addBoxes(pg *Page, f frame) {
	for _, n := range p.nets {
		r := f.rect(n.x, n.y, n.w, n.h)
		titleW := math.Ceil(ContainerFont.Width(n.title))
		b := Box{
			ID: n.id, Rect: r, Container: true, Title: n.title, Sub: n.sub, Family: Neutral,
			TitleAt: Rect{r.X + 12, r.Y + 4, titleW, 18},
			SubAt:   Rect{r.X + 12 + titleW + 10, r.Y + 5, math.Ceil(SubFont.Width(n.sub)), 17},
			Data:    []Datum{{"network", n.title}, {"hosts", n.sub}},
		}
		if n.outside {
			b.Shape = Cloud
		}
		pg.Boxes = append(pg.Boxes, b)
	}
	for _, h := range p.hosts {
		pg.Boxes = append(pg.Boxes, h.box(p.nets[h.net].id, f.rect(h.x, h.y, h.w, h.h)))
	}
}

// box places a host's text and chips, centred in r.
func (h *host) box(parent string, r Rect) Box {
	b := Box{ID: h.id, Parent: parent, Rect: r, Shape: h.shape(), Title: h.title, Sub: h.sub, Family: h.family(), Data: hostData(h)}
	const titleH, subH, space = 15, 13, 3
	height := float64(titleH)
	if h.sub != "" {
		height += subH
	}
	if len(h.chips) > 0 {
		height += space + chipH
	}
	y := r.Y + math.Round((r.H-height)/2)
	centred := func(w, h float64) Rect { return Rect{r.X + math.Round((r.W-w)/2), y, w, h} }
	b.TitleAt = centred(math.Ceil(HostFont.Width(h.title)), titleH)
	y += titleH
	if h.sub != "" {
		b.SubAt = centred(math.Ceil(SubFont.Width(h.sub)), subH)
		y += subH
	}
	if len(h.chips) == 0 {
		return b
	}
	y += space
	w := -float64(chipGap)
	for _, c := range h.chips {
		w += c.Rect.W + chipGap
	}
	x := centred(w, chipH).X
	for _, c := range h.chips {
		c.Rect = Rect{x, y, c.Rect.W, chipH}
		x += c.Rect.W + chipGap
		b.Ports = append(b.Ports, c)
	}
	return b
}

func (p *plan) addLines(pg *Page, f frame) {
	for _, l := range p.links {
		a, b := p.hosts[l.client], p.hosts[l.server]
		line := Link{
			ID: "link-" + a.id[len("host-"):] + "--" + b.id[len("host-"):], From: a.id, To: b.id,
			Width: lineWidth(l.bytes), Family: l.family, Dashed: l.dashed, Layer: l.layer,
			Data: linkData(l, a, b),
		}
		points := make([]Point, 0, len(l.path)+2)
		points = append(points, f.border(a, l.from))
		for _, c := range l.path {
			points = append(points, f.center(c))
		}
		points = append(points, f.border(b, l.to))
		line.Points = straighten(points)
		tip := points[len(points)-1]
		line.Label = Label{Text: l.label, Rect: Rect{tip.X - Pitch - l.labelW, tip.Y - 6.5, l.labelW, 13}}
		if l.to.side == right {
			line.Label.Rect.X = tip.X + Pitch
		}
		pg.Links = append(pg.Links, line)
	}
}

// border returns the point where a link meets its box.
func (f frame) border(h *host, e *end) Point {
	r := f.rect(h.x, h.y, h.w, h.h)
	q := Point{r.X, r.Y + (float64(e.row)+0.5)*Pitch}
	if e.side == right {
		q.X += r.W
	}
	return q
}

// straighten drops points that do not turn.
func straighten(points []Point) []Point {
	out := points[:0:0]
	for i, q := range points {
		if i > 0 && i < len(points)-1 {
			a, b := points[i-1], points[i+1]
			if a.X == q.X && q.X == b.X || a.Y == q.Y && q.Y == b.Y {
				continue
			}
		}
		out = append(out, q)
	}
	return out
}
