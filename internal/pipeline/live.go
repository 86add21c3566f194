package pipeline

import (
	"errors"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/meter"
	"github.com/portolan/portolan/internal/packet"
)

// A Worker meters one live source: one thread, one flow table, nothing shared.
type Worker struct {
	src   source
	table *meter.Table
	cfg   LiveConfig

	mu     sync.Mutex // guards the copies that Snapshot hands out
	counts Counts
	stats  meter.Stats
}

// LiveConfig says how a Worker meters.
type LiveConfig struct {
	Meter       meter.Config
	Sink        func(*flow.Batch) // takes records; must not wait, since packets do not
	IgnoreVLANs bool              // conversations of several VLANs are one
	Close       func()            // called once, when the worker has ended or could not be made; nil = nobody needs it
	Sampling    uint32            // meters one packet of so many, and multiplies; 0 and 1 = all
}

// tickEvery is how often a worker looks at the clock: it exports what has timed
// out and lets its counts be seen.
const tickEvery = 250 * time.Millisecond

// NewWorker returns a worker for src, whose ReadBatch returns no frames and no
// error now and then while nothing comes. Run ends it; so does Close.
func NewWorker(src source, cfg LiveConfig) (*Worker, error) {
	w := &Worker{src: src, cfg: cfg}
	var err error
	w.table, err = meter.New(cfg.Meter, func(b *flow.Batch) error {
		w.scale(b)
		cfg.Sink(b)
		return nil
	})
	if err != nil && cfg.Close != nil {
		cfg.Close()
	}
	return w, err
}

// scale multiplies the counts of sampled records.
func (w *Worker) scale(b *flow.Batch) {
	n := uint64(w.cfg.Sampling)
	if n < 2 {
		return
	}
	for i := range b.Records {
		r := &b.Records[i]
		r.Sampling = w.cfg.Sampling
		r.ToServer = flow.Counters{Packets: n * r.ToServer.Packets, Bytes: n * r.ToServer.Bytes}
		r.ToClient = flow.Counters{Packets: n * r.ToClient.Packets, Bytes: n * r.ToClient.Bytes}
	}
}

// Snapshot returns the counts of a moment ago.
func (w *Worker) Snapshot() (Counts, meter.Stats) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts, w.stats
}

// Run meters until the source ends, and exports what is left then. The error
// is the source's, but for io.EOF.
func (w *Worker) Run() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer w.Close()
	err := w.drain()
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, w.table.Flush())
}

// Close frees a worker that is not to run.
func (w *Worker) Close() {
	w.table.Close()
	if w.cfg.Close != nil {
		w.cfg.Close()
	}
}

func (w *Worker) drain() error {
	var c Counts
	frames := make([]packet.Frame, frameBatch)
	headers := make([]packet.Headers, frameBatch)
	chosen := selection{w.cfg.Sampling, w.cfg.IgnoreVLANs}
	ticked := time.Now()
	defer func() { w.publish(&c) }()
	for batches := 0; ; batches++ {
		n, err := w.src.ReadBatch(frames)
		good := c.decode(frames[:n], headers, chosen)
		if obsErr := w.table.Observe(frames[:good], headers[:good]); obsErr != nil {
			return obsErr
		}
		if err != nil {
			return err
		}
		if n > 0 && batches%16 != 0 {
			continue
		}
		now := time.Now()
		if now.Sub(ticked) < tickEvery {
			continue
		}
		// While packets come, their clock is the table's: some may wait in the
		// ring for longer than a conversation may be quiet.
		clock := c.End
		if n == 0 {
			clock = now.UnixNano()
		}
		if err := w.table.Advance(clock); err != nil {
			return err
		}
		ticked = now
		w.publish(&c)
	}
}

func (w *Worker) publish(c *Counts) {
	stats := w.table.Stats()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts, w.stats = *c, stats
}
