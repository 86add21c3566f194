package parquet

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"slices"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
)

// A segment is a segment and its roll-up that are being written.
type segment struct {
	flows   *file[flowRow]
	edges   *file[edgeRow]
	hour    int64
	facts   facts
	edge    edgeRow // of the last rows, which more may belong to
	hasEdge bool

	pend []flowRow         // of add
	rows *columns[flowRow] // of add; nil = none
}

func (s *Store) createSegment(n name) (*segment, error) {
	flows, err := create[flowRow](s.path(flowsDir, n.String()+fileSuffix), flowLayout)
	if err != nil {
		return nil, err
	}
	edges, err := create[edgeRow](s.path(edgesDir, n.String()+fileSuffix), edgeLayout)
	if err != nil {
		return nil, errors.Join(err, flows.f.Close(), os.Remove(flows.path+tmpSuffix))
	}
	return &segment{flows: flows, edges: edges, hour: n.hour}, nil
}

// add takes a row; rows come in the order of flowRow.compare.
func (s *segment) add(row *flowRow) {
	if s.pend = append(s.pend, *row); len(s.pend) < pendRows {
		return
	}
	s.drain()
	if s.rows.rows+pendRows > rowGroup {
		s.group(s.rows)
		s.rows.reset()
	}
}

func (s *segment) drain() {
	if s.rows == nil {
		s.rows = newColumns[flowRow](flowLayout)
	}
	s.rows.append(s.pend)
	s.pend = s.pend[:0]
}

// group takes rows that are settled and in order.
func (s *segment) group(rows *columns[flowRow]) {
	rows.settle()
	s.facts.take(rows)
	s.rollUp(rows)
	s.flows.group(rows)
}

// rollUp makes one row of neighbours of the same edge.
func (s *segment) rollUp(rows *columns[flowRow]) {
	same := sameEdge(rows)
	for i := 0; i < rows.rows; {
		e := edgeOf(rows, i, s.hour)
		for i++; i < rows.rows && same(i); i++ {
			part := edgeOf(rows, i, s.hour)
			e.add(&part)
		}
		if s.hasEdge {
			if s.edge.compareEdge(&e) == 0 { // went on from the rows before
				s.edge.add(&e)
				continue
			}
			s.edges.add(&s.edge)
		}
		s.edge, s.hasEdge = e, true
	}
}

// commit makes the segment visible: the roll-up first, so that it is there
// when the segment is.
func (s *segment) commit() error {
	if s.rows != nil || len(s.pend) > 0 {
		s.drain()
		s.group(s.rows)
		s.rows.free()
	}
	if s.hasEdge {
		s.edges.add(&s.edge)
	}
	if err := s.edges.finish(&s.facts); err != nil {
		return errors.Join(err, s.flows.f.Close(), os.Remove(s.flows.path+tmpSuffix))
	}
	if err := s.flows.finish(&s.facts); err != nil {
		s.edges.discard()
		return err
	}
	if err := s.edges.commit(); err != nil {
		s.flows.discard()
		return err
	}
	if err := s.flows.commit(); err != nil {
		return errors.Join(err, os.Remove(s.edges.path))
	}
	return nil
}

// abort removes what was written.
func (s *segment) abort() error {
	return errors.Join(
		s.flows.f.Close(), os.Remove(s.flows.path+tmpSuffix),
		s.edges.f.Close(), os.Remove(s.edges.path+tmpSuffix))
}

// writeSegment writes rows, which it settles and sorts.
func (s *Store) writeSegment(n name, rows *columns[flowRow]) error {
	rows.settle()
	sortRows(rows)
	seg, err := s.createSegment(n)
	if err != nil {
		return err
	}
	seg.group(rows)
	return seg.commit()
}

func (s *Store) writeLosses(n name, losses []lossRow) error {
	f, err := create[lossRow](s.path(lossesDir, n.String()+fileSuffix), lossLayout)
	if err != nil {
		return err
	}
	for i := range losses {
		f.add(&losses[i])
	}
	if err := f.finish(&facts{}); err != nil {
		return err
	}
	return f.commit()
}

// Losses yields what was lost in span.
func (s *Store) Losses(ctx context.Context, span flow.Span) iter.Seq2[flow.Loss, error] {
	return func(yield func(flow.Loss, error) bool) {
		s.mu.Lock()
		err := s.ready(ctx)
		s.mu.Unlock()
		var losses []flow.Loss
		if err == nil {
			losses, err = s.readLosses(ctx, span)
		}
		if err != nil {
			yield(flow.Loss{}, err)
			return
		}
		slices.SortFunc(losses, store.CompareLoss)
		for _, l := range losses {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// retries is how often a question is asked again when files that it had listed
// were merged and deleted meanwhile.
const retries = 5

func (s *Store) readLosses(ctx context.Context, span flow.Span) (losses []flow.Loss, err error) {
	for range retries {
		losses = losses[:0]
		var l listing
		if l, err = s.list(); err != nil {
			return nil, err
		}
		for _, n := range l.losses {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			path := s.path(lossesDir, n.String()+fileSuffix)
			if _, bad := s.footers.get(path); bad != nil && !errors.Is(bad, fs.ErrNotExist) {
				s.setAside(lossesDir, n, bad)
				continue
			}
			err = rows(path, func(row *lossRow) bool {
				if loss := row.loss(); store.LossIn(&loss, span) {
					losses = append(losses, loss)
				}
				return true
			})
			if err != nil {
				break
			}
		}
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return losses, err
}
