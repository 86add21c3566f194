package meter

import (
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

// decide settles who is the client of a conversation, for good.
func (t *Table) decide(tuple *packet.Tuple, r *hot, c *cold) {
	second, why := t.client(tuple, r, c)
	c.evidence = why
	c.bits |= decided
	if second {
		c.bits |= clientSecond
	}
}

// recurring is how many peers make a port a server's.
const recurring = 3

// ftpData is the one port that is registered for who connects: an FTP server
// opens data connections from it (RFC 959 section 3.2). Many peers prove
// nothing there.
const ftpData = 20

// client tells whether the second end of a tuple is the client, and why. What
// is better evidence comes first.
func (t *Table) client(tuple *packet.Tuple, r *hot, c *cold) (second bool, why flow.Evidence) {
	first := c.bits&firstSecond != 0
	tcp := r.proto() == flow.TCP

	one, two := siteOf(tuple, 0), siteOf(tuple, 1)
	// Nobody speaks from a group: who speaks to it is the client.
	if a, b := one.multicast(), two.multicast(); a != b {
		return a, flow.FirstPacket
	}
	switch c.bits & (asked | asked<<1) {
	case asked, asked << 1:
		return c.bits&(asked<<1) != 0, requestEvidence(tcp, flow.SYNSeen)
	case asked | asked<<1: // both opened at the same time
		return first, requestEvidence(tcp, flow.SYNSeen)
	}
	switch c.bits & (answered | answered<<1) {
	case answered, answered << 1:
		return c.bits&answered != 0, requestEvidence(tcp, flow.SYNACKSeen)
	}
	if x, y := one.number() == ftpData, two.number() == ftpData; tcp && x != y {
		return y, flow.RegisteredPort
	}
	if !r.proto().HasPorts() || one.number() == 0 && two.number() == 0 {
		return first, flow.FirstPacket
	}

	a, b := t.endpoints.find(one), t.endpoints.find(two)
	if x, y := a != nil && a.listens, b != nil && b.listens; x != y {
		return x, flow.KnownListener
	}
	switch x, y := a.peers(), b.peers(); {
	case x >= recurring && x >= 2*y:
		return true, flow.RecurringPort
	case y >= recurring && y >= 2*x:
		return false, flow.RecurringPort
	}
	if t.cfg.Registered != nil {
		x, y := t.cfg.Registered(r.proto(), one.number()), t.cfg.Registered(r.proto(), two.number())
		if x != y {
			return x, flow.RegisteredPort
		}
	}
	if one.number() != two.number() {
		return one.number() < two.number(), flow.LowerPort
	}
	return first, flow.FirstPacket
}

// requestEvidence returns what a message proves by its type: of TCP, what was
// said, else that it was a request.
func requestEvidence(tcp bool, said flow.Evidence) flow.Evidence {
	if tcp {
		return said
	}
	return flow.RequestSeen
}

// message notes whether an ICMP packet asks or answers (RFC 792, 4443, 4861).
func (c *cold) message(h *packet.Headers, d uint) {
	if h.Later {
		return
	}
	asks, answers := false, false
	if h.Proto() == flow.ICMP {
		switch h.ICMPType {
		case 8, 10, 13, 15, 17: // echo, solicitation, timestamp, information, mask
			asks = true
		case 0, 9, 14, 16, 18:
			answers = true
		}
	} else {
		switch h.ICMPType {
		case 128, 133, 135: // echo, router and neighbour solicitation
			asks = true
		case 129, 134, 136:
			answers = true
		}
	}
	if asks {
		c.bits |= asked << d
	}
	if answers {
		c.bits |= answered << d
	}
}
