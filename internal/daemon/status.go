package daemon

import (
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
	"github.com/portolan/portolan/internal/store/spool"
)

// A Status says how a daemon stands: what "portolan status" and the metrics
// show. All counts are since the start.
type Status struct {
	Version  string    `json:"version"`
	Instance string    `json:"instance"`
	PID      int       `json:"pid"`
	Started  time.Time `json:"started"`
	Now      time.Time `json:"now"`
	Store    string    `json:"store"`    // without its password
	Identify string    `json:"identify"` // what tells applications; "" = nothing does

	Sources []Source    `json:"sources"`
	Queue   spool.Stats `json:"queue"`
}

// A Source is one interface, over all its workers.
//
// Kernel = Drops + Waiting + Frames, and Frames = Decoded + NotIP + the sum of
// Undecoded + Unsampled. Decoded is the sum over the packets of all records
// that were exported, once those that are in the flow table have been.
type Source struct {
	Interface string `json:"interface"`
	Workers   int    `json:"workers"`
	State     string `json:"state"` // up, down, gone

	Kernel  uint64 `json:"kernel"`  // packets that the kernel saw for us, drops included
	Drops   uint64 `json:"drops"`   // lost since the ring was full
	Freezes uint64 `json:"freezes"` // times that it became full
	Card    uint64 `json:"card"`    // packets that card and driver dropped before
	Downs   uint64 `json:"downs"`   // times that the interface went down

	Frames    uint64            `json:"frames"` // taken from the ring
	Decoded   uint64            `json:"decoded"`
	NotIP     uint64            `json:"notIP"`
	Undecoded map[string]uint64 `json:"undecoded,omitempty"`
	Unsampled uint64            `json:"unsampled,omitempty"`
	Bytes     uint64            `json:"bytes"` // IP bytes of what was decoded

	Flows        uint64 `json:"flows"`        // conversations that began
	Live         int    `json:"live"`         // conversations in the table now
	Records      uint64 `json:"records"`      // exported
	Early        uint64 `json:"early"`        // conversations exported early, since the table was full
	Unidentified uint64 `json:"unidentified"` // conversations that nobody looked into: too many were pending

	PacketRate float64 `json:"packetRate"` // packets a second, over the last seconds
	ByteRate   float64 `json:"byteRate"`
}

// Lost returns how many packets never became part of a record.
func (s *Source) Lost() uint64 {
	n := s.Drops + s.Card
	for _, u := range s.Undecoded {
		n += u
	}
	return n
}

// losses returns as data what was lost from before to s.
func (s *Source) losses(before *Source, span flow.Span) []flow.Loss {
	var l []flow.Loss
	add := func(where, reason, unit string, now, then uint64) {
		if now > then {
			l = append(l, flow.Loss{Span: span, Observer: s.Interface, Where: where, Reason: reason, Count: now - then, Unit: unit})
		}
	}
	add("capture", "kernel ring full", "packets", s.Drops, before.Drops)
	add("capture", "dropped by card or driver", "packets", s.Card, before.Card)
	add("capture", "interface was down", "times", s.Downs, before.Downs)
	add("meter", "too many conversations to identify", "flows", s.Unidentified, before.Unidentified)
	for reason := range packet.Reason(packet.NumReasons) {
		name := reason.String()
		add("decode", name, "packets", s.Undecoded[name], before.Undecoded[name])
	}
	return l
}

// Trouble says what keeps flows from getting into the store; "" = nothing.
func (s *Status) Trouble() string {
	if s.Queue.Trouble != "" {
		return "the store takes no flows: " + s.Queue.Trouble
	}
	for i := range s.Sources {
		if f := &s.Sources[i]; f.State != "up" {
			return "interface " + f.Interface + " is " + f.State
		}
	}
	return ""
}
