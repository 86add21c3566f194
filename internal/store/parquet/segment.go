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
	flows     *file[flowRow]
	edges     *file[edgeRow]
	hour      int64
	edge      edgeRow // of the rows so far that are neighbours
	last      flowRow
	facts     facts
	hasEdge   bool
	edgeFacts facts
}

func (s *Store) createSegment(n name) (*segment, error) {
	flows, err := create[flowRow](s.path(flowsDir, n.String()+fileSuffix))
	if err != nil {
		return nil, err
	}
	edges, err := create[edgeRow](s.path(edgesDir, n.String()+fileSuffix))
	if err != nil {
		return nil, errors.Join(err, flows.f.Close(), os.Remove(flows.path+tmpSuffix))
	}
	return &segment{flows: flows, edges: edges, hour: n.hour}, nil
}

// add takes a row; rows come in the order of flowRow.compare.
func (s *segment) add(row *flowRow) {
	s.facts.see(row.Start, row.End, row.Observer, 1)
	s.flows.add(row)
	e := newEdgeRow(row, s.hour)
	if s.hasEdge && row.compareEdge(&s.last) == 0 {
		s.edge.add(&e)
		return
	}
	if s.hasEdge {
		s.edges.add(&s.edge)
	}
	s.edge, s.last, s.hasEdge = e, *row, true
}

// commit makes the segment visible: the roll-up first, so that it is there
// when the segment is.
func (s *segment) commit() error {
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

// writeSegment writes rows, which it sorts.
func (s *Store) writeSegment(n name, rows []flowRow) error {
	order := make([]*flowRow, len(rows))
	for i := range rows {
		order[i] = &rows[i]
	}
	slices.SortFunc(order, (*flowRow).compare)
	seg, err := s.createSegment(n)
	if err != nil {
		return err
	}
	for _, row := range order {
		seg.add(row)
	}
	return seg.commit()
}

func (s *Store) writeLosses(n name, losses []lossRow) error {
	f, err := create[lossRow](s.path(lossesDir, n.String()+fileSuffix))
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
