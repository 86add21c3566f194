package dissect

import (
	"encoding/binary"
)

// maxKept is how many bytes of one direction are put together at the most: a
// TLS ClientHello with post-quantum keys takes 2 KiB, headers of HTTP rarely 4.
const maxKept = 8 << 10

// smallKept is what a piece gets first.
const smallKept = 2 << 10

// A keeper lends the memory for messages that come in parts.
type keeper struct {
	limit, lent  int // bytes
	small, large [][]byte
	spare        []*pieces
	cut, starved uint64
}

// buffer returns a buffer for n bytes, nil if there is no room.
func (k *keeper) buffer(n int) []byte {
	size, free := smallKept, &k.small
	if n > smallKept {
		size, free = maxKept, &k.large
	}
	if n > maxKept || k.lent+size > k.limit {
		k.starved++
		return nil
	}
	k.lent += size
	if last := len(*free) - 1; last >= 0 {
		b := (*free)[last]
		*free = (*free)[:last]
		return b
	}
	return make([]byte, size)
}

func (k *keeper) giveBack(b []byte) {
	k.lent -= len(b)
	if len(b) == smallKept {
		k.small = append(k.small, b)
	} else if len(b) == maxKept {
		k.large = append(k.large, b)
	}
}

// drop gives the memory of *p back and makes it nil.
func (k *keeper) drop(p **pieces) {
	if *p == nil {
		return
	}
	k.giveBack((*p).buf)
	**p = pieces{}
	k.spare = append(k.spare, *p)
	*p = nil
}

// take returns pieces without bytes.
func (k *keeper) take() *pieces {
	if last := len(k.spare) - 1; last >= 0 {
		p := k.spare[last]
		k.spare = k.spare[:last]
		return p
	}
	return new(pieces)
}

// pieces are bytes that come in any order.
type pieces struct {
	buf   []byte
	whole int     // so many bytes are there from the start on
	apart [4]span // what is there beyond; empty ones are free
}

type span struct{ from, to int }

// bytes returns what is there from the start on.
func (p *pieces) bytes() []byte { return p.buf[:p.whole:p.whole] }

// put adds bytes at off. It reports whether there are more bytes from the start
// on now, and whether some did not fit.
func (p *pieces) put(k *keeper, off int, data []byte) (grew, cut bool) {
	if off < p.whole {
		if off < 0 || off+len(data) <= p.whole {
			return false, false
		}
		data = data[p.whole-off:]
		off = p.whole
	}
	if len(data) > maxKept-off {
		cut = true
		data = data[:max(0, maxKept-off)]
	}
	if len(data) == 0 || !p.reserve(k, off+len(data)) {
		return false, true
	}
	if off > p.whole {
		if !p.note(span{off, off + len(data)}) {
			return false, cut // too many holes: it will come again, or not
		}
		copy(p.buf[off:], data)
		return false, cut
	}
	copy(p.buf[off:], data)
	p.whole = off + len(data)
	p.close()
	return true, cut
}

// note remembers a span beyond a hole, if there is place.
func (p *pieces) note(s span) bool {
	for i := range p.apart {
		if t := &p.apart[i]; t.to > t.from && s.from <= t.to && s.to >= t.from {
			t.from, t.to = min(t.from, s.from), max(t.to, s.to)
			return true
		}
	}
	for i := range p.apart {
		if t := &p.apart[i]; t.to == t.from {
			*t = s
			return true
		}
	}
	return false
}

// close joins the spans that now touch the start.
func (p *pieces) close() {
	for joined := true; joined; {
		joined = false
		for i := range p.apart {
			s := p.apart[i]
			if s.to == s.from || s.from > p.whole {
				continue
			}
			p.whole = max(p.whole, s.to)
			p.apart[i] = span{}
			joined = true
		}
	}
}

// reserve makes room for n bytes.
func (p *pieces) reserve(k *keeper, n int) bool {
	if n <= len(p.buf) {
		return true
	}
	b := k.buffer(n)
	if b == nil {
		return false
	}
	copy(b, p.buf)
	k.giveBack(p.buf)
	p.buf = b
	return true
}

