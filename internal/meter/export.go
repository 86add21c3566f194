package meter

import (
	"time"

	"github.com/portolan/portolan/internal/flow"
)

// cause returns why a conversation ends: that it is over, if it is, else what
// made the table look.
func (r *hot) cause(otherwise flow.Cause) flow.Cause {
	if r.state&ended != 0 {
		return flow.EndOfFlow
	}
	return otherwise
}

// end exports the last slice of a conversation. The record is free afterwards,
// for the same place in the index or for drop.
func (t *Table) end(n uint32, why flow.Cause) {
	t.export(n, why)
	t.stats.Live--
	if int(n) < len(t.said) {
		t.said[n] = said{}
	}
}

// export hands on what was counted since the last export. Who is the client is
// decided when that happens first, knowing all that is known by then. A slice
// without packets is not exported.
func (t *Table) export(n uint32, why flow.Cause) {
	r, c := &t.hot[n], &t.cold[n]
	if r.state&empty != 0 {
		return
	}
	tuple := r.tuple()
	if c.bits&decided == 0 {
		t.decide(&tuple, r, c)
	}
	if r.state&pending != 0 {
		t.conclude(n, r)
	}
	client := uint(0)
	if c.bits&clientSecond != 0 {
		client = 1
	}
	t.out.Records = append(t.out.Records, flow.Record{
		Key:      tuple.Key(client == 1),
		ID:       c.id,
		Slice:    c.slice,
		Start:    c.start,
		End:      r.last,
		ToServer: r.counters(c, client),
		ToClient: r.counters(c, 1-client),
		App:      flow.App{Master: c.master, App: c.app, Guess: c.bits&guessed != 0},
		Evidence: c.evidence,
		Cause:    why,
		Observer: t.observerName(c.iface),
	})
	rec := &t.out.Records[len(t.out.Records)-1]
	if r.state&late != 0 {
		rec.End = c.end
	}
	if !rec.Proto.HasPorts() {
		rec.ClientPort, rec.ServerPort = 0, 0
	}
	if rec.Proto == flow.TCP {
		rec.TCP = flow.TCPFacts{
			ServerRTT: time.Duration(c.serverRTT), ClientRTT: time.Duration(c.clientRTT),
			FlagsToServer: r.flags[client], FlagsToClient: r.flags[1-client],
			Retransmits: c.retransmits, OutOfOrder: c.outOfOrder,
			ZeroWindows: c.zeroWindows, Resets: c.resets,
		}
	}
	if int(n) < len(t.said) {
		rec.Info, rec.Details = t.said[n].info, t.said[n].details
	}
	if rec.App == (flow.App{}) && t.cfg.Guess != nil {
		rec.App = t.cfg.Guess(rec.Key)
	}
	r.clear(c)
	t.stats.Exported++
	t.stats.Causes[why]++
	if len(t.out.Records) == cap(t.out.Records) {
		t.flush()
	}
}

// flush hands on the records that wait.
func (t *Table) flush() {
	if len(t.out.Records) == 0 {
		return
	}
	if t.err == nil {
		t.err = t.emit(&t.out)
	}
	t.out.Reset()
}
