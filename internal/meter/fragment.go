package meter

import "github.com/portolan/portolan/internal/packet"

// fragments remembers the ports of first fragments, which the later ones do
// not have. The oldest is forgotten when there are too many.
type fragments struct {
	index index
	mem   mapping
	ring  []fragment
	next  uint32 // place of the ring that is used next
	used  uint32
	seed  uint64
}

// A fragment is the first one of a packet.
type fragment struct {
	tuple    packet.Tuple // with ports
	bare     packet.Tuple // without
	id       uint64
	time     int64
	reversed bool
}

const (
	maxFragments = 4096
	// fragmentLife is how long later fragments may come (RFC 1122 section
	// 3.3.2 lets hosts wait 60 to 120 seconds; they arrive within one).
	fragmentLife = 30e9
)

func newFragments(seed uint64) (f fragments, err error) {
	f.seed = seed
	if f.index, err = newIndex(); err != nil {
		return f, err
	}
	if f.mem, err = newMapping(size[fragment](maxFragments)); err != nil {
		return f, err
	}
	f.ring = view[fragment](f.mem, maxFragments)
	return f, nil
}

func (f *fragments) free() {
	f.index.free()
	f.mem.free()
	*f = fragments{}
}

// datagram returns what all fragments of a packet have in common: the tuple
// without ports, and the identification with the way it goes.
func datagram(h *packet.Headers) (bare packet.Tuple, id uint64) {
	bare, id = h.Tuple, uint64(h.IPID)
	var same bool // a host that talks to itself: ports alone told the ends apart
	if bare.Is4() {
		bare[0] &^= 0xffff
		bare[1] &^= 0xffff
		same = bare[0] == bare[1]
	} else {
		bare[4] &= 0xffffffff
		same = bare[0] == bare[2] && bare[1] == bare[3]
	}
	if h.Reversed && !same {
		id |= 1 << 32
	}
	return bare, id
}

func (f *fragments) tag(bare *packet.Tuple, id uint64) uint32 {
	return uint32(bare.Hash(f.seed+id*oddConstant) >> 32)
}

func (f *fragments) find(bare *packet.Tuple, id uint64, tag uint32) *fragment {
	ix := &f.index
	for i := ix.home(tag); ; i++ {
		slot := ix.slots[i&ix.mask()]
		if slot == 0 {
			return nil
		}
		if uint32(slot>>32) == tag {
			if e := &f.ring[uint32(slot)-1]; e.id == id && e.bare == *bare {
				return e
			}
		}
	}
}

// keep remembers a first fragment.
func (f *fragments) keep(h *packet.Headers, now int64) {
	bare, id := datagram(h)
	tag := f.tag(&bare, id)
	e := f.find(&bare, id, tag)
	if e == nil {
		e = &f.ring[f.next]
		if f.used == maxFragments {
			f.index.remove(f.tag(&e.bare, e.id), f.next)
		} else if f.index.full() {
			return
		} else {
			f.used++
		}
		f.index.insert(tag, f.next)
		f.next = (f.next + 1) % maxFragments
	}
	*e = fragment{tuple: h.Tuple, bare: bare, id: id, time: now, reversed: h.Reversed}
}

// join gives a later fragment the tuple of its first, and reports whether that
// was known.
func (f *fragments) join(h *packet.Headers, now int64, tuple *packet.Tuple, reversed *bool) bool {
	bare, id := datagram(h)
	e := f.find(&bare, id, f.tag(&bare, id))
	if e == nil || now-e.time > fragmentLife {
		return false
	}
	*tuple, *reversed = e.tuple, e.reversed
	return true
}
