package ring

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/portolan/portolan/internal/packet"
)

// countEvery is after how many blocks the kernel's counters are read at the
// latest. They have 32 bits; a block of the largest size holds some 2^19
// frames.
const countEvery = 1 << 10

// A Ring is a capture that runs: memory that the kernel fills and ReadBatch
// empties. ReadBatch is for one goroutine, the rest for any.
type Ring struct {
	cfg    Config
	socket *socket
	wake   int // an eventfd: ends a wait
	mem    []byte
	link   packet.LinkType

	// Of the goroutine that reads.
	block      block
	next       int // the block that will be filled next
	held       bool
	released   uint64 // blocks
	drainUntil time.Time

	delivered atomic.Uint64

	mu       sync.Mutex
	lent     bool // ReadBatch runs, or its caller has frames of us
	stopping bool
	closed   bool
	freed    bool
	stats    Stats
	cardBase uint64 // what the card had dropped at Open
}

// Open begins to capture. An interface that is down is waited for. Errors are
// *Error, or wrap a *bpf.SyntaxError.
func Open(cfg Config) (*Ring, error) {
	rings, err := OpenGroup(cfg, 1)
	if err != nil {
		return nil, err
	}
	return rings[0], nil
}

// OpenGroup begins to capture with several rings, one for each worker. The
// kernel gives all frames of a conversation, in both directions, to the same
// ring; fragments (which have no ports) go together, but maybe elsewhere. No
// frame goes to two.
func OpenGroup(cfg Config, workers int) ([]*Ring, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, &Error{Interface: cfg.Interface, Err: err}
	}
	if workers < 1 || workers > maxWorkers {
		return nil, &Error{Interface: cfg.Interface, Err: fmt.Errorf("%d workers: must be from 1 to %d", workers, maxWorkers)}
	}
	rings := make([]*Ring, 0, workers)
	closeAll := func() {
		for _, r := range rings {
			r.Close() //nolint:errcheck // the first error says more
		}
	}
	group := -1
	for range workers {
		r, err := open(cfg, workers > 1, &group)
		if err != nil {
			closeAll()
			return nil, err
		}
		rings = append(rings, r)
	}
	for _, r := range rings {
		if err := r.socket.begin(); err != nil {
			closeAll()
			return nil, err
		}
	}
	return rings, nil
}

// open makes a ring which captures nothing before its socket's begin.
func open(cfg Config, grouped bool, group *int) (*Ring, error) {
	s, err := newSocket(cfg)
	if err != nil {
		return nil, err
	}
	r := &Ring{cfg: cfg, socket: s, wake: -1, link: s.link}
	if err := r.setUp(grouped, group); err != nil {
		r.Close() //nolint:errcheck // the first error says more
		return nil, err
	}
	return r, nil
}

func (r *Ring) setUp(grouped bool, group *int) (err error) {
	if r.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return r.socket.fail("eventfd", err)
	}
	if r.mem, err = r.socket.ring(); err != nil {
		return err
	}
	r.cardBase = cardDrops(r.socket.index)
	if err := r.socket.bind(); err != nil {
		return err
	}
	if !grouped {
		return nil
	}
	return r.socket.join(group)
}

// Link returns how frames begin.
func (r *Ring) Link() packet.LinkType { return r.link }

// ReadBatch fills dst with the next frames and returns how many; it waits for
// the first. Frames point into the ring: they are valid until the next call
// and must not be changed. It returns 0 and no error when there was nothing
// for Config.Idle: time to look at the clock.
//
// The error is io.EOF after Stop, os.ErrClosed after Close, else an *Error
// that stays; it wraps ErrGone if the interface is no more. An interface that
// is set down is no error: its frames go on when it is up again.
func (r *Ring) ReadBatch(dst []packet.Frame) (int, error) {
	if len(dst) == 0 {
		return 0, nil
	}
	if !r.enter() {
		return 0, os.ErrClosed
	}
	if r.block.left == 0 {
		r.release()
	}
	n, err := r.read(dst)
	r.delivered.Add(uint64(n))
	if n == 0 && r.leave() {
		return 0, os.ErrClosed
	}
	return n, err
}

// enter begins a ReadBatch. It reports false if the ring is closed.
func (r *Ring) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		r.free() //nolint:errcheck // nobody could do anything about it
		return false
	}
	r.lent = true
	return true
}

// leave ends a ReadBatch that lends nothing. It reports whether the ring has
// been closed.
func (r *Ring) leave() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lent = false
	if r.closed {
		r.free() //nolint:errcheck // nobody could do anything about it
	}
	return r.closed
}

