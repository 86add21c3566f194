package parquet

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"math"
	"strings"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
)

var _ store.Recorder = (*Store)(nil)

// Records yields the records of segments, hour by hour, each hour by edge: the
// order does not tell how often the hour was merged. Segments that are set
// aside are left out, as Stats says.
func (s *Store) Records(ctx context.Context, span flow.Span) iter.Seq2[flow.Record, error] {
	return func(yield func(flow.Record, error) bool) {
		s.mu.Lock()
		err := s.ready(ctx)
		s.mu.Unlock()
		if err == nil {
			err = s.records(ctx, span, func(r flow.Record) bool { return yield(r, nil) })
		}
		if err != nil {
			yield(flow.Record{}, err)
		}
	}
}

// records gives each record to yield until that returns false.
func (s *Store) records(ctx context.Context, span flow.Span, yield func(flow.Record) bool) error {
	done := int64(math.MinInt64) // the last hour that is
	for try := 0; ; {
		l, err := s.list()
		if err != nil {
			return err
		}
		for segments := range byHour(l.flows) {
			start := segments[0].hour
			if start <= done || start < floor(span.Start, hour) || span.End != 0 && start >= span.End {
				continue
			}
			going := true
			going, err = s.recordsOf(ctx, segments, span, yield)
			if !going {
				return nil
			}
			if err != nil {
				break
			}
			done, try = start, 0
		}
		// Segments that were merged and deleted meanwhile have one that took their place.
		if try++; !errors.Is(err, fs.ErrNotExist) || try == retries {
			return err
		}
	}
}

// byHour groups names, which are sorted.
func byHour(names []name) iter.Seq[[]name] {
	return func(yield func([]name) bool) {
		for i := 0; i < len(names); {
			j := i
			for j < len(names) && names[j].hour == names[i].hour {
				j++
			}
			if !yield(names[i:j:j]) {
				return
			}
			i = j
		}
	}
}

// recordsOf yields the records of one hour. An error that wraps fs.ErrNotExist
// comes before the first of them.
func (s *Store) recordsOf(ctx context.Context, segments []name, span flow.Span, yield func(flow.Record) bool) (going bool, err error) {
	var paths []string
	for _, n := range segments {
		path := s.path(flowsDir, n.String()+fileSuffix)
		if _, err := s.footers.get(path); errors.Is(err, fs.ErrNotExist) {
			return true, err
		} else if err != nil {
			s.setAside(flowsDir, n, err)
			continue
		}
		paths = append(paths, path)
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	going = true
	err = merge(inner, paths, compareRecords, func(row *flowRow) {
		if !going || !span.Contains(row.End) {
			return
		}
		if going = yield(row.owned()); !going {
			cancel() // merge looks at it now and then
		}
	})
	return going, err
}

// owned returns the record with texts of its own.
func (f *flowRow) owned() flow.Record {
	r := f.record()
	r.Observer, r.Info = strings.Clone(r.Observer), strings.Clone(r.Info)
	if d := r.Details; d != nil {
		d.JA4, d.Software = strings.Clone(d.JA4), strings.Clone(d.Software)
	}
	return r
}

// compareRecords goes on where the order of rows ends.
func compareRecords(a, b *flowRow) int {
	if c := a.compare(b); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.Slice, b.Slice), cmp.Compare(a.ClientPort, b.ClientPort))
}
