package daemon

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/portolan/portolan/internal/capture/ring"
	"github.com/portolan/portolan/internal/packet"
	"github.com/portolan/portolan/internal/pipeline"
)

// reopenEvery is how often a daemon looks for an interface that is gone.
const reopenEvery = time.Second

// An iface is one interface that is captured, with a worker a ring. When it is
// deleted and comes back under the same name, capture goes on.
type iface struct {
	ring    ring.Config
	workers int
	newLive func() (pipeline.LiveConfig, error)
	log     *slog.Logger
	quit    chan struct{} // closed to end

	mu      sync.Mutex
	rings   []*ring.Ring
	running []*pipeline.Worker
	gone    bool
	past    Source // counts of rings and workers that have ended
	rate    rate

	// What became data already, and when; of the daemon's goroutine.
	lossSeen Source
	lossAt   time.Time
}

// open opens the rings, and makes a worker for each.
func (f *iface) open() error {
	rings, err := ring.OpenGroup(f.ring, f.workers)
	if err != nil {
		return err
	}
	workers := make([]*pipeline.Worker, len(rings))
	for i := range rings {
		live, err := f.newLive()
		if err == nil {
			workers[i], err = pipeline.NewWorker(rings[i], live)
		}
		if err != nil {
			for _, w := range workers[:i] {
				w.Close()
			}
			for _, r := range rings {
				err = errors.Join(err, r.Close())
			}
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rings, f.running, f.gone = rings, workers, false
	return nil
}

// run captures until stop. open was called before.
func (f *iface) run() {
	for {
		err := f.capture()
		if f.stopped() {
			return
		}
		f.log.Error("capture ended; waiting for the interface", "err", err)
		for {
			select {
			case <-f.quit:
				return
			case <-time.After(reopenEvery):
			}
			err := f.open()
			if f.stopped() { // maybe before open had rings that stop could end
				f.stopRings() //nolint:errcheck // as capture ends them, too
			}
			if err == nil {
				f.log.Info("capture goes on")
				break
			}
			f.log.Debug("cannot capture yet", "err", err)
		}
	}
}

// capture runs the workers until all have ended, and returns why.
func (f *iface) capture() error {
	errs := make([]error, len(f.running))
	var all sync.WaitGroup
	for i, w := range f.running {
		all.Go(func() { errs[i] = w.Run() })
	}
	all.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rings {
		errs = append(errs, r.Close())
	}
	f.past = f.sum()
	f.past.Live = 0
	f.rings, f.running, f.gone = nil, nil, true
	return errors.Join(errs...)
}

func (f *iface) stopped() bool {
	select {
	case <-f.quit:
		return true
	default:
		return false
	}
}

// stop lets the workers take what the kernel has captured, and end.
func (f *iface) stop() error {
	close(f.quit)
	return f.stopRings()
}

func (f *iface) stopRings() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, r := range f.rings {
		errs = append(errs, r.Stop())
	}
	return errors.Join(errs...)
}

// status returns the counts so far.
func (f *iface) status() Source {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.sum()
	f.rate.update(&s)
	return s
}

func (f *iface) sum() Source {
	s := f.past
	s.Interface, s.Workers, s.State = f.ring.Interface, f.workers, "up"
	s.Undecoded = map[string]uint64{}
	for reason, n := range f.past.Undecoded {
		s.Undecoded[reason] = n
	}
	if f.gone {
		s.State = "gone"
	}
	for i, w := range f.running {
		// The worker first: what it took, the ring has counted.
		counts, stats := w.Snapshot()
		k := f.rings[i].Stats()
		s.Kernel, s.Drops, s.Freezes = s.Kernel+k.Packets, s.Drops+k.Drops, s.Freezes+k.Freezes
		if i == 0 { // these are the interface's, not the ring's
			s.Card, s.Downs = s.Card+k.Card, s.Downs+k.Downs
		}
		if k.Down {
			s.State = "down"
		}
		s.Frames, s.Decoded, s.Unsampled = s.Frames+counts.Frames, s.Decoded+counts.Decoded, s.Unsampled+counts.Unsampled
		s.Bytes += counts.Bytes
		for reason, n := range counts.Undecoded {
			switch r := packet.Reason(reason); {
			case n == 0:
			case r == packet.NonIP:
				s.NotIP += n
			default:
				s.Undecoded[r.String()] += n
			}
		}
		s.Flows, s.Live, s.Records = s.Flows+stats.Created, s.Live+stats.Live, s.Records+stats.Exported
		s.Early, s.Unidentified = s.Early+stats.Early, s.Unidentified+stats.Unidentified
	}
	return s
}

// A rate is how fast counts grow, over the last seconds.
type rate struct {
	at             time.Time
	packets, bytes uint64
	perSecond      [2]float64
}

// rateSpan is how long counts grow before a rate is told anew.
const rateSpan = 2 * time.Second

func (r *rate) update(s *Source) {
	now := time.Now()
	if d := now.Sub(r.at); d >= rateSpan {
		if !r.at.IsZero() {
			r.perSecond = [2]float64{float64(s.Frames-r.packets) / d.Seconds(), float64(s.Bytes-r.bytes) / d.Seconds()}
		}
		r.at, r.packets, r.bytes = now, s.Frames, s.Bytes
	}
	s.PacketRate, s.ByteRate = r.perSecond[0], r.perSecond[1]
}
