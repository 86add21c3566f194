package chart

import (
	"cmp"
	"slices"
)

// sides decides on which side of its two boxes each link ends: the client's
// right and the server's left if the server stands to the right.
func (p *plan) sides() {
	for _, h := range p.hosts {
		h.sides = [2][]*end{}
	}
	for _, l := range p.links {
		a, b := p.hosts[l.client], p.hosts[l.server]
		d := p.nets[b.net].col - p.nets[a.net].col
		if a.net == b.net {
			d = b.col - a.col
		}
		from, to := right, left
		switch {
		case d < 0:
			from, to = left, right
		case d == 0 && a.net == b.net:
			to = right
			if a.col == 0 && p.nets[a.net].cols > 1 {
				from, to = left, left
			}
		case d == 0:
			to = right
		}
		l.from = &end{link: l, host: l.client, side: from}
		l.to = &end{link: l, host: l.server, side: to, server: true}
		a.sides[from] = append(a.sides[from], l.from)
		b.sides[to] = append(b.sides[to], l.to)
	}
}

// heights makes boxes high enough for the links on either side.
func (p *plan) heights() {
	for _, h := range p.hosts {
		h.h = max(h.minH(), len(h.sides[left]), len(h.sides[right]))
	}
}

// A lane is the free space beside a column of hosts.
type lane struct {
	stub int // cells of the longest label
	ends int
}

// beside returns the needs of one side of a column of n.
func (p *plan) beside(n *net, col int, s side) lane {
	var b lane
	for _, h := range n.hosts {
		if p.hosts[h].col != col {
			continue
		}
		for _, e := range p.hosts[h].sides[s] {
			b.ends++
			if e.server {
				b.stub = max(b.stub, e.link.stub())
			}
		}
	}
	return b
}

// pad returns the cells between the border of n and its first or last column.
func (p *plan) pad(n *net, s side) int {
	col := 0
	if s == right {
		col = n.cols - 1
	}
	b := p.beside(n, col, s)
	pad := netPad + b.stub
	if b.ends > 0 && b.stub == 0 {
		pad++
	}
	return pad
}

// gap returns the cells between two neighbouring columns of n.
func (p *plan) gap(n *net, col int) int {
	l, r := p.beside(n, col, right), p.beside(n, col+1, left)
	return 2 + l.stub + r.stub + min((l.ends+r.ends+1)/2, 14) + p.roomX
}

// measureNet places the hosts of n relative to it, in x and y, and sets its size.
func (p *plan) measureNet(n *net) {
	x, bottom := n.x+p.pad(n, left), 0
	inner := 0
	for c := range n.cols {
		inner = max(inner, p.columnH(n, c))
	}
	for c := range n.cols {
		w, y := 0, n.y+netHeadH+(inner-p.columnH(n, c))/2
		for _, i := range n.hosts {
			if h := p.hosts[i]; h.col == c {
				h.x, h.y = x, y
				y += h.h + p.rowGap()
				w = max(w, h.w)
			}
		}
		for _, i := range n.hosts {
			if h := p.hosts[i]; h.col == c {
				h.w = w // boxes of a column are equally wide
			}
		}
		x += w
		if c < n.cols-1 {
			x += p.gap(n, c)
		}
	}
	bottom = netHeadH + inner
	n.w = max(x+p.pad(n, right)-n.x, n.titleW+1)
	n.h = bottom + netPad
}

func (p *plan) rowGap() int { return 2 + p.roomY }

// columnH returns the height of a column of hosts.
func (p *plan) columnH(n *net, col int) int {
	h := -p.rowGap()
	for _, i := range n.hosts {
		if p.hosts[i].col == col {
			h += p.hosts[i].h + p.rowGap()
		}
	}
	return max(h, 0)
}

// netCols returns the networks of each column of the page, from top to bottom.
func (p *plan) netCols() [][]*net {
	var cols [][]*net
	for _, n := range p.nets {
		for len(cols) <= n.col {
			cols = append(cols, nil)
		}
		cols[n.col] = append(cols[n.col], n)
	}
	return cols
}

