// Package parquet keeps flow records in a folder of Parquet files: immutable
// hourly segments with an hourly and a daily roll-up of edges beside them.
// docs/formats/store.md describes the folder.
//
// One process writes; any number of processes read meanwhile, without a lock.
// Questions are answered by DuckDB, or by this package alone in builds without
// cgo or with the tag no_duckdb.
package parquet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
)

var (
	// ErrLocked is wrapped when another process writes into the store.
	ErrLocked = errors.New("another process writes into the store")
	// ErrNoSQL is returned by SQL in builds without DuckDB.
	ErrNoSQL = errors.New("this build has no DuckDB (built without cgo, or with the tag no_duckdb): no SQL")
)

// Options say how a store is opened. The zero value writes.
type Options struct {
	ReadOnly  bool          // needs no lock; the folder must be a store
	SealAfter time.Duration // records wait in memory no longer than this, looked at when more are written; 0 = until Flush or a full buffer
	Memory    int64         // bytes that questions may use before they spill to the disk; 0 = 1 GiB
	Threads   int           // of one question; 0 = as many as there are processors
}

const (
	// sealRecords is how many records of one hour are sealed into a segment: one row group.
	sealRecords = rowGroup
	// bufferRecords and bufferHours bound what waits in memory, about 200 bytes a
	// record. Beyond them the hour that was written longest ago is sealed.
	bufferRecords = 4 * rowGroup
	bufferHours   = 64
)

// A Store is a folder of segments.
type Store struct {
	dir  string
	opts Options
	lock *os.File

	mu         sync.Mutex // guards all below, and the folder against our own writes
	closed     bool
	hours      map[int64]*buffer // open, by start of the hour
	buffered   int               // records in them
	pend       []flowRow         // what WriteFlows hands to a buffer
	losses     []lossRow         // not yet in a segment
	next       uint64            // number of the next segment
	imports    []Imported
	ledgerSize int64
	importing  *Import // nil = none

	footers footers
	engine  engine
}

// A buffer holds the records of an hour that are not yet in a segment.
type buffer struct {
	rows   *columns[flowRow]
	opened time.Time
	tick   uint64 // number of the last write, to find the oldest
}

var _ store.Store = (*Store)(nil)

// Open opens the store in dir. Without ReadOnly the folder is made if it is
// not there, and an empty folder becomes a store. It wraps store.ErrNotStore,
// store.ErrNewer and ErrLocked.
func Open(dir string, opts Options) (*Store, error) {
	if opts.Memory == 0 {
		opts.Memory = 1 << 30
	}
	if opts.Threads == 0 {
		opts.Threads = runtime.GOMAXPROCS(0)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", dir, err)
	}
	s := &Store{dir: abs, opts: opts, hours: map[int64]*buffer{}}
	if opts.ReadOnly {
		err = checkVersion(abs)
	} else {
		err = s.openForWriting()
	}
	if err != nil {
		if s.lock != nil {
			s.lock.Close()
		}
		return nil, fmt.Errorf("store %s: %w", dir, err)
	}
	return s, nil
}

// OpenReadOnly opens the store in dir for questions.
func OpenReadOnly(dir string) (*Store, error) { return Open(dir, Options{ReadOnly: true}) }

// Dir returns the store's folder.
func (s *Store) Dir() string { return s.dir }

func (s *Store) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// ready says why a call cannot go on.
func (s *Store) ready(ctx context.Context) error {
	if s.closed {
		return store.ErrClosed
	}
	return ctx.Err()
}

func (s *Store) writable(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	if s.opts.ReadOnly {
		return fmt.Errorf("store %s: %w", s.dir, store.ErrReadOnly)
	}
	return nil
}

// WriteFlows copies b's records to the buffers of their hours. Before that it
// seals what is full or old; if that fails nothing of b was taken, and the
// call can be made again.
func (s *Store) WriteFlows(ctx context.Context, b *flow.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx); err != nil {
		return err
	}
	if err := s.seal(ctx, s.due(len(b.Records))); err != nil {
		return err
	}
	for i := 0; i < len(b.Records); {
		start := floor(b.Records[i].End, hour)
		s.pend = s.pend[:0]
		for ; i < len(b.Records) && len(s.pend) < pendRows; i++ {
			if end := b.Records[i].End; end < start || end-start >= hour {
				break
			}
			s.pend = append(s.pend, newFlowRow(&b.Records[i]))
		}
		h := s.hours[start]
		if h == nil {
			h = &buffer{opened: time.Now(), rows: newColumns[flowRow](flowLayout)}
			s.hours[start] = h
		}
		h.rows.append(s.pend)
		h.tick = s.next<<32 | uint64(s.buffered)
		s.buffered += len(s.pend)
	}
	return nil
}

