package parquet

import (
	"errors"
	"io/fs"

	"github.com/portolan/portolan/internal/query"
)

// A plan says which files answer a question.
type plan struct {
	flows, edges, days []string // paths
	observers          int      // in these files; 2 = two or more
}

// plan chooses the files for q: the daily roll-up of whole days, the hourly
// one of whole hours, segments for the rest.
func (s *Store) plan(l *listing, q *query.Query) (plan, error) {
	var p plan
	seen := facts{}
	hourly := query.OnEdges(q.Filter) && int64(q.Step)%hour == 0
	segments := l.segments
	if hourly && int64(q.Step)%day == 0 {
		segments = nil
		for _, d := range l.days() {
			path := s.path(daysDir, d.file())
			f, err := s.footers.get(path)
			whole := d.start >= q.Span.Start && (q.Span.End == 0 || d.start+day <= q.Span.End)
			// The largest over several observers is taken for each hour: a day cannot tell.
			if err == nil && whole && (len(f.Observers) == 1 || q.Dims().Has(query.Observer)) {
				seen.merge(f)
				p.days = append(p.days, path)
				continue
			}
			segments = append(segments, d.segments...)
		}
	}
	for _, n := range segments {
		from, to := n.hour, n.hour+hour
		if to <= q.Span.Start || q.Span.End != 0 && from >= q.Span.End {
			continue
		}
		path := s.path(flowsDir, n.String()+fileSuffix)
		whole := from >= q.Span.Start && (q.Span.End == 0 || to <= q.Span.End)
		if hourly && whole && l.edges[n] {
			edge := s.path(edgesDir, n.String()+fileSuffix)
			if f, err := s.footers.get(edge); err == nil {
				seen.merge(f)
				p.edges = append(p.edges, edge)
				continue
			}
		}
		if l.pruned[n] {
			continue
		}
		f, err := s.footers.get(path)
		if errors.Is(err, fs.ErrNotExist) {
			return p, err
		}
		if err != nil {
			s.setAside(flowsDir, n, err)
			continue
		}
		seen.merge(f)
		p.flows = append(p.flows, path)
	}
	p.observers = len(seen.Observers)
	return p, nil
}

// merge takes o into f.
func (f *facts) merge(o *facts) {
	for i, observer := range o.Observers {
		records := uint64(0)
		if i == 0 {
			records = o.Records
		}
		f.see(o.Start, o.End, observer, records)
	}
}
