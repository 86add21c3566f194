package chart

import (
	"cmp"
	"slices"
)

// improveBudget is the number of states that improving may visit in all, about
// a second's worth.
const improveBudget = 6_000_000

// Costs of a route, in cells.
const (
	bendCost    = 5
	crossCost   = 5
	foreignCost = 2  // per cell in a network that the link has nothing to do with
	nearCost    = 1  // per cell beside a box
	clashCost   = 12 // per cell on another link's track, when nothing else is left
	routeMargin = 10 // cells around the networks
)

// route finds a way for every link: orthogonal, beside boxes and labels, on
// tracks of its own. It returns false when a link found none; with anyway it
// then lets links share tracks and always succeeds.
func (p *plan) route(anyway bool) bool {
	g := p.newGrid(routeMargin)
	links := slices.Clone(p.links)
	slices.SortFunc(links, func(a, b *link) int {
		return cmp.Or(cmp.Compare(a.layer, b.layer), cmp.Compare(p.span(a), p.span(b)), cmp.Compare(a.id, b.id))
	})
	r := newRouter(g, p)
	if !r.routeAll(links, anyway) {
		return false
	}
	clear(g.fought) // all have a way: now only length, bends and crossings count
	r.spent = 0
	for range 4 {
		if !r.improve(links) {
			break
		}
	}
	p.bounds()
	return true
}

// routeAll routes links in order. A link that finds no free way takes the place
// of those that bar it; they are routed again, and cells that were fought over
// become dearer.
func (r *router) routeAll(links []*link, anyway bool) bool {
	for _, l := range links {
		l.path, l.clash = nil, false
	}
	queue := slices.Clone(links)
	for evictions := 8*len(links) + 20; len(queue) > 0; {
		l := queue[0]
		queue = queue[1:]
		if r.find(l, false) {
			r.grid.draw(l)
			continue
		}
		if !r.find(l, true) {
			return false
		}
		rivals := r.grid.rivals(l)
		evictions -= len(rivals)
		if evictions < 0 {
			if !anyway {
				return false
			}
			r.grid.draw(l)
			continue
		}
		for _, id := range rivals {
			rival := r.plan.links[id]
			r.grid.erase(rival)
			rival.path = nil
			queue = append(queue, rival)
		}
		l.clash = false
		r.grid.draw(l)
	}
	return true
}

// improve routes every link again among all others and reports whether a way
// became cheaper.
func (r *router) improve(links []*link) bool {
	better := false
	order := slices.Clone(links)
	slices.SortStableFunc(order, func(a, b *link) int { return cmp.Compare(b.cost, a.cost) })
	for _, l := range order {
		if r.spent > improveBudget {
			return false
		}
		old, clash := l.path, l.clash
		r.grid.erase(l)
		was := r.price(l)
		if r.find(l, clash) && l.cost < was-0.5 {
			better = true
		} else {
			l.path, l.clash = old, clash
		}
		r.grid.draw(l)
	}
	return better
}

