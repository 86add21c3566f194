// Package clickhouse keeps flow records in ClickHouse, on one server or on the
// shards of a cluster. It speaks the native protocol.
//
// Records go into table flows; materialized views roll them up by hour and by
// day, for each observer. Answers come from the roll-ups where these hold all
// that a question looks at, and are the same as from the records.
//
// Writes are blocks of records with a token. A block whose answer was lost is
// written again with the same token: what the server has of it already, it
// leaves out, in the roll-ups too. So nothing counts twice.
package clickhouse

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	nativedriver "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

// A Store is a store.Store in ClickHouse. Any number of processes may write
// and ask at the same time. Records wait in memory until there are enough for
// a block, or until Flush.
type Store struct {
	config  Config
	shape   layout
	db      nativedriver.Conn
	servers []server // of the cluster; none without one
	nonce   string   // begins the tokens of this store's blocks
	closed  atomic.Bool

	settings driver.Settings // of INSERTs; never changed

	write  sync.Mutex // held while blocks are written
	blocks uint64     // tokens given; under write

	mu      sync.Mutex // guards what waits
	records []flow.Record
	texts   int // bytes of text in records
	losses  []flow.Loss
	sealed  []block // cut from records and losses, oldest first
}

var _ store.Store = (*Store)(nil)

// Records are written when this many wait, or texts of this many bytes.
// 64 Ki records are some 10 MB on their way.
const (
	blockRecords = 1 << 16
	blockTexts   = 16 << 20
)

// WriteFlows takes b's records. If enough wait already, it writes these first;
// if that fails, it takes nothing of b.
func (s *Store) WriteFlows(ctx context.Context, b *flow.Batch) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	full := len(s.records) >= blockRecords || s.texts >= blockTexts || len(s.sealed) > 0
	s.mu.Unlock()
	if full {
		if err := s.Flush(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = slices.Grow(s.records, len(b.Records))
	for _, r := range b.Records {
		r = kept(r)
		s.texts += textBytes(&r)
		s.records = append(s.records, r)
	}
	return nil
}

// WriteLoss takes l. It is written with the next records, or by Flush.
func (s *Store) WriteLoss(ctx context.Context, l []flow.Loss) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, loss := range l {
		loss.Observer, loss.Where = query.Text(loss.Observer), query.Text(loss.Where)
		loss.Reason, loss.Unit = query.Text(loss.Reason), query.Text(loss.Unit)
		loss.Count = min(loss.Count, most)
		s.losses = append(s.losses, loss)
	}
	return nil
}

// WriteOnce writes b's records at once, under a name: if records were written
// under that name before, by any process, nothing happens. The server knows
// the last ten thousand blocks of a table. b must be the same each time.
func (s *Store) WriteOnce(ctx context.Context, name string, b *flow.Batch) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	records := make([]flow.Record, 0, len(b.Records))
	for _, r := range b.Records {
		records = append(records, kept(r))
	}
	s.write.Lock()
	defer s.write.Unlock()
	return s.send(ctx, cutFlows(records, func(n int) string { return token(name, n) }))
}

// Flush writes all that waits. After an error what was not written still
// waits, and the next Flush or WriteFlows tries again.
func (s *Store) Flush(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	return s.flush(ctx)
}

func (s *Store) flush(ctx context.Context) error {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	next := func(int) string { s.blocks++; return token(s.nonce, int(s.blocks)) }
	s.sealed = append(s.sealed, cutFlows(s.records, next)...)
	s.sealed = append(s.sealed, cutLosses(s.losses, next)...)
	s.records, s.texts, s.losses = nil, 0, nil
	sealed := s.sealed
	s.mu.Unlock()
	for len(sealed) > 0 {
		if err := s.send(ctx, sealed[:1]); err != nil {
			return err
		}
		sealed = sealed[1:]
		s.mu.Lock()
		s.sealed = sealed
		s.mu.Unlock()
	}
	return nil
}

// Close writes what waits, and disconnects. What could not be written is lost;
// the error says so.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return store.ErrClosed
	}
	return errors.Join(s.flush(context.Background()), s.disconnect())
}

// ready says why a call cannot go on.
func (s *Store) ready(ctx context.Context) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	return ctx.Err()
}

// writable says why a call cannot write.
func (s *Store) writable(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	if s.config.ReadOnly {
		return store.ErrReadOnly
	}
	return nil
}

// failed returns the error of a call: that of the context if it is done.
func (s *Store) failed(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	// The connection has the context's deadline, and may notice it first.
	if end, ok := ctx.Deadline(); ok && errors.Is(err, os.ErrDeadlineExceeded) && !time.Now().Before(end) {
		return context.DeadlineExceeded
	}
	return s.config.explain(err)
}
