// Package dissect tells applications from what conversations say.
//
// Each protocol is one file with one function that looks at a message: the
// first bytes of one direction of a TCP connection, or one datagram. The
// registry in registry.go lists them. A port decides only who is asked first:
// what was not said is not known.
package dissect

import (
	"net/netip"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/meter"
)

// Config says what an Identifier keeps of what it sees. Start from Default.
type Config struct {
	// AppOnly keeps the application of conversations and nothing else: no
	// names, no fingerprints, no software.
	AppOnly bool

	// Memory bounds the bytes that wait for the rest of their message, 0 =
	// none wait. What finds no room is looked at alone, and counted.
	Memory int

	// Names takes the names of addresses that answers of DNS, mDNS and LLMNR
	// tell, nil = nobody wants them. name is the one that was asked for, also
	// when CNAMEs lead from it to addr; it is in lower case, without the last
	// dot. at is the time of the answer, ns since 1970 UTC. Unused if AppOnly.
	Names func(addr netip.Addr, name string, at int64)
}

// Default returns the configuration for live capture and for files.
func Default() Config { return Config{Memory: 32 << 20} }

// Stats counts what an Identifier did since it was made.
type Stats struct {
	Conversations uint64 // that were looked at
	Known         uint64 // those whose application was said
	Payloads      uint64
	Cut           uint64 // directions of which more than 8 KiB would have been of interest
	Starved       uint64 // messages that were not kept because Memory was full
}

// patience is how many payloads in a row that nobody knows end the search.
const patience = 10

// An Identifier is a meter.Identifier in pure Go. It belongs to one goroutine:
// one a table.
type Identifier struct {
	cfg   Config
	stats Stats

	slots  []uint32 // by slot: which conversation, plus 1; 0 = none
	convs  []conversation
	spare  []uint32 // conversations that are free
	keeper keeper
	table  *table

	message message // of this call; kept here so that it is not allocated
	hello   hello
	scratch []byte
	dns     dnsScratch
	quic    quicScratch
}

var _ meter.Identifier = (*Identifier)(nil)

// New returns an Identifier.
func New(cfg Config) *Identifier {
	return &Identifier{cfg: cfg, keeper: keeper{limit: cfg.Memory}, table: dispatch()}
}

// Stats returns the counts so far.
func (d *Identifier) Stats() Stats {
	d.stats.Cut, d.stats.Starved = d.keeper.cut, d.keeper.starved
	return d.stats
}

// A conversation is what is remembered until the verdict.
type conversation struct {
	app       flow.App
	info      string
	details   *flow.Details
	handshake *pieces // of DTLS or QUIC
	quic      *quicState
	streak    streak
	sides     [2]side // what the first speaker says, what the other says
	owner     uint8   // the protocol that claimed it, plus 1; 0 = nobody yet
	stage     uint8   // bits that are the owner's
	rejected  uint8   // payloads in a row that nobody knew
}

// Packet looks at the next payload of the conversation in slot. See
// meter.Identifier.
func (d *Identifier) Packet(slot uint32, p meter.Payload) bool {
	c := d.conversation(slot)
	d.stats.Payloads++
	m := &d.message
	*m = message{
		data: p.Data, proto: p.Proto, sender: p.SenderPort, receiver: p.ReceiverPort,
		reply: p.Reply, time: p.Time, conv: c, d: d,
	}
	switch {
	case p.Proto == flow.TCP:
		return d.segment(c, m, p.IP)
	case p.Proto == flow.UDP || p.Proto == flow.UDPLite:
		return d.conclude(c, d.ask(c, m))
	}
	return true
}

// Verdict says what the conversation in slot is, and forgets it. See
// meter.Identifier.
func (d *Identifier) Verdict(slot uint32) meter.Verdict {
	if int(slot) >= len(d.slots) || d.slots[slot] == 0 {
		return meter.Verdict{}
	}
	n := d.slots[slot] - 1
	c := &d.convs[n]
	v := meter.Verdict{App: c.app, Info: c.info, Details: c.details}
	if c.app.Master != 0 {
		d.stats.Known++
	}
	d.release(c)
	*c = conversation{}
	d.slots[slot] = 0
	d.spare = append(d.spare, n)
	return v
}

func (d *Identifier) release(c *conversation) {
	for i := range c.sides {
		d.keeper.drop(&c.sides[i].kept)
	}
	d.keeper.drop(&c.handshake)
}

// conversation returns what is remembered of slot, nothing so far if it is new.
func (d *Identifier) conversation(slot uint32) *conversation {
	for int(slot) >= len(d.slots) {
		d.slots = append(d.slots, make([]uint32, max(1024, len(d.slots)))...)
	}
	if n := d.slots[slot]; n != 0 {
		return &d.convs[n-1]
	}
	d.stats.Conversations++
	if len(d.spare) == 0 {
		d.convs = append(d.convs, conversation{})
		d.spare = append(d.spare, uint32(len(d.convs)-1))
	}
	n := d.spare[len(d.spare)-1]
	d.spare = d.spare[:len(d.spare)-1]
	d.slots[slot] = n + 1
	return &d.convs[n]
}

// segment looks at a TCP segment together with what was kept of its side.
func (d *Identifier) segment(c *conversation, m *message, ip []byte) bool {
	s := &c.sides[0]
	if m.reply {
		s = &c.sides[1]
	}
	if s.closed {
		return false
	}
	if !s.join(&d.keeper, m, ip) {
		return false
	}
	a := d.ask(c, m)
	s.keep(&d.keeper, m, a)
	return d.conclude(c, a)
}

// conclude turns an answer into what the meter wants to know.
func (d *Identifier) conclude(c *conversation, a answer) bool {
	switch a {
	case done:
		return true
	case no:
		c.rejected++
		return c.owner == 0 && c.rejected >= patience
	case mine:
		c.rejected = 0
	}
	return false
}

// ask shows a message to the protocol that owns the conversation, or else to
// all that may begin like this, those first that a port speaks for.
func (d *Identifier) ask(c *conversation, m *message) answer {
	if c.owner != 0 {
		p := &protocols[c.owner-1]
		m.usual = p.usual(m)
		a := p.recognise(m)
		if m.over {
			c.owner, c.stage, c.rejected = 0, 0, 0
			m.useAll()
		}
		return a
	}
	t := d.table.of(m.proto)
	if t == nil || len(m.data) == 0 {
		return no
	}
	receiver, sender := t.byPort[t.port[m.receiver]], t.byPort[t.port[m.sender]]
	best := no
	m.usual = true
	for _, hinted := range [2][]uint8{receiver, sender} {
		for _, i := range hinted {
			if a := d.try(c, m, i); a >= mine {
				return a
			} else if a == more {
				best = more
			}
		}
	}
	m.usual = false
	for _, i := range t.byFirst[m.data[0]] {
		if contains(receiver, i) || contains(sender, i) {
			continue
		}
		if a := d.try(c, m, i); a >= mine {
			return a
		} else if a == more {
			best = more
		}
	}
	return best
}

// try shows a message to one protocol, which owns the conversation if it says
// so.
func (d *Identifier) try(c *conversation, m *message, i uint8) answer {
	p := &protocols[i]
	if !p.begins(m.data[0]) {
		return no
	}
	a := p.recognise(m)
	if a < mine {
		m.used = 0
		return a
	}
	c.owner = i + 1
	if c.app.Master == 0 {
		c.app.Master = p.app
	}
	return a
}

func contains(list []uint8, i uint8) bool {
	for _, x := range list {
		if x == i {
			return true
		}
	}
	return false
}