// place sets the coordinates of all networks and hosts.
func (p *plan) place() {
	for _, n := range p.nets {
		p.measureNet(n)
	}
	cols := p.netCols()
	p.spread(cols)
	p.stack(cols)
	p.order(cols)
	p.align(cols)
	p.rows()
}

// spread sets the x of every network.
func (p *plan) spread(cols [][]*net) {
	x := 0
	for c, col := range cols {
		w, ends := 0, 0
		for _, n := range col {
			w = max(w, n.w)
			ends += p.beside(n, n.cols-1, right).ends
		}
		for _, n := range col {
			n.x = x + (w-n.w)/2
		}
		if c+1 < len(cols) {
			for _, n := range cols[c+1] {
				ends += p.beside(n, 0, left).ends
			}
		}
		x += w + 4 + min((2*ends+2)/3, 24) + p.roomX
	}
}

// stack sets every y: networks of a column from top to bottom, centred.
func (p *plan) stack(cols [][]*net) {
	for _, col := range cols {
		h := -p.netGap()
		for _, n := range col {
			h += n.h + p.netGap()
		}
		y := -h / 2
		for _, n := range col {
			n.y = y
			p.measureNet(n)
			y += n.h + p.netGap()
		}
	}
}

func (p *plan) netGap() int { return 3 + 2*p.roomY }

// rows gives each end of a link its row of the box, ordered by where the other
// end is.
func (p *plan) rows() {
	for _, h := range p.hosts {
		for s := range h.sides {
			ends := h.sides[s]
			slices.SortStableFunc(ends, func(a, b *end) int {
				return cmp.Or(cmp.Compare(p.far(a), p.far(b)), cmp.Compare(a.link.id, b.link.id))
			})
			for i, e := range ends {
				e.row = (2*i + 1) * h.h / (2 * len(ends))
			}
		}
	}
}

// far returns twice the y of the middle of the box at the other end of e's link.
func (p *plan) far(e *end) int {
	other := e.link.server
	if e.server {
		other = e.link.client
	}
	return 2*p.hosts[other].y + p.hosts[other].h
}

// align moves hosts within their networks, and networks within their columns,
// up or down towards what they are linked with, so that lines become straight.
// Orders stay.
func (p *plan) align(cols [][]*net) {
	for range 6 {
		for _, col := range cols {
			blocks := make([]block, len(col))
			for i, n := range col {
				blocks[i] = block{y: n.y, h: n.h, want: float64(n.y)}
				if d, w := p.pull(n.hosts, true); w > 0 {
					blocks[i].want += d / w
				}
			}
			slideAll(blocks, p.netGap(), -1<<30, 1<<30)
			for i, n := range col {
				d := blocks[i].y - n.y
				n.y += d
				for _, h := range n.hosts {
					p.hosts[h].y += d
				}
			}
		}
		for _, n := range p.nets {
			for c := range n.cols {
				p.alignColumn(n, c)
			}
		}
	}
}

func (p *plan) alignColumn(n *net, col int) {
	var blocks []block
	var hosts []*host
	for _, i := range n.hosts {
		h := p.hosts[i]
		if h.col != col {
			continue
		}
		b := block{y: h.y, h: h.h, want: float64(h.y)}
		if d, w := p.pull([]int{i}, false); w > 0 {
			b.want += d / w
		}
		blocks, hosts = append(blocks, b), append(hosts, h)
	}
	slideAll(blocks, p.rowGap(), n.y+netHeadH, n.y+n.h-netPad)
	for i, h := range hosts {
		h.y = blocks[i].y
	}
}

// pull returns by how much the links of hosts pull them down, times their
// weight, and the weight. With foreign, only links to other networks count.
func (p *plan) pull(hosts []int, foreign bool) (sum, weight float64) {
	for _, i := range hosts {
		h := p.hosts[i]
		for s := range h.sides {
			for _, e := range h.sides[s] {
				other := p.hosts[e.link.server]
				if e.server {
					other = p.hosts[e.link.client]
				}
				if foreign && other.net == h.net {
					continue
				}
				w := e.link.weight()
				sum += w * float64(2*other.y+other.h-2*h.y-h.h) / 2
				weight += w
			}
		}
	}
	return sum, weight
}
