package memory

import (
	"context"
	"iter"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

var _ store.Recorder = (*Store)(nil)

// Records yields the records that were there when the loop began, in the order
// in which they were written.
func (s *Store) Records(ctx context.Context, span flow.Span) iter.Seq2[flow.Record, error] {
	return func(yield func(flow.Record, error) bool) {
		s.mu.RLock()
		records, err := s.records, s.ready(ctx)
		s.mu.RUnlock()
		if err != nil {
			yield(flow.Record{}, err)
			return
		}
		for i := range records {
			if i%contextInterval == 0 && ctx.Err() != nil {
				yield(flow.Record{}, ctx.Err())
				return
			}
			if r := records[i]; span.Contains(r.End) {
				r.Details = keptDetails(r.Details)
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// keptDetails returns d as stores keep it.
func keptDetails(d *flow.Details) *flow.Details {
	if d == nil {
		return nil
	}
	kept := flow.Details{TLSVersion: d.TLSVersion, JA4: query.Text(d.JA4), Software: query.Text(d.Software)}
	if kept == (flow.Details{}) {
		return nil
	}
	return &kept
}
