package pipeline

import (
	"errors"
	"net/netip"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
	"github.com/portolan/portolan/internal/l7/dissect"
	"github.com/portolan/portolan/internal/l7/ndpi"
	"github.com/portolan/portolan/internal/meter"
)

// Identify says how applications are told.
type Identify struct {
	Off       bool   // by port alone, as a guess
	Go        bool   // by our own recognisers, even where nDPI is built in
	Protocols string // a file with protocols of one's own, in nDPI's form; "" = none
	AppOnly   bool   // keep the application and nothing else that is said

	// Names takes the names of addresses that DNS answers tell; nil = nobody
	// wants them. It is called by the goroutine that meters. at is ns since
	// 1970 UTC.
	Names func(addr netip.Addr, name string, at int64)
}

// What tells, in words.
func (id Identify) String() string {
	switch {
	case id.Off:
		return ""
	case ndpi.Available && !id.Go:
		return "nDPI " + ndpi.Version()
	}
	return "built in"
}

// Apply sets what cfg knows of services and applications. The close function
// is to be called when the table is closed.
func (id Identify) Apply(cfg *meter.Config) (closer func(), err error) {
	cfg.Registered = l7.Registered
	cfg.Guess = func(k flow.Key) flow.App { return l7.GuessApp(k.Proto, k.ServerPort) }
	if id.Off {
		return func() {}, nil
	}
	own := dissect.Default()
	own.AppOnly, own.Names = id.AppOnly, id.Names
	if !ndpi.Available || id.Go {
		if id.Protocols != "" {
			return nil, errors.New("a file of protocols needs nDPI, which this portolan is built without")
		}
		cfg.Identifier = dissect.New(own)
		return func() {}, nil
	}
	// A little more than the table lets wait, so that it is the table that says no.
	n, err := ndpi.New(ndpi.Config{Protocols: id.Protocols, MaxFlows: cfg.MaxPending + 1})
	if err != nil {
		return nil, err
	}
	byPort := cfg.Guess
	cfg.Guess = func(k flow.Key) flow.App {
		if a := n.Guess(k); a != (flow.App{}) {
			return a
		}
		return byPort(k)
	}
	cfg.Identifier = &both{first: n, second: dissect.New(own), appOnly: id.AppOnly}
	return n.Close, nil
}

// both asks nDPI for the application, and our own recognisers for what nDPI
// does not tell: names in DNS answers, JA4, software; and for the application
// where nDPI only guesses.
type both struct {
	first, second meter.Identifier
	done          []uint8 // by slot: bit 0 the first, bit 1 the second has seen enough
	appOnly       bool
}

func (b *both) Packet(slot uint32, p meter.Payload) bool {
	for int(slot) >= len(b.done) {
		b.done = append(b.done, 0)
	}
	d := &b.done[slot]
	if *d&1 == 0 && b.first.Packet(slot, p) {
		*d |= 1
	}
	if *d&2 == 0 && b.second.Packet(slot, p) {
		*d |= 2
	}
	return *d == 3
}

func (b *both) Verdict(slot uint32) meter.Verdict {
	if int(slot) < len(b.done) {
		b.done[slot] = 0
	}
	v, own := b.first.Verdict(slot), b.second.Verdict(slot)
	if v.App == (flow.App{}) || v.App.Guess && own.App != (flow.App{}) {
		v.App = own.App
	}
	if v.Info == "" {
		v.Info = own.Info
	}
	if own.Details != nil {
		v.Details = own.Details
	}
	if b.appOnly {
		v.Info, v.Details = "", nil
	}
	return v
}
