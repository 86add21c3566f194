// Package spool is a queue before a store: what a store cannot take now waits
// in memory, then on the disk within a budget, and is counted as lost beyond
// that. Order is kept.
//
//	Put -> memory -> disk -+-> writer -> store
//
// What is on the disk outlives the process: the next spool in the same folder
// writes it first.
package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
)

// ErrLocked is wrapped when another process uses the folder.
var ErrLocked = errors.New("another process uses this spool")

// A Config says how a spool works. The zero value keeps nothing on the disk.
type Config struct {
	Dir        string        // where batches wait when memory is full; "" = nowhere. Of this spool alone
	Budget     int64         // bytes on the disk
	Memory     int           // records in memory; 0 = 65,536
	FlushEvery time.Duration // how often the store makes durable what it took; 0 = 10 s
	Log        *slog.Logger  // nil = silence
}

const (
	defaultMemory     = 1 << 16
	defaultFlushEvery = 10 * time.Second
	firstRetry        = 100 * time.Millisecond
	slowestRetry      = 5 * time.Second
	maxLosses         = 4096 // entries that wait; more are added to the last
)

// Stats says how a spool stands.
type Stats struct {
	Taken    uint64        `json:"taken"`             // records given to Put
	Written  uint64        `json:"written"`           // records the store took
	Dropped  uint64        `json:"dropped"`           // records lost because the budget was used up
	InMemory int           `json:"inMemory"`          // records that wait in memory
	OnDisk   uint64        `json:"onDisk"`            // records that wait on the disk
	Bytes    int64         `json:"bytes"`             // that these take
	Spilled  uint64        `json:"spilled"`           // records that went over the disk since the start
	Retries  uint64        `json:"retries"`           // calls of the store that failed
	Trouble  string        `json:"trouble,omitempty"` // why the store takes nothing now; "" = it does
	Lag      time.Duration `json:"lag"`               // age of the oldest record that waits, by its End
}

// A Spool is a flow.Sink that never blocks and never fails. Put, WriteFlows,
// WriteLoss and Stats may be called by any number of goroutines.
type Spool struct {
	cfg   Config
	store store.Store

	mu       sync.Mutex // guards all below
	memory   []*flow.Batch
	free     []*flow.Batch
	disk     *disk // nil = none
	losses   []flow.Loss
	stats    Stats
	dropped  flow.Loss // not yet among losses
	stopping bool

	wake chan struct{} // something to write, or to stop
	done chan struct{} // the writer has ended
	quit context.CancelFunc
}

// Open starts a spool before s. From now on the spool alone writes into s; the
// caller ends it with Close, and closes s afterwards.
func Open(s store.Store, cfg Config) (*Spool, error) {
	if cfg.Memory == 0 {
		cfg.Memory = defaultMemory
	}
	if cfg.FlushEvery == 0 {
		cfg.FlushEvery = defaultFlushEvery
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	sp := &Spool{cfg: cfg, store: s, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if cfg.Dir != "" {
		var err error
		if sp.disk, err = openDisk(cfg.Dir); err != nil {
			return nil, fmt.Errorf("spool: %w", err)
		}
		if n := sp.disk.records; n > 0 {
			cfg.Log.Info("flows of an earlier run wait on the disk", "records", n, "bytes", sp.disk.bytes)
		}
	}
	ctx, quit := context.WithCancel(context.Background())
	sp.quit = quit
	go sp.write(ctx)
	return sp, nil
}

// WriteFlows takes a copy of b. It never waits; the error is always nil.
func (s *Spool) WriteFlows(_ context.Context, b *flow.Batch) error {
	s.Put(b)
	return nil
}

// Put takes a copy of b: to memory if the store keeps up, else to the disk.
// What has no room there is counted as lost.
func (s *Spool) Put(b *flow.Batch) {
	if len(b.Records) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Taken += uint64(len(b.Records))
	toDisk := s.disk != nil && (s.disk.records > 0 || s.stats.Trouble != "" || s.full())
	switch {
	case toDisk && s.spill(b):
	case toDisk, s.full():
		s.drop(b)
	default:
		s.memory = append(s.memory, s.copy(b))
		s.stats.InMemory += len(b.Records)
	}
	s.signal()
}

func (s *Spool) full() bool { return s.stats.InMemory >= s.cfg.Memory }

// spill puts b on the disk and reports whether there was room.
func (s *Spool) spill(b *flow.Batch) bool {
	if s.disk.bytes >= s.cfg.Budget {
		return false
	}
	if err := s.disk.put(b); err != nil {
		s.cfg.Log.Error("cannot spill flows to the disk", "err", err)
		return false
	}
	s.stats.Spilled += uint64(len(b.Records))
	return true
}

// drop counts b as lost.
func (s *Spool) drop(b *flow.Batch) {
	if s.dropped.Count == 0 {
		s.dropped = flow.Loss{Where: "store", Reason: "store too slow, and the disk's budget used up", Unit: "flows"}
		if s.disk == nil {
			s.dropped.Reason = "store too slow, and nothing may wait on the disk"
		}
		s.dropped.Span.Start = b.Records[0].Start
		s.cfg.Log.Error("flows are lost", "why", s.dropped.Reason)
	}
	for i := range b.Records {
		r := &b.Records[i]
		s.dropped.Span.Start = min(s.dropped.Span.Start, r.Start)
		s.dropped.Span.End = max(s.dropped.Span.End, r.End+1)
	}
	s.dropped.Count += uint64(len(b.Records))
	s.stats.Dropped += uint64(len(b.Records))
}

func (s *Spool) copy(b *flow.Batch) *flow.Batch {
	var c *flow.Batch
	if n := len(s.free); n > 0 {
		c, s.free = s.free[n-1], s.free[:n-1]
	} else {
		c = new(flow.Batch)
	}
	c.Records = append(c.Records, b.Records...)
	return c
}

// WriteLoss keeps l until the store takes it.
func (s *Spool) WriteLoss(l ...flow.Loss) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range l {
		if n := len(s.losses); n >= maxLosses && s.losses[n-1].Unit == l[i].Unit {
			s.losses[n-1].Count += l[i].Count
			s.losses[n-1].Span.End = max(s.losses[n-1].Span.End, l[i].Span.End)
			continue
		}
		s.losses = append(s.losses, l[i])
	}
}

// Stats says how the spool stands.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	oldest := int64(0)
	if s.disk != nil {
		st.OnDisk, st.Bytes, oldest = s.disk.records, s.disk.bytes, s.disk.oldest()
	}
	if len(s.memory) > 0 {
		oldest = s.memory[0].Records[0].End
	}
	if oldest > 0 {
		st.Lag = max(0, time.Since(time.Unix(0, oldest)))
	}
	return st
}

func (s *Spool) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Close lets the store take what waits until ctx is done, and puts the rest on
// the disk for the next run. What finds no room there is an error.
func (s *Spool) Close(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	s.signal()
	stop := context.AfterFunc(ctx, s.quit)
	<-s.done
	stop()
	s.quit()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep()
}

// keep puts what is left in memory on the disk, before what is there.
func (s *Spool) keep() error {
	left := s.memory
	s.memory, s.stats.InMemory = nil, 0
	if s.disk == nil {
		n := 0
		for _, b := range left {
			n += len(b.Records)
		}
		if n > 0 {
			return fmt.Errorf("spool: %d records are lost: the store did not take them: %s", n, s.stats.Trouble)
		}
		return nil
	}
	return errors.Join(s.disk.putFirst(left), s.disk.close())
}
