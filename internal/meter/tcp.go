package meter

import "github.com/portolan/portolan/internal/packet"

// TCP flags (RFC 9293 section 3.1).
const (
	flagFIN = 0x01
	flagSYN = 0x02
	flagRST = 0x04
	flagACK = 0x10
)

// farSequence is a step between two sequence numbers of one direction that no
// window explains: the numbers begin anew.
const farSequence = 1 << 30

// segment follows a TCP segment. A segment that was cut before its flags has
// none, and is not followed.
func (t *Table) segment(n uint32, r *hot, h *packet.Headers, d uint) {
	flags := h.TCPFlags
	if flags == 0 {
		return
	}
	r.flags[d] |= flags
	if flags&(flagSYN|flagFIN|flagRST) != 0 || r.state&opening != 0 {
		t.handshake(n, r, h, d)
		t.hasten(n, r)
	}
	if h.Window != 0 {
		r.state &^= shut << d
	} else if r.state&(shut<<d) == 0 && flags&(flagSYN|flagRST) == 0 {
		r.state |= shut << d
		t.cold[n].zeroWindows++
		t.stats.ZeroWindows++
	}
	length := h.Segment + uint32(flags&flagFIN) + uint32(flags&flagSYN>>1)
	if length == 0 || flags&flagRST != 0 {
		return
	}
	sequence := (*[2]uint64)(r.key[2:4])
	next := uint32(sequence[d])
	six := r.isSix()
	if six {
		next = t.cold[n].next[d]
	}
	switch end := h.Seq + length; {
	case h.Seq == next && r.state&(synced<<d) != 0:
		next = end
	case r.state&(synced<<d) == 0:
		r.state |= synced << d
		next = end
	default:
		next = t.disorder(&t.cold[n], h, d, next, end)
	}
	if six {
		t.cold[n].next[d] = next
		return
	}
	sequence[d] = uint64(next)
}

// handshake follows the beginning and the end of a connection.
func (t *Table) handshake(n uint32, r *hot, h *packet.Headers, d uint) {
	c := &t.cold[n]
	other := 1 - d
	switch flags := h.TCPFlags; {
	case flags&flagRST != 0:
		c.resets++
		t.stats.Resets++
		r.state |= ended
		return
	case flags&(flagSYN|flagACK) == flagSYN:
		if c.bits&(asked<<d) != 0 {
			c.bits |= synAgain
		} else if c.bits&(answered<<other) == 0 {
			r.state |= opening
		}
		c.bits |= asked<<d | known<<d
		c.isn[d] = h.Seq
		c.mark = h.Time
	case flags&flagSYN != 0:
		if c.bits&(answered<<d) != 0 {
			c.bits |= synAckAgain
		} else {
			if c.bits&(asked<<other|synAgain) == asked<<other {
				c.serverRTT = max(h.Time-c.mark, 0)
			}
			r.state |= opening
			t.listens(r, d)
		}
		c.bits |= answered<<d | known<<d | known<<other
		c.isn[d], c.isn[other] = h.Seq, h.Ack-1
		c.mark = h.Time
	case r.state&opening != 0:
		if flags&flagACK != 0 && c.bits&(answered<<other|synAckAgain) == answered<<other && h.Ack == c.isn[other]+1 {
			c.clientRTT = max(h.Time-c.mark, 0)
		}
		r.state &^= opening
	}
	if h.TCPFlags&flagFIN != 0 {
		r.state |= fin << d
		if r.state&(fin|fin<<1) == fin|fin<<1 {
			r.state |= ended
		}
	}
}

// reopened reports whether a SYN or SYN-ACK opens a new connection between
// ports that had one before. A SYN that is sent again, with the same number,
// does not; nor does one with a new number while nobody answers.
func (r *hot) reopened(c *cold, h *packet.Headers, d uint) bool {
	other := 1 - d
	over := r.state&ended != 0
	if r.state&(seen|seen<<1) == 0 {
		return false
	}
	if h.TCPFlags&flagACK == 0 {
		if c.bits&(known<<d) == 0 {
			// Both ends may open at the same time; else what was there began
			// before the capture.
			return over || c.bits&(asked<<other) == 0
		}
		return h.Seq != c.isn[d] && (over || r.state&(seen<<other) != 0)
	}
	if c.bits&(known<<other) == 0 {
		return c.bits&(asked<<d) == 0
	}
	return h.Ack-1 != c.isn[other] && (over || r.state&(seen<<d) != 0)
}

// disorder handles a segment from h.Seq to end that is not the next one, and
// returns what is next after it.
func (t *Table) disorder(c *cold, h *packet.Headers, d uint, next, end uint32) uint32 {
	ahead := int32(h.Seq - next)
	switch {
	case ahead > farSequence || ahead < -farSequence:
		c.holeCount[d] = 0
		return end
	case ahead > 0:
		c.addHole(d, hole{next, h.Seq})
		return end
	case ahead == -1 && h.Segment <= 1 && h.TCPFlags&(flagSYN|flagFIN) == 0:
		return next // a keep-alive, or the probe of a closed window
	case c.fill(d, hole{h.Seq, end}):
		c.outOfOrder++
		t.stats.OutOfOrder++
	default:
		c.retransmits++
		t.stats.Retransmits++
	}
	if int32(end-next) > 0 {
		return end
	}
	return next
}

// A hole is a range of sequence numbers that were not seen yet, from from up
// to, but not including, to.
type hole struct{ from, to uint32 }

// addHole remembers a hole. The oldest goes if there are too many: what fills
// it later counts as sent again.
func (c *cold) addHole(d uint, h hole) {
	holes := &c.holes[d]
	if int(c.holeCount[d]) == len(holes) {
		copy(holes[:], holes[1:])
		c.holeCount[d]--
	}
	holes[c.holeCount[d]] = h
	c.holeCount[d]++
}

// fill takes what was seen out of the holes and reports whether there was any.
func (c *cold) fill(d uint, got hole) bool {
	filled := false
	holes := c.holes[d]
	count := c.holeCount[d]
	c.holeCount[d] = 0
	for _, h := range holes[:count] {
		if int32(got.to-h.from) <= 0 || int32(h.to-got.from) <= 0 {
			c.addHole(d, h)
			continue
		}
		filled = true
		if int32(got.from-h.from) > 0 {
			c.addHole(d, hole{h.from, got.from})
		}
		if int32(h.to-got.to) > 0 {
			c.addHole(d, hole{got.to, h.to})
		}
	}
	return filled
}
