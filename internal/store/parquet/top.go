package parquet

import (
	"context"
	"errors"
	"io/fs"
	"iter"

	"github.com/portolan/portolan/internal/query"
)

// Top answers q from what is in segments when the loop begins.
func (s *Store) Top(ctx context.Context, q query.Query) iter.Seq2[query.Row, error] {
	return func(yield func(query.Row, error) bool) {
		s.mu.Lock()
		err := s.ready(ctx)
		s.mu.Unlock()
		if err == nil {
			err = q.Check()
		}
		yielded := false
		for range retries {
			if err != nil {
				break
			}
			var l listing
			if l, err = s.list(); err != nil {
				break
			}
			var p plan
			var going bool
			if p, err = s.plan(&l, &q); err == nil {
				going, err = s.answer(ctx, &p, &q, func(r query.Row) bool {
					yielded = true
					return yield(r, nil)
				})
			}
			if err == nil || !going {
				return
			}
			if ctx.Err() != nil || yielded || !s.vanished(&p, err) {
				break
			}
			err = nil // files were merged meanwhile: look again
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(query.Row{}, err)
		}
	}
}

// vanished reports whether a file that p needs is no longer there.
func (s *Store) vanished(p *plan, err error) bool {
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	for _, files := range [][]string{p.flows, p.edges, p.days} {
		for _, f := range files {
			if !exists(f) {
				return true
			}
		}
	}
	return false
}
