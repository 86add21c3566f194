package chart

import "slices"

// A cell is a place on the grid of tracks: column x, row y.
type cell struct{ x, y int }

// A grid knows, for every cell, what stands there and which lines pass it.
// A cell is passed by at most one line from left to right and one from top to
// bottom; a line that bends there has both.
type grid struct {
	x0, y0, w, h int
	blocked      []bool  // a box or a title
	net          []int16 // network that the cell belongs to, -1 = none
	nearBox      []bool
	row, column  []int16   // link that passes horizontally, vertically; -1 = none
	fought       []float32 // what the cell costs more because links fought over it
	stub         []int16   // link whose label stands there, -1 = none: nobody else passes
}

func newGrid(x0, y0, x1, y1 int) *grid {
	g := &grid{x0: x0, y0: y0, w: x1 - x0, h: y1 - y0}
	n := g.w * g.h
	g.blocked, g.nearBox = make([]bool, n), make([]bool, n)
	g.fought = make([]float32, n)
	g.net, g.row, g.column, g.stub = make([]int16, n), make([]int16, n), make([]int16, n), make([]int16, n)
	for i := range n {
		g.net[i], g.row[i], g.column[i], g.stub[i] = -1, -1, -1, -1
	}
	return g
}

func (g *grid) at(c cell) int { return (c.y-g.y0)*g.w + c.x - g.x0 }

func (g *grid) cell(i int) cell { return cell{i%g.w + g.x0, i/g.w + g.y0} }

// fill calls f for every cell of a rectangle, clipped to the grid.
func (g *grid) fill(x, y, w, h int, f func(i int)) {
	for yy := max(y, g.y0); yy < min(y+h, g.y0+g.h); yy++ {
		for xx := max(x, g.x0); xx < min(x+w, g.x0+g.w); xx++ {
			f(g.at(cell{xx, yy}))
		}
	}
}

// passes calls f for each cell of a path of corners, and says in which
// directions the path passes it.
func (g *grid) passes(path []cell, f func(i int, across, down bool)) {
	for k := 1; k < len(path); k++ {
		a, b := path[k-1], path[k]
		dx, dy := sign(b.x-a.x), sign(b.y-a.y)
		for c := a; ; c = (cell{c.x + dx, c.y + dy}) {
			f(g.at(c), dx != 0, dy != 0)
			if c == b {
				break
			}
		}
	}
}

// draw lays a link's path into the grid; erase takes it out.
func (g *grid) draw(l *link) {
	g.passes(l.path, func(i int, across, down bool) {
		if across {
			g.row[i] = int16(l.id)
		}
		if down {
			g.column[i] = int16(l.id)
		}
	})
}

func (g *grid) erase(l *link) {
	g.passes(l.path, func(i int, across, down bool) {
		if across && g.row[i] == int16(l.id) {
			g.row[i] = -1
		}
		if down && g.column[i] == int16(l.id) {
			g.column[i] = -1
		}
	})
}

// rivals returns the links whose tracks l takes, ascending, and makes the cells
// dearer where they met.
func (g *grid) rivals(l *link) []int {
	var ids []int
	add := func(i int, id int16) {
		if id < 0 || int(id) == l.id {
			return
		}
		g.fought[i] += 2
		if at, found := slices.BinarySearch(ids, int(id)); !found {
			ids = slices.Insert(ids, at, int(id))
		}
	}
	g.passes(l.path, func(i int, across, down bool) {
		if across || g.row[i] == g.column[i] {
			add(i, g.row[i])
		}
		if down {
			add(i, g.column[i])
		}
	})
	return ids
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// newGrid makes the grid of a placed plan, with margin free cells around it.
func (p *plan) newGrid(margin int) *grid {
	x0, y0, x1, y1 := 0, 0, 1, 1
	for i, n := range p.nets {
		if i == 0 {
			x0, y0, x1, y1 = n.x, n.y, n.x+n.w, n.y+n.h
		}
		x0, y0, x1, y1 = min(x0, n.x), min(y0, n.y), max(x1, n.x+n.w), max(y1, n.y+n.h)
	}
	g := newGrid(x0-margin, y0-margin, x1+margin, y1+margin)
	for i, n := range p.nets {
		g.fill(n.x, n.y, n.w, n.h, func(k int) { g.net[k] = int16(i) })
		g.fill(n.x, n.y, n.titleW, netHeadH-1, func(k int) { g.blocked[k] = true })
	}
	for _, h := range p.hosts {
		g.fill(h.x-1, h.y-1, h.w+2, h.h+2, func(k int) { g.nearBox[k] = true })
		g.fill(h.x, h.y, h.w, h.h, func(k int) { g.blocked[k] = true })
	}
	for _, l := range p.links {
		far, near := p.stubCells(l)
		g.passes([]cell{far, near}, func(k int, _, _ bool) { g.stub[k] = int16(l.id) })
		g.stub[g.at(p.mouth(l.from))] = int16(l.id)
	}
	return g
}

// mouth returns the cell in front of a link's end.
func (p *plan) mouth(e *end) cell {
	h := p.hosts[e.host]
	if e.side == left {
		return cell{h.x - 1, h.y + e.row}
	}
	return cell{h.x + h.w, h.y + e.row}
}

// stubCells returns the ends of the straight run in front of a link's server:
// far, where the line may bend, and near, at the box.
func (p *plan) stubCells(l *link) (far, near cell) {
	near = p.mouth(l.to)
	far = near
	if l.to.side == left {
		far.x -= l.stub() - 1
	} else {
		far.x += l.stub() - 1
	}
	return far, near
}
