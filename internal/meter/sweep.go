package meter

import (
	"time"

	"github.com/portolan/portolan/internal/flow"
)

// A sweeper goes over all records once a period, in order and a part at a time,
// and looks at those whose time may have come: it reads eight bytes of a record
// for that. Timer wheels and lists by age cost cache misses with
// every packet instead.
type sweeper struct {
	cursor uint32
	swept  int64 // the clock when records before cursor were looked at

	idle, tcpIdle, tcpOpening, linger, active int64 // ns
	shortest                                  int64
}

const (
	sweepPeriod = int64(time.Second)
	sweepStep   = sweepPeriod / 64
)

func (s *sweeper) timeouts(c *Config) {
	s.idle, s.tcpIdle, s.tcpOpening = int64(c.Idle), int64(c.TCPIdle), int64(c.TCPOpening)
	s.linger, s.active = int64(c.Linger), int64(c.Active)
	s.shortest = min(s.idle, s.tcpIdle, s.tcpOpening, s.linger)
}

// patience returns how long a conversation may be quiet.
func (s *sweeper) patience(r *hot) int64 {
	switch {
	case r.proto() != flow.TCP:
		return s.idle
	case r.state&ended != 0:
		return s.linger
	case r.state&opening != 0:
		return s.tcpOpening
	}
	return s.tcpIdle
}

// Advance tells the table the time, ns since 1970 UTC, when no packets come. A
// live source calls it with the clock about once a second; a file never.
//
// Without packets, what has timed out is exported here. The error is that of
// emit, and stays.
func (t *Table) Advance(now int64) error {
	if t.err != nil {
		return t.err
	}
	t.clock.raise(min(max(now, 0), latest))
	t.sweep()
	t.flush()
	return t.err
}

// sweep looks at as many records as the clock has moved on.
func (t *Table) sweep() {
	s := &t.sweeper
	gone := t.clock.now - s.swept
	if gone < sweepStep {
		return
	}
	n := int64(t.high)
	if gone < sweepPeriod {
		n = n * gone / sweepPeriod
		if n == 0 {
			return
		}
	}
	s.swept = t.clock.now
	for range n {
		if s.cursor >= t.high {
			s.cursor = 0
			t.trim()
			t.flush()
			if t.high == 0 {
				return
			}
		}
		if due := t.due[s.cursor]; due != 0 && due <= s.swept {
			t.visit(s.cursor, &t.hot[s.cursor])
		}
		s.cursor++
	}
}

// hasten lets the sweep look at a record soon, because it was quiet less long
// than it may be now, or its slice has just begun.
func (t *Table) hasten(n uint32, r *hot) {
	s := &t.sweeper
	t.due[n] = min(t.due[n], r.last+s.shortest+1, t.began[n]+s.active)
}

// visit exports what has timed out of a record, and notes when the next time
// may be.
func (t *Table) visit(n uint32, r *hot) {
	quiet := t.clock.now - r.last
	if quiet > t.sweeper.shortest && quiet > t.sweeper.patience(r) {
		t.end(n, r.cause(flow.IdleTimeout))
		t.drop(n)
		return
	}
	if r.state&empty == 0 && t.clock.now-t.began[n] >= t.sweeper.active {
		t.export(n, flow.ActiveTimeout)
	}
	due := r.last + t.sweeper.patience(r) + 1
	if r.state&empty == 0 {
		due = min(due, t.began[n]+t.sweeper.active)
	}
	t.due[n] = due
}

// trim forgets the free records at the end if they are most, so that a table
// that was full once does not sweep for nothing ever after.
func (t *Table) trim() {
	high := t.high
	for high > 0 && t.hot[high-1].state == 0 {
		high--
	}
	if t.high-high <= t.high/2 {
		return
	}
	t.high, t.spare = high, 0
	for n := high; n > 0; n-- {
		if r := &t.hot[n-1]; r.state == 0 {
			r.key[0] = uint64(t.spare)
			t.spare = n
		}
	}
}

// Flush exports all conversations and empties the table: the input has ended,
// or somebody wants all that is known. The error is that of emit, and stays.
func (t *Table) Flush() error {
	if t.err != nil {
		return t.err
	}
	for n := range t.high {
		if r := &t.hot[n]; r.state != 0 {
			t.end(n, r.cause(flow.Forced))
			*r = hot{}
			t.due[n] = 0
		}
	}
	t.index.reset()
	t.high, t.spare, t.sweeper.cursor = 0, 0, 0
	t.flush()
	return t.err
}
