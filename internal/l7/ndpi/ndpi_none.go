//go:build !ndpi || !cgo

package ndpi

import (
	"errors"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/meter"
)

// Available says whether this program was built with nDPI.
const Available = false

// An Identifier cannot be had in this program.
type Identifier struct{}

// New returns an error: this program was built without nDPI.
func New(Config) (*Identifier, error) {
	return nil, errors.New("ndpi: built without nDPI: build with cgo and -tags ndpi")
}

// Version returns "": there is no library.
func Version() string { return "" }

// Packet is never called.
func (*Identifier) Packet(uint32, meter.Payload) bool { return true }

// Verdict is never called.
func (*Identifier) Verdict(uint32) meter.Verdict { return meter.Verdict{} }

// Guess is never called.
func (*Identifier) Guess(flow.Key) flow.App { return flow.App{} }

// Stats is never called.
func (*Identifier) Stats() Stats { return Stats{} }

// Names is never called.
func (*Identifier) Names() map[uint16]string { return nil }

// Close is never called.
func (*Identifier) Close() {}

var _ meter.Identifier = (*Identifier)(nil)
