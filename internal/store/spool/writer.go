package spool

import (
	"context"
	"slices"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
)

// write hands to the store what waits, oldest first, until ctx is done or all
// is written and the spool is stopping.
func (s *Spool) write(ctx context.Context) {
	defer close(s.done)
	tick := time.NewTicker(s.cfg.FlushEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
			s.flush(ctx)
		default:
		}
		b, name := s.next()
		if b == nil {
			if s.isStopping() {
				s.flush(ctx)
				return
			}
			select {
			case <-s.wake:
			case <-tick.C:
				s.flush(ctx)
			case <-ctx.Done():
			}
			continue
		}
		if !s.try(ctx, func() error { return s.hand(ctx, b, name) }) {
			return
		}
		s.taken(ctx, b, name != "")
	}
}

func (s *Spool) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// hand gives b to the store. What comes from the disk has a name, and may have
// been given before by a process that was killed.
func (s *Spool) hand(ctx context.Context, b *flow.Batch, name string) error {
	if once, ok := s.store.(store.OnceWriter); ok && name != "" {
		return once.WriteOnce(ctx, name, b)
	}
	return s.store.WriteFlows(ctx, b)
}

// next returns the oldest batch that waits, and its name if it is on the disk;
// nil = none. It stays where it is until taken is called.
func (s *Spool) next() (b *flow.Batch, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.memory) > 0 {
		return s.memory[0], ""
	}
	if s.disk == nil || s.disk.records == 0 {
		return nil, ""
	}
	b, name, lost := s.disk.next()
	if lost.Count > 0 {
		s.losses = append(s.losses, lost)
		s.cfg.Log.Error("spilled flows cannot be read", "why", lost.Reason)
	}
	return b, name
}

// taken removes b, which the store has.
func (s *Spool) taken(ctx context.Context, b *flow.Batch, fromDisk bool) {
	s.mu.Lock()
	s.stats.Written += uint64(len(b.Records))
	if !fromDisk {
		s.stats.InMemory -= len(b.Records)
		s.memory[0] = nil
		s.memory = s.memory[1:]
		b.Reset()
		s.free = append(s.free, b)
		s.mu.Unlock()
		return
	}
	whole := s.disk.taken()
	s.mu.Unlock()
	// A file goes only when what was in it is durable.
	if whole && s.flush(ctx) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.disk.drop(); err != nil {
			s.cfg.Log.Error("cannot delete spilled flows", "err", err)
		}
	}
}

// try calls do until it succeeds, waiting longer each time, and reports
// whether it did.
func (s *Spool) try(ctx context.Context, do func() error) bool {
	wait := firstRetry
	for {
		err := do()
		if ctx.Err() != nil && err != nil {
			return false
		}
		s.mu.Lock()
		before := s.stats.Trouble
		s.stats.Trouble = ""
		if err != nil {
			s.stats.Trouble = err.Error()
			s.stats.Retries++
			s.shelve()
		}
		s.mu.Unlock()
		if err == nil {
			if before != "" {
				s.cfg.Log.Info("the store takes flows again")
			}
			return true
		}
		if before == "" {
			s.cfg.Log.Warn("the store takes no flows; they wait", "err", err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return false
		}
		wait = min(2*wait, slowestRetry)
	}
}

// shelve moves what waits in memory to the disk, before what is there, so that
// it outlives the process. The oldest batch stays: it is in the writer's hands.
func (s *Spool) shelve() {
	if s.disk == nil || len(s.memory) < 2 || s.disk.bytes >= s.cfg.Budget {
		return
	}
	rest := s.memory[1:]
	if err := s.disk.putFirst(rest); err != nil {
		s.cfg.Log.Error("cannot spill flows to the disk", "err", err)
		return
	}
	for _, b := range rest {
		s.stats.InMemory -= len(b.Records)
		s.stats.Spilled += uint64(len(b.Records))
	}
	s.memory = slices.Clone(s.memory[:1])
}

// flush makes durable what the store took, and gives it what was lost.
func (s *Spool) flush(ctx context.Context) bool {
	s.mu.Lock()
	if s.dropped.Count > 0 {
		s.losses = append(s.losses, s.dropped)
		s.dropped = flow.Loss{}
	}
	losses := s.losses
	s.losses = nil
	s.mu.Unlock()
	if len(losses) > 0 && !s.try(ctx, func() error { return s.store.WriteLoss(ctx, losses) }) {
		s.mu.Lock()
		s.losses = append(losses, s.losses...)
		s.mu.Unlock()
		return false
	}
	if !s.try(ctx, func() error { return s.store.Flush(ctx) }) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.disk != nil {
		if err := s.disk.mark(); err != nil {
			s.cfg.Log.Error("cannot note what the store has", "err", err)
		}
	}
	return true
}
