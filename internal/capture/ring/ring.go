// Package ring captures frames from a network interface.
package ring

import (
	"errors"
	"fmt"
	"time"
)

// ErrGone is wrapped when the interface of a Ring was deleted, or moved to
// another network namespace. One of the same name may be opened anew.
var ErrGone = errors.New("interface is gone")

// ErrSystem is wrapped where the operating system is none that live capture
// was made for.
var ErrSystem = errors.New("live capture needs Linux; captures of other systems can be read from files")

// A Direction says which frames of an interface are captured. Of loopback,
// which shows every frame going out and coming in, each is captured once
// whatever is asked for.
type Direction uint8

// The directions.
const (
	Both Direction = iota
	In             // what arrives, and what passes by
	Out            // what this host sends
)

// Limits of a Config.
const (
	DefaultBlockSize = 256 << 10
	DefaultBlocks    = 256
	DefaultTimeout   = 20 * time.Millisecond
	DefaultIdle      = 100 * time.Millisecond

	maxBlockSize = 64 << 20
	maxRing      = 16 << 30
	maxWorkers   = 256
)

// A Config says what to capture. What is zero has the default.
type Config struct {
	Interface   string // name
	Filter      string // a pcap-filter(7) expression, "" = every frame
	SnapLen     uint32 // bytes kept of a frame at the most, 0 = all that fits a block
	Promiscuous bool   // also what is addressed to others
	Direction   Direction
	Iface       uint32 // becomes Frame.Iface

	// The ring is BlockSize times Blocks bytes of kernel memory. A frame of 60
	// bytes takes 144 of them. BlockSize is a power of two from 4 KiB to 64
	// MiB, and bounds a frame.
	BlockSize int
	Blocks    int
	// Timeout is how long a frame waits for others to fill its block. Every
	// Timeout takes a block, full or not, so a reader may sleep for Blocks
	// times Timeout at the most, however few frames come.
	Timeout time.Duration
	// Idle is how long ReadBatch waits for a frame.
	Idle time.Duration
}

// complete returns c with its defaults, or what is wrong with it.
func (c Config) complete() (Config, error) {
	c.BlockSize, c.Blocks = orDefault(c.BlockSize, DefaultBlockSize), orDefault(c.Blocks, DefaultBlocks)
	c.Timeout, c.Idle = orDefault(c.Timeout, DefaultTimeout), orDefault(c.Idle, DefaultIdle)
	switch {
	case c.Interface == "":
		return c, errors.New("no interface named")
	case c.Direction > Out:
		return c, fmt.Errorf("direction %d: none of both, in, out", c.Direction)
	case c.BlockSize < 4096 || c.BlockSize > maxBlockSize || c.BlockSize&(c.BlockSize-1) != 0:
		return c, fmt.Errorf("block of %d bytes: must be a power of two from 4096 to %d", c.BlockSize, maxBlockSize)
	case c.Blocks < 2 || int64(c.Blocks)*int64(c.BlockSize) > maxRing:
		return c, fmt.Errorf("%d blocks of %d bytes: must be 2 at least, and %d bytes at the most", c.Blocks, c.BlockSize, int64(maxRing))
	case c.Timeout < time.Millisecond || c.Timeout > 10*time.Second:
		return c, fmt.Errorf("timeout %v: must be from 1ms to 10s", c.Timeout)
	case c.Idle < time.Millisecond:
		return c, fmt.Errorf("idle %v: must be 1ms at least", c.Idle)
	}
	return c, nil
}

func orDefault[T int | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

// Stats counts since Open. Packets = Delivered + Drops + what waits in the
// ring.
type Stats struct {
	Packets   uint64 // that passed filter and direction, as the kernel counts
	Delivered uint64 // handed out by ReadBatch
	Drops     uint64 // lost because the ring was full
	Freezes   uint64 // how often it became full

	// Card is how many frames the card had no room for, so that the kernel
	// never saw them; of the whole interface, whatever the filter. It is 0 if
	// that is not known.
	Card uint64

	Downs uint64 // how often the interface was set down
	Down  bool   // it is so now
}

// An Error says what was not to be captured, and why.
type Error struct {
	Interface string
	Err       error
	Hint      string // what to do, "" = nothing that is known
}

func (e *Error) Error() string {
	if e.Interface == "" {
		return fmt.Sprintf("capture: %v", e.Err)
	}
	return fmt.Sprintf("capture %s: %v", e.Interface, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