func (r *Ring) read(dst []packet.Frame) (int, error) {
	deadline := time.Time{}
	for {
		if n := r.take(dst); n > 0 {
			return n, nil
		}
		stopping, closed := r.state()
		switch {
		case closed:
			return 0, os.ErrClosed
		case stopping && r.drained():
			return 0, io.EOF
		case stopping:
			r.socket.poll(-1, time.Millisecond) //nolint:errcheck // what is wrong with the interface matters no more
			continue
		case deadline.IsZero():
			deadline = time.Now().Add(r.cfg.Idle)
		}
		left := time.Until(deadline)
		if left <= 0 {
			return 0, r.look()
		}
		if err := r.socket.poll(r.wake, left); errors.Is(err, unix.ENETDOWN) {
			r.wentDown()
			if err := r.look(); err != nil {
				return 0, err
			}
		} else if err != nil {
			return 0, r.socket.fail("poll", err)
		}
	}
}

// take hands out what is in the ring.
func (r *Ring) take(dst []packet.Frame) int {
	if r.block.left == 0 {
		if !r.block.open(r.mem[r.next*r.cfg.BlockSize:][:r.cfg.BlockSize:r.cfg.BlockSize]) {
			return 0
		}
		r.held = true
		r.next = (r.next + 1) % r.cfg.Blocks
	}
	n := r.block.take(dst, r.link, r.cfg.Iface)
	if n == 0 {
		r.release() // an empty block
	}
	return n
}

// release gives the block that has been read back to the kernel.
func (r *Ring) release() {
	if !r.held {
		return
	}
	r.block.release()
	r.held = false
	if r.released++; r.released%countEvery == 0 {
		r.mu.Lock()
		r.count()
		r.mu.Unlock()
	}
}

func (r *Ring) state() (stopping, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopping, r.closed
}

// drained reports whether all that the kernel captured before Stop has been
// handed out.
func (r *Ring) drained() bool {
	if r.drainUntil.IsZero() {
		// The kernel closes a block that is not full after two timeouts at
		// the most.
		r.drainUntil = time.Now().Add(3 * r.cfg.Timeout)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count()
	return r.stats.Packets == r.delivered.Load()+r.stats.Drops || time.Now().After(r.drainUntil)
}

// wentDown notes that the interface was set down.
func (r *Ring) wentDown() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Downs++
	r.stats.Down = true
}

// look sees how the interface is, if it was down.
func (r *Ring) look() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stats.Down {
		return nil
	}
	switch exists, up := r.socket.interfaceState(); {
	case !exists:
		return &Error{r.cfg.Interface, ErrGone, "it was deleted, or moved to a container"}
	case up:
		r.stats.Down = false
	}
	return nil
}

// Stats returns what was counted so far, after Close what was counted until
// then.
func (r *Ring) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.freed {
		r.count()
		if now := cardDrops(r.socket.index); now > r.cardBase {
			r.stats.Card = now - r.cardBase
		}
		if r.stats.Down {
			_, up := r.socket.interfaceState()
			r.stats.Down = !up
		}
	}
	s := r.stats
	s.Delivered = r.delivered.Load()
	return s
}

// count adds what the kernel counted since the last time.
func (r *Ring) count() {
	if s, err := unix.GetsockoptTpacketStatsV3(r.socket.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		r.stats.Packets += uint64(s.Packets) // drops included
		r.stats.Drops += uint64(s.Drops)
		r.stats.Freezes += uint64(s.Freeze_q_cnt)
	}
}

// Stop ends the capture: ReadBatch hands out what the kernel captured before,
// then returns io.EOF.
func (r *Ring) Stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.stopping {
		return nil
	}
	r.stopping = true
	return errors.Join(r.socket.refuse(), r.wakeUp())
}

// Close ends the capture and frees the ring, at once if no frame is lent, else
// at the next ReadBatch. It ends a ReadBatch that waits.
func (r *Ring) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	if r.lent {
		return r.wakeUp()
	}
	return r.free()
}

// wakeUp wakes the goroutine that reads.
func (r *Ring) wakeUp() error {
	_, err := unix.Write(r.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	return err
}

// free gives everything back.
func (r *Ring) free() error {
	if r.freed {
		return nil
	}
	if r.mem != nil {
		r.count()
	}
	r.freed = true
	var errs []error
	if r.mem != nil {
		errs = append(errs, unix.Munmap(r.mem))
	}
	if r.wake >= 0 {
		errs = append(errs, unix.Close(r.wake))
	}
	r.mem, r.block = nil, block{}
	return errors.Join(append(errs, unix.Close(r.socket.fd))...)
}
