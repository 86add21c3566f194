package meter

import (
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

// An Identifier tells the application of a conversation from what it says.
type Identifier interface {
	// Packet looks at the next payload of the conversation in slot and reports
	// whether it has seen enough. It borrows p.
	Packet(slot uint32, p Payload) (done bool)

	// Verdict says what was found out about the conversation in slot. It is
	// called once for each slot that was given to Packet, and ends what the
	// identifier remembers of it: the slot goes to another conversation then.
	Verdict(slot uint32) Verdict
}

// A Verdict is what a conversation said of itself. The zero Verdict is "I do
// not know".
type Verdict struct {
	App     flow.App
	Info    string        // the name that the client asked for; "" = none seen
	Details *flow.Details // nil = nothing; not changed after it was given
}

// said is what is kept of a verdict in words.
type said struct {
	info    string
	details *flow.Details
}

// A Payload is one packet of a conversation whose application is not known.
type Payload struct {
	IP    []byte // from the innermost IP header on; may be cut
	Data  []byte // what the transport carries; never empty, may be cut
	Time  int64  // ns since 1970 UTC
	Proto flow.Proto
	Reply bool // not sent by the side that spoke first

	SenderPort, ReceiverPort uint16
}

// budget is how many payloads of a conversation are looked at: with 16, the
// verdicts are those of nDPI's own budget of 80 for 99.2 % of conversations.
const budget = 16

// startIdentify lets the identifier see a new conversation if it can take one
// more.
func (t *Table) startIdentify(r *hot) {
	if t.pending >= t.cfg.MaxPending {
		t.stats.Unidentified++
		return
	}
	t.pending++
	r.state |= pending
}

// identify shows a packet with payload to the identifier.
func (t *Table) identify(n uint32, r *hot, h *packet.Headers, f *packet.Frame, d uint) {
	c := &t.cold[n]
	tuple := r.tuple()
	key := tuple.Key(d == 1)
	end := h.PayloadOffset + h.PayloadLen
	done := t.cfg.Identifier.Packet(n, Payload{
		IP: f.Data[h.IPOffset:], Data: f.Data[h.PayloadOffset:end:end], Time: h.Time,
		Proto: r.proto(), Reply: (d == 1) != (c.bits&firstSecond != 0),
		SenderPort: key.ClientPort, ReceiverPort: key.ServerPort,
	})
	c.looked++
	if done || c.looked == budget {
		t.conclude(n, r)
	}
}

// conclude takes the identifier's verdict. A conversation without payload so
// far has none, and gets none later.
func (t *Table) conclude(n uint32, r *hot) {
	c := &t.cold[n]
	r.state &^= pending
	t.pending--
	if c.looked == 0 {
		return
	}
	v := t.cfg.Identifier.Verdict(n)
	c.master, c.app = v.App.Master, v.App.App
	if v.App.Guess {
		c.bits |= guessed
	}
	if v.Info == "" && v.Details == nil {
		return
	}
	for len(t.said) <= int(n) {
		t.said = append(t.said, said{})
	}
	t.said[n] = said{v.Info, v.Details}
}