// span is the distance between the two ends of a link.
func (p *plan) span(l *link) int {
	a := p.mouth(l.from)
	b, _ := p.stubCells(l)
	return abs(a.x-b.x) + abs(a.y-b.y)
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// bounds sets the rectangle that the map needs.
func (p *plan) bounds() {
	for i, n := range p.nets {
		if i == 0 {
			p.minX, p.minY, p.maxX, p.maxY = n.x, n.y, n.x+n.w, n.y+n.h
		}
		p.minX, p.minY = min(p.minX, n.x), min(p.minY, n.y)
		p.maxX, p.maxY = max(p.maxX, n.x+n.w), max(p.maxY, n.y+n.h)
	}
	for _, l := range p.links {
		for _, c := range l.path {
			p.minX, p.minY, p.maxX, p.maxY = min(p.minX, c.x), min(p.minY, c.y), max(p.maxX, c.x+1), max(p.maxY, c.y+1)
		}
	}
}

// A router finds cheapest ways on a grid (A*). Its state is a cell and the
// direction in which it was reached: across or down.
type router struct {
	grid  *grid
	plan  *plan
	dist  []float32 // by 2*cell+direction
	from  []int32
	seen  []uint32 // round in which dist was set
	round uint32
	heap  []node
	spent int // states visited, for improveBudget
}

type node struct {
	estimate float32
	state    int32
}

func newRouter(g *grid, p *plan) *router {
	n := 2 * g.w * g.h
	return &router{grid: g, plan: p, dist: make([]float32, n), from: make([]int32, n), seen: make([]uint32, n)}
}

const (
	across = 0
	down   = 1
)

// find sets the path of l to the cheapest one. With share it may use tracks of
// other links.
func (r *router) find(l *link, share bool) bool {
	g := r.grid
	begin := r.plan.mouth(l.from)
	goal, near := r.plan.stubCells(l)
	r.round++
	r.heap = r.heap[:0]
	startState := int32(2*g.at(begin) + across)
	r.reach(startState, -1, 0, estimate(begin, goal))
	goalCell := g.at(goal)
	nets := [2]int16{int16(r.plan.hosts[l.client].net), int16(r.plan.hosts[l.server].net)}
	back := -1 // the step that would run into the label
	if l.to.side == left {
		back = 1
	}
	for len(r.heap) > 0 {
		top := r.pop()
		s := top.state
		r.spent++
		i, dir := int(s/2), int(s%2)
		c := g.cell(i)
		d := r.dist[s]
		if top.estimate > d+estimate(c, goal)+1e-3 {
			continue
		}
		if i == goalCell && dir == across {
			r.trace(l, s, near)
			l.cost, l.clash = float64(d), share
			return true
		}
		if i == goalCell { // turn into the stub
			r.reach(int32(2*i+across), s, d+bendCost, 0)
			continue
		}
		for _, step := range [4]cell{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
			if s == startState && (step.x == 1) != (l.from.side == right) && step.x != 0 {
				continue
			}
			next := cell{c.x + step.x, c.y + step.y}
			if next.x < g.x0 || next.y < g.y0 || next.x >= g.x0+g.w || next.y >= g.y0+g.h {
				continue
			}
			k := g.at(next)
			toward := across
			if step.y != 0 {
				toward = down
			}
			if k == goalCell && step.x == -back {
				continue // from within the stub
			}
			cost, ok := r.step(l, stepOf{i, k, dir, toward, share, nets})
			if !ok {
				continue
			}
			if old := r.from[s]; old >= 0 && int(old/2) == k {
				continue // no way back
			}
			t := int32(2*k + toward)
			if r.seen[t] != r.round || d+cost < r.dist[t]-1e-4 {
				r.reach(t, s, d+cost, estimate(next, goal))
			}
		}
	}
	return false
}

type stepOf struct {
	from, to    int
	dir, toward int // direction so far, direction of the step
	share       bool
	nets        [2]int16
}

// step returns the cost of one step, false if it is not allowed.
func (r *router) step(l *link, s stepOf) (float32, bool) {
	g := r.grid
	if g.blocked[s.to] || g.stub[s.to] >= 0 && g.stub[s.to] != int16(l.id) {
		return 0, false
	}
	cost := 1 + g.fought[s.to]
	same, other := g.row, g.column
	if s.toward == down {
		same, other = g.column, g.row
	}
	if s.dir != s.toward {
		// A bend takes both tracks of its cell.
		cost += bendCost
		if same[s.from] >= 0 || g.crossed(s.from, s.dir) {
			if !s.share {
				return 0, false
			}
			cost += clashCost
		}
	}
	if same[s.to] >= 0 {
		if !s.share {
			return 0, false
		}
		cost += clashCost
	}
	if other[s.to] >= 0 {
		if g.bends(s.to, other[s.to]) && !s.share {
			return 0, false
		}
		cost += crossCost
	}
	if n := g.net[s.to]; n >= 0 && n != s.nets[0] && n != s.nets[1] {
		cost += foreignCost
	}
	if g.nearBox[s.to] {
		cost += nearCost
	}
	return cost, true
}

// crossed reports whether a line passes i across the direction dir.
func (g *grid) crossed(i, dir int) bool {
	if dir == across {
		return g.column[i] >= 0
	}
	return g.row[i] >= 0
}

// bends reports whether the link id has a corner in cell i.
func (g *grid) bends(i int, id int16) bool { return g.row[i] == id && g.column[i] == id }

func estimate(a, b cell) float32 { return float32(abs(a.x-b.x) + abs(a.y-b.y)) }

// trace reads the path back from its last state, as corners, and adds the run
// to the server.
func (r *router) trace(l *link, s int32, near cell) {
	path := []cell{near}
	for ; s >= 0; s = r.from[s] {
		c := r.grid.cell(int(s / 2))
		if c != path[len(path)-1] {
			path = append(path, c)
		}
	}
	slices.Reverse(path)
	l.path = corners(path)
	if len(l.path) == 1 {
		l.path = append(l.path, l.path[0])
	}
}

// corners drops the points of a path where it does not turn.
func corners(path []cell) []cell {
	out := path[:0:0]
	for i, c := range path {
		if i > 0 && i < len(path)-1 {
			a, b := path[i-1], path[i+1]
			if sign(c.x-a.x) == sign(b.x-c.x) && sign(c.y-a.y) == sign(b.y-c.y) {
				continue
			}
		}
		out = append(out, c)
	}
	return out
}

// price returns the cost of l's present path among the lines now drawn.
func (r *router) price(l *link) float64 {
	nets := [2]int16{int16(r.plan.hosts[l.client].net), int16(r.plan.hosts[l.server].net)}
	goal, _ := r.plan.stubCells(l)
	cost, last, dir := 0.0, -1, across
	done := false
	r.grid.passes(l.path, func(i int, h, _ bool) {
		if done || i == last {
			return
		}
		toward := down
		if h {
			toward = across
		}
		if last >= 0 {
			c, _ := r.step(l, stepOf{last, i, dir, toward, true, nets})
			cost += float64(c)
			dir = toward
		}
		last = i
		if r.grid.cell(i) == goal {
			done = true
			if dir == down {
				cost += bendCost
			}
		}
	})
	return cost
}

func (r *router) reach(s, from int32, d, rest float32) {
	r.dist[s], r.from[s], r.seen[s] = d, from, r.round
	r.heap = append(r.heap, node{d + rest, s})
	for i := len(r.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !less(r.heap[i], r.heap[up]) {
			break
		}
		r.heap[i], r.heap[up] = r.heap[up], r.heap[i]
		i = up
	}
}

func (r *router) pop() node {
	top := r.heap[0]
	n := len(r.heap) - 1
	r.heap[0] = r.heap[n]
	r.heap = r.heap[:n]
	for i := 0; ; {
		k := 2*i + 1
		if k >= n {
			return top
		}
		if k+1 < n && less(r.heap[k+1], r.heap[k]) {
			k++
		}
		if !less(r.heap[k], r.heap[i]) {
			return top
		}
		r.heap[i], r.heap[k] = r.heap[k], r.heap[i]
		i = k
	}
}

func less(a, b node) bool {
	return a.estimate < b.estimate || a.estimate == b.estimate && a.state < b.state
}
