package chart

import (
	"cmp"
	"math"
	"slices"
)

// order sorts hosts within columns of networks, and networks within columns of
// the page, so that few links cross. It begins with barycentres and goes on
// with swaps, within a budget.
func (p *plan) order(cols [][]*net) {
	for range 4 {
		p.sweep(cols)
	}
	s := &search{plan: p, cols: cols, budget: 12_000_000 / (len(p.links)*len(p.links) + 50)}
	s.best = s.cost()
	for s.budget > 0 && s.pass() {
	}
	p.stack(cols)
}

// sweep sorts every column by the mean height of what its members are linked with.
func (p *plan) sweep(cols [][]*net) {
	for _, n := range p.nets {
		key := map[int]float64{}
		for _, i := range n.hosts {
			key[i] = float64(2*p.hosts[i].y+p.hosts[i].h) / 2
			if d, w := p.pull([]int{i}, false); w > 0 {
				key[i] += d / w
			}
		}
		slices.SortStableFunc(n.hosts, func(a, b int) int {
			return cmp.Or(cmp.Compare(p.hosts[a].col, p.hosts[b].col), cmp.Compare(key[a], key[b]))
		})
	}
	for _, col := range cols {
		key := map[*net]float64{}
		for _, n := range col {
			key[n] = float64(2*n.y+n.h) / 2
			if d, w := p.pull(n.hosts, true); w > 0 {
				key[n] += d / w
			}
		}
		slices.SortStableFunc(col, func(a, b *net) int { return cmp.Compare(key[a], key[b]) })
	}
	p.stack(cols)
}

type search struct {
	plan   *plan
	cols   [][]*net
	best   float64
	budget int // evaluations of cost
}

// pass tries all swaps once and reports whether one helped.
func (s *search) pass() bool {
	before := s.best
	for _, col := range s.cols {
		for i := range col {
			for j := range i {
				s.try(func() { col[i], col[j] = col[j], col[i] })
			}
		}
	}
	for _, n := range s.plan.nets {
		for i := range n.hosts {
			for j := range i {
				if s.plan.hosts[n.hosts[i]].col == s.plan.hosts[n.hosts[j]].col {
					s.try(func() { n.hosts[i], n.hosts[j] = n.hosts[j], n.hosts[i] })
				}
			}
		}
	}
	return s.best < before-1e-9
}

// try swaps, and swaps back if that is not better.
func (s *search) try(swap func()) {
	if s.budget <= 0 {
		return
	}
	s.budget--
	swap()
	s.plan.stack(s.cols)
	if c := s.cost(); c < s.best-1e-9 {
		s.best = c
		return
	}
	swap()
	s.plan.stack(s.cols)
}

// cost counts crossings of the straight lines between boxes, and their heights.
func (s *search) cost() float64 {
	p := s.plan
	type segment struct{ x0, y0, x1, y1 float64 }
	lines := make([]segment, len(p.links))
	sum := 0.0
	for i, l := range p.links {
		a, b := p.hosts[l.client], p.hosts[l.server]
		q := segment{float64(a.x), float64(2*a.y+a.h) / 2, float64(b.x), float64(2*b.y+b.h) / 2}
		if l.from.side == right {
			q.x0 += float64(a.w)
		}
		if l.to.side == right {
			q.x1 += float64(b.w)
		}
		if q.x0 > q.x1 {
			q = segment{q.x1, q.y1, q.x0, q.y0}
		}
		lines[i] = q
		sum += math.Abs(q.y1-q.y0) * 0.05 * l.weight()
	}
	for i, a := range lines {
		for _, b := range lines[:i] {
			x0, x1 := max(a.x0, b.x0), min(a.x1, b.x1)
			if x0 >= x1 {
				continue
			}
			d0 := a.y0 + (a.y1-a.y0)*(x0-a.x0)/(a.x1-a.x0) - b.y0 - (b.y1-b.y0)*(x0-b.x0)/(b.x1-b.x0)
			d1 := a.y0 + (a.y1-a.y0)*(x1-a.x0)/(a.x1-a.x0) - b.y0 - (b.y1-b.y0)*(x1-b.x0)/(b.x1-b.x0)
			if d0*d1 < 0 {
				sum += 2
			}
		}
	}
	return sum
}
