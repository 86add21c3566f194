package chart

import "math"

// An item is what assignColumns puts into columns: a host in its network, or a
// network on the page.
type item struct {
	w, h int
	pin  int // -1 = leftmost column, +1 = rightmost, 0 = free
}

// An arc says that item a asks item b, and how much that counts.
type arc struct {
	a, b   int
	weight float64
}

// A shelf says how columns are spaced and which proportion they should have.
type shelf struct {
	gapX, gapY int
	aspect     float64 // width to height
	most       int     // columns at most
}

// columns decides who stands left and who right: first the hosts within each
// network, then the networks on the page.
func (p *plan) columns() {
	index := make([]int, len(p.hosts))
	for _, n := range p.nets {
		items := make([]item, len(n.hosts))
		for i, h := range n.hosts {
			index[h] = i
			items[i] = item{w: p.hosts[h].w, h: p.hosts[h].h}
		}
		var arcs []arc
		for _, l := range p.links {
			if p.hosts[l.client].net == p.hosts[l.server].net && p.nets[p.hosts[l.client].net] == n {
				arcs = append(arcs, arc{index[l.client], index[l.server], l.weight()})
			}
		}
		s := shelf{gapX: 14, gapY: 2, aspect: 0.7, most: 4}
		if len(p.nets) == 1 {
			s.aspect, s.most = 1.7, 6
		}
		cols := assignColumns(items, arcs, s)
		for i, h := range n.hosts {
			p.hosts[h].col = cols[i]
			n.cols = max(n.cols, cols[i]+1)
		}
	}
	p.sides()
	p.heights()
	p.netColumns()
	p.sides()
	p.heights()
}

func (p *plan) netColumns() {
	items := make([]item, len(p.nets))
	for i, n := range p.nets {
		p.measureNet(n)
		items[i] = item{w: n.w, h: n.h}
		if n.outside && n.asks+n.answers > 0 {
			items[i].pin = -1
			if n.answers > n.asks {
				items[i].pin = 1
			}
		}
	}
	type pair struct{ a, b int }
	at := map[pair]int{}
	var arcs []arc
	for _, l := range p.links {
		k := pair{p.hosts[l.client].net, p.hosts[l.server].net}
		if k.a == k.b {
			continue
		}
		if _, ok := at[k]; !ok {
			at[k] = len(arcs)
			arcs = append(arcs, arc{a: k.a, b: k.b})
		}
		arcs[at[k]].weight += l.weight()
	}
	cols := assignColumns(items, arcs, shelf{gapX: 10, gapY: 3, aspect: 1.6, most: 6})
	for i, n := range p.nets {
		n.col = cols[i]
	}
}

// weight is how much a link counts in questions of left and right.
// Infrastructure, which everybody asks, counts little.
func (l *link) weight() float64 {
	w := 1 + 0.1*math.Log10(float64(l.bytes+1))
	if l.layer == Infrastructure {
		w *= 0.3
	}
	return w
}

// assignColumns returns a column for each item so that arcs point to the right,
// are short, and the whole has the wanted proportion. It is a local search from
// two beginnings; the columns used are numbered from 0 without gaps.
func assignColumns(items []item, arcs []arc, s shelf) []int {
	n := len(items)
	if n == 0 {
		return nil
	}
	most := min(s.most, n)
	best, bestCost := make([]int, n), math.Inf(1)
	for start := range 2 {
		cols := make([]int, n)
		if start == 1 {
			cols = layers(n, arcs, most)
		}
		pinned := false
		for i, it := range items {
			pinned = pinned || it.pin != 0
			if it.pin < 0 {
				cols[i] = 0
			} else if it.pin > 0 {
				cols[i] = most - 1
			}
		}
		cost := s.search(items, arcs, cols, most)
		if cost < bestCost-1e-9 {
			best, bestCost = cols, cost
		}
	}
	return compact(best)
}

// search improves cols in place by moves and swaps and returns their cost.
func (s shelf) search(items []item, arcs []arc, cols []int, most int) float64 {
	best := s.cost(items, arcs, cols, most)
	budget := 3_000_000 / (len(items) + len(arcs) + 1) // evaluations
	for moved := true; moved && budget > 0; {
		moved = false
		for i := range items {
			if items[i].pin != 0 {
				continue
			}
			keep := cols[i]
			for c := range most {
				cols[i] = c
				if k := s.cost(items, arcs, cols, most); k < best-1e-9 {
					best, keep, moved = k, c, true
				}
				budget--
			}
			cols[i] = keep
		}
		for i := range items {
			for j := range i {
				if cols[i] == cols[j] || items[i].pin != 0 || items[j].pin != 0 || budget <= 0 {
					continue
				}
				cols[i], cols[j] = cols[j], cols[i]
				budget--
				if k := s.cost(items, arcs, cols, most); k < best-1e-9 {
					best, moved = k, true
					continue
				}
				cols[i], cols[j] = cols[j], cols[i]
			}
		}
	}
	return best
}

// cost of an assignment: arcs to the left are worst, then arcs within a column,
// then long ones; a page that is too wide or too high costs too.
func (s shelf) cost(items []item, arcs []arc, cols []int, most int) float64 {
	sum := 0.0
	for _, a := range arcs {
		switch d := cols[a.b] - cols[a.a]; {
		case d < 0:
			sum += a.weight * (3 - 2*float64(d))
		case d == 0:
			sum += a.weight * 3
		default:
			sum += a.weight * float64(d-1) * 1.1
		}
	}
	var w, h [16]int
	area := 0.0
	for i, it := range items {
		c := cols[i]
		w[c] = max(w[c], it.w)
		h[c] += it.h + s.gapY
		area += float64(it.w+s.gapX) * float64(it.h+s.gapY)
	}
	width, height := 0, 0
	for c := range most {
		if w[c] > 0 {
			width += w[c] + s.gapX
		}
		height = max(height, h[c])
	}
	wantH := math.Sqrt(area / s.aspect)
	over := max(float64(width)/(wantH*s.aspect), float64(height)/wantH)
	return sum + max(4, 0.5*float64(len(arcs)))*over
}

// layers gives each item the length of the longest way to it, cut at most-1,
// after arcs that close a cycle are left out.
func layers(n int, arcs []arc, most int) []int {
	cols := make([]int, n)
	for range min(n, most) {
		for _, a := range arcs {
			if cols[a.b] <= cols[a.a] && cols[a.a]+1 < most && !asksBack(arcs, a) {
				cols[a.b] = cols[a.a] + 1
			}
		}
	}
	return cols
}

// asksBack reports whether the opposite of a is there and counts more.
func asksBack(arcs []arc, a arc) bool {
	for _, o := range arcs {
		if o.a == a.b && o.b == a.a && (o.weight > a.weight || o.weight == a.weight && o.a < a.a) {
			return true
		}
	}
	return false
}

// compact renumbers columns so that none is empty.
func compact(cols []int) []int {
	used := [64]bool{}
	for _, c := range cols {
		used[c] = true
	}
	var to [64]int
	n := 0
	for c, u := range used {
		to[c] = n
		if u {
			n++
		}
	}
	for i, c := range cols {
		cols[i] = to[c]
	}
	return cols
}
