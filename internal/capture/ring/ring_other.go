//go:build !linux

package ring

import "github.com/portolan/portolan/internal/packet"

// A Ring is a capture that runs; on this system there is none.
type Ring struct{}

// Open returns an error.
func Open(cfg Config) (*Ring, error) { return nil, &Error{Interface: cfg.Interface, Err: ErrSystem} }

// OpenGroup returns an error.
func OpenGroup(cfg Config, _ int) ([]*Ring, error) {
	return nil, &Error{Interface: cfg.Interface, Err: ErrSystem}
}

// Link returns how frames begin.
func (*Ring) Link() packet.LinkType { return 0 }

// ReadBatch returns an error.
func (*Ring) ReadBatch([]packet.Frame) (int, error) { return 0, ErrSystem }

// Stats returns zeros.
func (*Ring) Stats() Stats { return Stats{} }

// Stop does nothing.
func (*Ring) Stop() error { return nil }

// Close does nothing.
func (*Ring) Close() error { return nil }
