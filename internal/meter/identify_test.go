package meter

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

// A finder is an identifier that knows after so many payloads.
type finder struct {
	after int
	open  map[uint32]int // payloads by slot
	log   []string
}

func (f *finder) Packet(slot uint32, p Payload) bool {
	if f.open == nil {
		f.open = map[uint32]int{}
	}
	f.open[slot]++
	f.log = append(f.log, fmt.Sprintf("%v %d>%d reply=%v %q", p.Proto, p.SenderPort, p.ReceiverPort, p.Reply, p.Data))
	return f.open[slot] == f.after
}

func (f *finder) Verdict(slot uint32) Verdict {
	n := f.open[slot]
	if n == 0 {
		panic("BUG: a verdict was asked for a slot that has none")
	}
	delete(f.open, slot)
	if n < f.after {
		return Verdict{}
	}
	return Verdict{flow.App{Master: 91, App: uint16(n)}, fmt.Sprint("name ", n), &flow.Details{JA4: "t13"}}
}

func payload(text string) (packet.Frame, option) {
	data := append(make([]byte, 54), text...)
	return packet.Frame{Data: append(data, "padding"...)}, func(h *packet.Headers) {
		h.IPOffset, h.PayloadOffset, h.PayloadLen = 14, 54, uint32(len(text))
	}
}

func TestIdentifierSeesPayloadsInOrder(t *testing.T) {
	const a, b = "10.0.0.9:40000", "10.0.0.1:443"
	id := &finder{after: 2}
	sc := newScript(t, func(c *Config) {
		c.Identifier = id
		c.Guess = func(flow.Key) flow.App { return flow.App{Master: 7, Guess: true} }
	})
	f1, one := payload("hello")
	f2, two := payload("world")
	f3, three := payload("more")
	f4, four := payload("other")
	sc.sendFrames([]packet.Frame{f1, {}, f2, f3, f4}, []packet.Headers{
		pkt(0, flow.TCP, a, b, one), pkt(0, flow.TCP, b, a), pkt(0, flow.TCP, b, a, two), pkt(0, flow.TCP, a, b, three),
		pkt(0, flow.UDP, a, b, four),
	})
	got := sc.finish()
	if r := got[0]; r.App != (flow.App{Master: 91, App: 2}) || r.Info != "name 2" || r.Details == nil || r.Details.JA4 != "t13" {
		t.Errorf("identified as %+v, %q, %v", r.App, r.Info, r.Details)
	}
	if r := got[1]; r.App != (flow.App{Master: 7, Guess: true}) || r.Info != "" {
		t.Errorf("guessed as %+v, %q", r.App, r.Info)
	}
	want := []string{`tcp 40000>443 reply=false "hello"`, `tcp 443>40000 reply=true "world"`, `udp 40000>443 reply=false "other"`}
	if d := cmp.Diff(want, id.log); d != "" {
		t.Error(d)
	}
	if len(id.open) != 0 || sc.table.pending != 0 {
		t.Errorf("%d slots and %d conversations wait for ever", len(id.open), sc.table.pending)
	}
}

func TestIdentifierHasABudget(t *testing.T) {
	id := &finder{after: 1000}
	sc := newScript(t, func(c *Config) { c.Identifier, c.MaxPending = id, 1 })
	f, data := payload("x")
	for range 2 * budget {
		sc.sendFrames([]packet.Frame{f, f}, []packet.Headers{
			pkt(0, flow.UDP, "10.0.0.9:1", "10.0.0.1:2", data), pkt(0, flow.UDP, "10.0.0.9:1", "10.0.0.1:3", data),
		})
	}
	sc.finish()
	if len(id.log) != budget || sc.table.Stats().Unidentified != 1 {
		t.Errorf("%d payloads shown, want %d; %d conversations left out, want 1", len(id.log), budget, sc.table.Stats().Unidentified)
	}
}
