package parquet

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

const (
	// enoughRecords is when a segment is large enough to stay as it is.
	enoughRecords = rowGroup * 3 / 4
	// openHourSegments is how many segments the latest hour, which still grows,
	// must have to be merged.
	openHourSegments = 16
	// mergeWidth bounds the files that are open in a merge.
	mergeWidth = 64
)

// Compact merges small segments of an hour into one, rolls up days that are
// over, and deletes what was merged before and no reader needs any more.
// Segments of an import that is not done stay apart. It is safe to stop it at any moment.
func (s *Store) Compact(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx); err != nil {
		return err
	}
	if err := s.deleteHidden(); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	l, err := s.list()
	if err != nil {
		return err
	}
	open := map[uint64]bool{}
	for _, e := range s.imports {
		open[e.ID] = e.State != Done
	}
	for _, run := range s.runs(l.flows, open) {
		if err := s.mergeFlows(ctx, run); err != nil {
			return fmt.Errorf("store: merge %d segments from %s: %w", len(run), run[0], err)
		}
	}
	var losses []name
	for _, n := range l.losses {
		if open[n.imported] {
			break
		}
		losses = append(losses, n)
	}
	if len(losses) >= openHourSegments {
		if err := s.mergeLosses(losses); err != nil {
			return fmt.Errorf("store: merge losses: %w", err)
		}
	}
	return s.rollUpDays(ctx)
}

// runs returns the groups of neighbours in names that are worth to merge.
func (s *Store) runs(names []name, open map[uint64]bool) (runs [][]name) {
	var run []name
	end := func() {
		latest := len(run) > 0 && run[0].hour == names[len(names)-1].hour
		if len(run) > 1 && (!latest || len(run) >= openHourSegments) {
			runs = append(runs, run)
		}
		run = nil
	}
	for _, n := range names {
		if len(run) > 0 && run[0].hour != n.hour || len(run) == mergeWidth {
			end()
		}
		f, err := s.footers.get(s.path(flowsDir, n.String()+fileSuffix))
		if err != nil || open[n.imported] || f.Records >= enoughRecords {
			end()
			continue
		}
		run = append(run, n)
	}
	end()
	return runs
}

// merged is the name that takes the place of run.
func merged(run []name) name {
	m := name{hour: run[0].hour, first: run[0].first, last: run[0].last}
	for _, n := range run {
		m.first, m.last = min(m.first, n.first), max(m.last, n.last)
		m.generation = max(m.generation, n.generation)
	}
	m.generation++
	return m
}

// A head is the next row of a file that is being merged.
type head[T any] struct {
	row  *T
	next func() (*T, bool)
	err  *error
}

// merge hands the rows of sorted files to each, in order.
func merge[T any](ctx context.Context, paths []string, compare func(a, b *T) int, each func(*T)) error {
	heads := make([]head[T], 0, len(paths))
	for _, path := range paths {
		readErr := new(error)
		next, stop := iter.Pull(func(yield func(*T) bool) { *readErr = rows(path, yield) })
		defer stop()
		row, ok := next()
		if *readErr != nil {
			return *readErr
		}
		if ok {
			heads = append(heads, head[T]{row, next, readErr})
		}
	}
	for count := 0; len(heads) > 0; count++ {
		first := 0
		for i := 1; i < len(heads); i++ {
			if compare(heads[i].row, heads[first].row) < 0 {
				first = i
			}
		}
		h := &heads[first]
		each(h.row)
		var ok bool
		if h.row, ok = h.next(); !ok {
			if *h.err != nil {
				return *h.err
			}
			heads = append(heads[:first], heads[first+1:]...)
		}
		if count%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (s *Store) mergeFlows(ctx context.Context, run []name) error {
	paths := make([]string, len(run))
	for i, n := range run {
		paths[i] = s.path(flowsDir, n.String()+fileSuffix)
	}
	seg, err := s.createSegment(merged(run))
	if err != nil {
		return err
	}
	if err := merge(ctx, paths, (*flowRow).compare, seg.add); err != nil {
		return errors.Join(err, seg.abort())
	}
	return seg.commit()
}

func (s *Store) mergeLosses(run []name) error {
	var all []lossRow
	for _, n := range run {
		err := rows(s.path(lossesDir, n.String()+fileSuffix), func(l *lossRow) bool {
			all = append(all, *l)
			return true
		})
		if err != nil {
			return err
		}
	}
	return s.writeLosses(merged(run), all)
}
