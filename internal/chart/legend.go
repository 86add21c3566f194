package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/portolan/portolan/internal/topology"
)

const (
	legendPad  = 12
	legendLine = 20
	markW      = 26
	markGap    = 7
	entryGap   = 22
	familyMost = 6 // ports named per family
)

// legend explains what the page shows, from y on: one row per run of entries.
func (p *plan) legend(pg Page, y float64) Legend {
	lines := slices.Concat(p.familyLines(pg.W-2*margin), p.widthLines(), p.shapeLines())
	if len(lines) == 0 {
		return Legend{}
	}
	most := pg.W - 2*margin
	x, top, used := float64(legendPad), y+legendPad-4, 0.0
	last := FamilyMark
	for i := range lines {
		l := &lines[i]
		w := math.Ceil(LegendFont.Width(l.Text))
		full := markW + markGap + w
		if x > legendPad && (x+full+legendPad > most || last == FamilyMark && l.Mark != FamilyMark) {
			x, top = legendPad, top+legendLine
		}
		last = l.Mark
		l.MarkAt = Rect{margin + x, top + 4, markW, 12}
		l.TextAt = Rect{margin + x + markW + markGap, top + 2, w, 16}
		x += full
		used = max(used, x)
		x += entryGap
	}
	return Legend{Rect: Rect{margin, y, used + legendPad, top + legendLine + legendPad - 4 - y}, Lines: lines}
}

// familyLines names the families on the page with their busiest ports.
func (p *plan) familyLines(most float64) []LegendLine {
	type service struct {
		text  string
		bytes uint64
	}
	families := map[Family][]service{}
	for _, l := range p.links {
		for _, e := range l.edges {
			f, text := FamilyOf(e.Proto, e.Port, e.App), portText(e)
			i := slices.IndexFunc(families[f], func(s service) bool { return s.text == text })
			if i < 0 {
				families[f] = append(families[f], service{text, e.Bytes()})
				continue
			}
			families[f][i].bytes += e.Bytes()
		}
	}
	var lines []LegendLine
	for _, f := range []Family{Web, Database, File, Messaging, Mail, Admin, Core, Other} {
		list := families[f]
		if len(list) == 0 {
			continue
		}
		slices.SortFunc(list, func(a, b service) int {
			return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.text, b.text))
		})
		var parts []string
		for _, s := range list[:min(familyMost, len(list))] {
			parts = append(parts, s.text)
		}
		text := f.String() + ": " + strings.Join(parts, ", ")
		if len(list) > familyMost {
			text += fmt.Sprintf(" +%d", len(list)-familyMost)
		}
		lines = append(lines, LegendLine{Mark: FamilyMark, Family: f, Width: 3, Text: LegendFont.Fit(text, most-markW-markGap-2*legendPad)})
	}
	return lines
}

// widthLines shows what widths and dashes mean.
func (p *plan) widthLines() []LegendLine {
	if len(p.links) == 0 {
		return nil
	}
	low, high := p.links[0].bytes, p.links[0].bytes
	dashed, infra := false, false
	for _, l := range p.links {
		low, high = min(low, l.bytes), max(high, l.bytes)
		dashed = dashed || l.dashed
		infra = infra || l.layer == Infrastructure
	}
	lo, hi := powerOf10(low), powerOf10(high)
	var lines []LegendLine
	for _, n := range slices.Compact([]float64{lo, math.Round((lo + hi) / 2), hi}) {
		b := uint64(math.Pow(10, n))
		lines = append(lines, LegendLine{Mark: WidthMark, Family: Neutral, Width: lineWidth(b), Text: strings.Replace(Bytes(b), ".0", "", 1)})
	}
	lines[0].Text = "Width = bytes: " + lines[0].Text
	if dashed {
		lines = append(lines, LegendLine{Mark: DashMark, Family: Neutral, Width: 2, Text: "direction inferred"})
	}
	return lines
}

// powerOf10 returns the decimal exponent of n, between that of 1 kB and 1 TB.
func powerOf10(n uint64) float64 {
	return min(max(math.Floor(math.Log10(float64(max(n, 1)))), 3), 12)
}

// shapeLines explains the shapes that are not plain boxes.
func (p *plan) shapeLines() []LegendLine {
	names := []struct {
		shape Shape
		text  string
	}{{Circle, "virtual machine"}, {Square, "physical machine"}, {StackBox, "several hosts"}, {Cloud, "Internet"}}
	var lines []LegendLine
	for _, n := range names {
		if slices.ContainsFunc(p.hosts, func(h *host) bool { return h.shape() == n.shape }) {
			lines = append(lines, LegendLine{Mark: ShapeMark, Family: Neutral, Shape: n.shape, Width: 1, Text: n.text})
		}
	}
	return lines
}

// caption says what the page shows and what it leaves out.
func caption(g *topology.Graph, p *plan) []string {
	var lines []string
	if w := window(g); w != "" {
		lines = append(lines, w)
	}
	if len(p.links) == 0 {
		lines = append(lines, "No flows in this time window.")
	}
	if fold := g.Folded; fold != nil && fold.Hosts > 0 {
		return append(lines, foldLine(fold)+leftOut(g))
	}
	if len(p.links) > 0 {
		var bytes uint64
		for _, l := range p.links {
			bytes += l.bytes
		}
		lines = append(lines, fmt.Sprintf("%s, %s in use, %s",
			plural(len(p.hosts), "host"), plural(len(g.Edges), "service"), Bytes(bytes))+leftOut(g))
	}
	return lines
}

// leftOut says how much multicast and the like is not in the picture.
func leftOut(g *topology.Graph) string {
	if g.LeftOut == nil {
		return ""
	}
	return fmt.Sprintf("; without %s of multicast and link-local traffic", Bytes(g.LeftOut.Bytes))
}

// foldLine tells what is drawn of what there was.
func foldLine(f *topology.Folding) string {
	hosts := plural(f.Hosts, "host")
	if f.HostsShown < f.Hosts {
		hosts = fmt.Sprintf("top %s of %s", count(f.HostsShown), hosts)
	}
	share := ""
	if f.Bytes > 0 {
		percent := 100 * float64(f.BytesShown) / float64(f.Bytes)
		if f.BytesShown < f.Bytes {
			percent = min(math.Floor(percent*10)/10, 99.9)
		}
		share = fmt.Sprintf(", %.4g %% of %s", percent, Bytes(f.Bytes))
	}
	return strings.ToUpper(hosts[:1]) + hosts[1:] + share
}

func window(g *topology.Graph) string {
	s := g.Span
	if s.Start == 0 && s.End == 0 {
		return ""
	}
	from, to := stamp(s.Start), stamp(s.End)
	if s.End == 0 {
		return "From " + from
	}
	if from[:10] == to[:10] {
		to = to[11:]
	}
	return strings.TrimSuffix(from, " UTC") + " to " + to
}
