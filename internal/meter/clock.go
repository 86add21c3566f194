package meter

import (
	"time"

	"github.com/portolan/portolan/internal/packet"
)

// A clock is the time of the latest packet, and never goes back. Packets of
// several queues or interfaces come a little out of order; a machine whose
// clock was set back goes on in its past, and the clock goes on with it.
type clock struct {
	now    int64
	offset int64  // added to the time of packets
	stale  int    // packets in a row that were far behind
	steps  uint64 // times that offset changed
}

const (
	// disorder is how far behind a packet's time may be and still be taken for
	// the clock's. Timeouts are not more exact than that.
	disorder = int64(time.Second)
	// farBehind and stepAfter say when packet time was set back: so many
	// packets in a row were so far behind.
	farBehind = int64(time.Minute)
	stepAfter = 64
	// latest bounds times, so that sums do not overflow: the year 2116. A file
	// may hold any time.
	latest = 1 << 62
)

// packetTime returns the time of a packet, within bounds.
func packetTime(h *packet.Headers) int64 { return min(max(h.Time, 0), latest) }

// raise moves the clock forward to a time, which is within bounds.
func (c *clock) raise(t int64) { c.now = max(c.now, min(t+c.offset, 2*(latest-1))) }

// advance moves the clock to the time of the next packet.
func (c *clock) advance(t int64) {
	behind := c.now - (t + c.offset)
	switch {
	case behind <= 0:
		c.raise(t)
		c.stale = 0
	case behind <= farBehind:
		c.stale = 0
	default:
		if c.stale++; c.stale == stepAfter && c.offset+behind <= latest-1 {
			c.offset += behind
			c.steps++
			c.stale = 0
		}
	}
}

// behind reports whether a packet's time is not the clock's.
func (c *clock) behind(t int64) bool { return c.now-t > disorder }
