package meter

import (
	"math/bits"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

// endpoints remembers what conversations taught about address and port: that
// somebody listens there, and how many peers it has. There are two
// generations; when the younger is full, the older is forgotten and what is
// still met moves on. So memory is bounded, and what is known does not depend
// on the seed.
type endpoints struct {
	young, old generation
	rotations  uint64
	seed       uint64
}

type generation struct {
	index   index
	mem     mapping
	entries []endpoint
	used    uint32
}

// generationSize is how many endpoints a generation holds: 6 MB.
const generationSize = 1 << 17

// An endpoint is what is known about one. Peers are counted in a set of 64
// bits, one for each by its hash: exact enough to tell few from many.
type endpoint struct {
	site
	listens      bool   // answered a SYN
	cameToIt     uint64 // peers that spoke first
	itApproached uint64 // peers that it spoke to first
}

// A site is an address and a port of a protocol.
type site struct {
	hi, lo uint64
	port   uint32 // proto<<16 | port
}

// siteOf returns an end of a tuple: 0 = the first.
func siteOf(t *packet.Tuple, end uint) site {
	proto := uint32(t.Proto()) << 16
	if t.Is4() {
		return site{lo: 0xffff<<32 | t[end&1]>>16, port: proto | uint32(t[end&1]&0xffff)}
	}
	if end == 0 {
		return site{t[0], t[1], proto | uint32(t[4]>>48)}
	}
	return site{t[2], t[3], proto | uint32(t[4]>>32&0xffff)}
}

func (s site) number() uint16 { return uint16(s.port) }

func (s site) hash(seed uint64) uint64 { return mix(mix(s.hi^seed, s.lo), uint64(s.port)^seed) }

// peer returns the bit that stands for s among the peers of others.
func (s site) peer() uint64 { return 1 << (s.hash(0) >> 58) }

// multicast reports whether nobody can speak from s: a group, or all hosts.
func (s site) multicast() bool {
	if s.hi == 0 && s.lo>>32 == 0xffff {
		a := uint32(s.lo)
		return a>>28 == 0xe || a == 0xffffffff
	}
	return s.hi>>56 == 0xff
}

func newEndpoints(seed uint64) (e endpoints, err error) {
	e.seed = seed
	for _, g := range []*generation{&e.young, &e.old} {
		if g.index, err = newIndex(); err != nil {
			return e, err
		}
		if g.mem, err = newMapping(size[endpoint](generationSize)); err != nil {
			return e, err
		}
		g.entries = view[endpoint](g.mem, generationSize)
	}
	return e, nil
}

func (e *endpoints) free() {
	for _, g := range []*generation{&e.young, &e.old} {
		g.index.free()
		g.mem.free()
		*g = generation{}
	}
}

func (g *generation) find(s site, tag uint32) *endpoint {
	ix := &g.index
	for i := ix.home(tag); ; i++ {
		slot := ix.slots[i&ix.mask()]
		if slot == 0 {
			return nil
		}
		if uint32(slot>>32) == tag {
			if p := &g.entries[uint32(slot)-1]; p.site == s {
				return p
			}
		}
	}
}

// find returns what is known about s, nil if nothing is. It stays valid until
// the next call of at.
func (e *endpoints) find(s site) *endpoint {
	tag := uint32(s.hash(e.seed) >> 32)
	if p := e.young.find(s, tag); p != nil {
		return p
	}
	return e.old.find(s, tag)
}

// at returns the entry of s, which may be new.
func (e *endpoints) at(s site) *endpoint {
	tag := uint32(s.hash(e.seed) >> 32)
	if p := e.young.find(s, tag); p != nil {
		return p
	}
	known := endpoint{site: s}
	if p := e.old.find(s, tag); p != nil {
		known = *p
	}
	if e.young.used == generationSize || e.young.index.full() {
		e.young, e.old = e.old, e.young
		e.young.index.reset()
		e.young.used = 0
		e.rotations++
	}
	g := &e.young
	p := &g.entries[g.used]
	*p = known
	g.index.insert(tag, g.used)
	g.used++
	return p
}

// met notes that a conversation began, whose first speaker is d. A connection
// that begins with SYN tells by itself who is who; it counts for the server
// alone, in favour of connections whose beginning was not seen.
func (e *endpoints) met(t *packet.Tuple, h *packet.Headers, d uint) {
	if h.Later || h.ICMPError || !t.Proto().HasPorts() {
		return
	}
	from, to := siteOf(t, d), siteOf(t, 1-d)
	if from.multicast() || to.multicast() {
		return
	}
	switch h.TCPFlags & (flagSYN | flagACK) {
	case flagSYN | flagACK: // listens will say more
		return
	case flagSYN:
	default:
		e.at(from).itApproached |= to.peer()
	}
	e.at(to).cameToIt |= from.peer()
}

// listens notes that an end of a connection answered a SYN.
func (t *Table) listens(r *hot, end uint) {
	tuple := r.tuple()
	t.endpoints.at(siteOf(&tuple, end)).listens = true
}

// peers returns how many peers take p for a server. For TCP whoever spoke
// first says little: SYN would have told. For UDP it says much: a client that
// asks many servers from one port has many peers, and none of them began.
func (p *endpoint) peers() int {
	if p == nil {
		return 0
	}
	if flow.Proto(p.port>>16) == flow.TCP {
		return bits.OnesCount64(p.cameToIt | p.itApproached)
	}
	return bits.OnesCount64(p.cameToIt)
}