// floor returns the largest multiple of step, counted from 1970, that is not
// after t.
func floor(t, step int64) int64 {
	rest := t % step
	if rest < 0 {
		rest += step
	}
	return t - rest
}

// due returns the hours to seal before n more records are taken.
func (s *Store) due(n int) []int64 {
	var due, rest []int64
	left := s.buffered
	for start, h := range s.hours {
		old := s.opts.SealAfter > 0 && time.Since(h.opened) >= s.opts.SealAfter
		if old || h.rows.rows+n > sealRecords {
			due = append(due, start)
			left -= h.rows.rows
			continue
		}
		rest = append(rest, start)
	}
	slices.SortFunc(rest, func(a, b int64) int {
		if s.hours[a].tick < s.hours[b].tick {
			return -1
		}
		return 1
	})
	for len(rest) > 0 && (left+n > bufferRecords && left > 0 || len(rest) > bufferHours) {
		due = append(due, rest[0])
		left -= s.hours[rest[0]].rows.rows
		rest = rest[1:]
	}
	slices.Sort(due)
	return due
}

// everything returns all open hours.
func (s *Store) everything() []int64 {
	all := make([]int64, 0, len(s.hours))
	for start := range s.hours {
		all = append(all, start)
	}
	slices.Sort(all)
	return all
}

// seal writes a segment for each of hours, and the losses. What could not be
// written stays in its buffer.
func (s *Store) seal(ctx context.Context, hours []int64) error {
	var imported uint64
	if s.importing != nil {
		imported = s.importing.entry.ID
	}
	for _, start := range hours {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := s.hours[start]
		n := name{hour: start, first: s.next, last: s.next, imported: imported}
		if err := s.writeSegment(n, h.rows); err != nil {
			return fmt.Errorf("store: write segment %s: %w", n, err)
		}
		s.next++
		s.buffered -= h.rows.rows
		h.rows.free()
		delete(s.hours, start)
	}
	if len(s.hours) > 0 || len(s.losses) == 0 {
		return nil
	}
	n := name{first: s.next, last: s.next, imported: imported}
	if err := s.writeLosses(n, s.losses); err != nil {
		return fmt.Errorf("store: write losses %s: %w", n, err)
	}
	s.next++
	s.losses = nil
	return nil
}

// WriteLoss keeps l until the next Flush.
func (s *Store) WriteLoss(ctx context.Context, l []flow.Loss) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx); err != nil {
		return err
	}
	for i := range l {
		s.losses = append(s.losses, newLossRow(&l[i]))
	}
	return nil
}

// Flush seals all buffers: when it returns nil, everything written is on the
// disk and visible in every process. After an error what is left can be
// flushed again.
func (s *Store) Flush(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return err
	}
	if s.opts.ReadOnly {
		return nil
	}
	return s.seal(ctx, s.everything())
}

// Close flushes, and lets another process write. An import that is not done
// stays so. After an error the store is closed all the same, and what could
// not be flushed is lost.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.ErrClosed
	}
	var err error
	if !s.opts.ReadOnly {
		err = s.seal(context.Background(), s.everything())
	}
	s.closed = true
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return errors.Join(err, s.engine.close())
}

// Stats counts what is in segments.
func (s *Store) Stats(ctx context.Context) (store.Stats, error) {
	var st store.Stats
	s.mu.Lock()
	err := s.ready(ctx)
	s.mu.Unlock()
	if err != nil {
		return st, err
	}
	l, err := s.list()
	if err != nil {
		return st, err
	}
	for _, n := range l.flows {
		if err := ctx.Err(); err != nil {
			return st, err
		}
		f, err := s.footers.get(s.path(flowsDir, n.String()+fileSuffix))
		if errors.Is(err, fs.ErrNotExist) { // merged meanwhile: count again
			return s.Stats(ctx)
		}
		if err != nil {
			st.Aside = append(st.Aside, s.setAside(flowsDir, n, err))
			continue
		}
		if st.Records == 0 {
			st.Span = flow.Span{Start: f.Start, End: f.End + 1}
		}
		st.Span.Start = min(st.Span.Start, f.Start)
		st.Span.End = max(st.Span.End, f.End+1)
		st.Records += f.Records
		st.Bytes += uint64(f.bytes)
		st.Files++
	}
	for _, n := range l.segments {
		if l.edges[n] {
			if f, err := s.footers.get(s.path(edgesDir, n.String()+fileSuffix)); err == nil {
				st.Bytes += uint64(f.bytes)
				st.Files++
			}
		}
	}
	st.Aside = append(st.Aside, l.aside...)
	return st, nil
}