// use forgets the first n bytes, n <= whole.
func (p *pieces) use(n int) {
	end := p.whole
	for _, s := range p.apart {
		end = max(end, s.to)
	}
	copy(p.buf, p.buf[n:end])
	p.whole -= n
	for i := range p.apart {
		if s := &p.apart[i]; s.to > s.from {
			s.from -= n
			s.to -= n
		}
	}
}

func (p *pieces) holds() bool { return p.whole > 0 || p.apart != [4]span{} }

// A side is what one side of a TCP connection says.
type side struct {
	kept   *pieces // what waits; nil = nothing
	first  uint32  // the lowest sequence number that was shown
	next   uint32  // the sequence number of kept's first byte, or of what is expected
	began  bool
	closed bool // nothing more of this side is of interest
}

// far is from how many bytes apart on a sequence number belongs to another
// connection, or to nothing.
const far = 1 << 20

// join makes m.data what is known of the side from the first byte on that was
// not used up. It reports whether there is something new to look at.
func (s *side) join(k *keeper, m *message, ip []byte) bool {
	seq, ok := sequence(ip)
	if !ok {
		seq = s.next
		if s.kept != nil {
			seq += uint32(s.kept.whole)
		}
	}
	if !s.began {
		s.began, s.first, s.next = true, seq, seq
	}
	off := int(int32(seq - s.next))
	if int32(seq-s.first) < 0 || off > far || off < -far { // before all that was seen, or beside it
		k.drop(&s.kept)
		s.first, s.next, off = seq, seq, 0
	}
	m.seq = s.next
	if s.kept == nil {
		if off < 0 {
			if -off >= len(m.data) {
				return false
			}
			m.data = m.data[-off:]
		} else {
			m.seq = seq // what is missing will not come any more, or is of no use
		}
		return true
	}
	if off < 0 {
		if -off >= len(m.data) {
			return false
		}
		m.data, off = m.data[-off:], 0
	}
	grew, cut := s.kept.put(k, off, m.data)
	if cut {
		k.cut++
	}
	m.full = cut
	m.data, m.kept = s.kept.bytes(), true
	return (grew || cut) && len(m.data) > 0
}

// keep remembers what of the message was not used, if the answer asks for it.
func (s *side) keep(k *keeper, m *message, a answer) {
	s.next = m.seq + uint32(m.used)
	switch {
	case a == no || a == done || m.full && m.used == 0:
		s.closed = a == done || a != no && m.full
		s.next = m.seq + uint32(len(m.data))
		k.drop(&s.kept)
	case m.kept:
		s.kept.use(m.used)
		if !s.kept.holds() {
			k.drop(&s.kept)
		}
	case m.used < len(m.data):
		s.kept = k.take()
		if _, cut := s.kept.put(k, 0, m.data[m.used:]); cut {
			k.cut++
			s.closed = s.kept.whole == maxKept
			if s.kept.whole == 0 || s.closed {
				k.drop(&s.kept)
				s.next = m.seq + uint32(len(m.data))
			}
		}
	}
}

// sequence returns the sequence number of the first byte that a TCP segment
// carries, from the IP header on. A SYN takes a number of its own before the
// data that it may carry (RFC 7413).
// ok is false if the header is cut or does not follow directly.
func sequence(ip []byte) (seq uint32, ok bool) {
	if len(ip) < 20 {
		return 0, false
	}
	at, next := 0, byte(0)
	switch ip[0] >> 4 {
	case 4:
		at, next = int(ip[0]&15)*4, ip[9]
	case 6:
		at, next = 40, ip[6]
		// Options may come first; who has more of them than this is not listened to.
		for range 8 {
			if next != 0 && next != 43 && next != 44 && next != 60 || len(ip) < at+8 {
				break
			}
			length := 8
			if next != 44 {
				length = 8 + 8*int(ip[at+1])
			}
			next, at = ip[at], at+length
		}
	}
	if next != 6 || len(ip) < at+14 {
		return 0, false
	}
	seq = binary.BigEndian.Uint32(ip[at+4:])
	if ip[at+13]&0x02 != 0 {
		seq++
	}
	return seq, true
}
