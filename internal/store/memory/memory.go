// Package memory keeps flow records in the memory of the process. It is for
// small captures, and the oracle for every other store: it answers by the
// words of query.Row and query.Expr alone.
package memory

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

// A Store holds records until it is closed. The zero value is empty and ready.
type Store struct {
	mu      sync.RWMutex
	records []flow.Record // only ever appended to: readers keep a prefix
	losses  []flow.Loss
	span    flow.Span
	closed  bool
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store { return new(Store) }

// WriteFlows copies b's records. Readers see them at once.
func (s *Store) WriteFlows(ctx context.Context, b *flow.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return err
	}
	s.records = slices.Grow(s.records, len(b.Records))
	for _, r := range b.Records {
		r.Observer, r.Info = query.Text(r.Observer), query.Text(r.Info)
		if len(s.records) == 0 {
			s.span = flow.Span{Start: r.Start, End: r.End + 1}
		}
		s.span.Start = min(s.span.Start, r.Start)
		s.span.End = max(s.span.End, r.End+1)
		s.records = append(s.records, r)
	}
	return nil
}

// WriteLoss copies l.
func (s *Store) WriteLoss(ctx context.Context, l []flow.Loss) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return err
	}
	for _, loss := range l {
		loss.Observer, loss.Where = query.Text(loss.Observer), query.Text(loss.Where)
		loss.Reason, loss.Unit = query.Text(loss.Reason), query.Text(loss.Unit)
		s.losses = append(s.losses, loss)
	}
	return nil
}

// Flush has nothing to do.
func (s *Store) Flush(ctx context.Context) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.ready(ctx)
}

// Top answers q from what is there when the loop begins.
func (s *Store) Top(ctx context.Context, q query.Query) iter.Seq2[query.Row, error] {
	return func(yield func(query.Row, error) bool) {
		s.mu.RLock()
		records, err := s.records, s.ready(ctx)
		s.mu.RUnlock()
		if err == nil {
			err = q.Check()
		}
		var rows []query.Row
		if err == nil {
			rows, err = answer(ctx, records, &q)
		}
		if err != nil {
			yield(query.Row{}, err)
			return
		}
		for _, row := range rows {
			if err := ctx.Err(); err != nil {
				yield(query.Row{}, err)
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// Losses yields what was lost in span.
func (s *Store) Losses(ctx context.Context, span flow.Span) iter.Seq2[flow.Loss, error] {
	return func(yield func(flow.Loss, error) bool) {
		s.mu.RLock()
		losses, err := slices.Clone(s.losses), s.ready(ctx)
		s.mu.RUnlock()
		if err != nil {
			yield(flow.Loss{}, err)
			return
		}
		slices.SortFunc(losses, store.CompareLoss)
		for _, l := range losses {
			if store.LossIn(&l, span) && !yield(l, nil) {
				return
			}
		}
	}
}

// Stats counts the records.
func (s *Store) Stats(ctx context.Context) (store.Stats, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return store.Stats{}, err
	}
	return store.Stats{Records: uint64(len(s.records)), Span: s.span}, nil
}

// Close lets go of the records.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.ErrClosed
	}
	s.records, s.losses, s.span, s.closed = nil, nil, flow.Span{}, true
	return nil
}

// ready says why a call cannot go on.
func (s *Store) ready(ctx context.Context) error {
	if s.closed {
		return store.ErrClosed
	}
	return ctx.Err()
}
