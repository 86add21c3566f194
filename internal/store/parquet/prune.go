package parquet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/portolan/portolan/internal/store"
)

var _ store.Pruner = (*Store)(nil)

// Prune forgets what p allows, oldest first: records of hours that ended before
// p.Raw, whose sums stay until their day ended before p.RollUp, and losses as
// old as these; then, above p.Size, more of the oldest records, and then of the
// oldest sums. Sums never go before their records. What is not yet in a
// segment, imports that are not done, and, whatever its size, the latest hour
// stay. It is safe to stop it at any moment.
func (s *Store) Prune(ctx context.Context, p store.Policy, now time.Time) (store.Pruned, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx); err != nil {
		return store.Pruned{}, err
	}
	run := pruning{store: s, policy: p, now: now, open: map[uint64]bool{}}
	for _, e := range s.imports {
		run.open[e.ID] = e.State != Done
	}
	for _, step := range []func(context.Context) error{run.losses, run.measure, run.records, run.sums} {
		if err := step(ctx); err != nil {
			return run.done, fmt.Errorf("store: prune: %w", err)
		}
	}
	return run.done, nil
}

// A pruning is one call of Prune.
type pruning struct {
	store  *Store
	policy store.Policy
	now    time.Time
	open   map[uint64]bool // imports that are not done
	size   uint64          // bytes of all files
	done   store.Pruned
}

func (r *pruning) old(age time.Duration, end int64) bool {
	return age > 0 && end <= r.now.Add(-age).UnixNano()
}

func (r *pruning) large() bool { return r.policy.Size > 0 && r.size > r.policy.Size }

// freed counts files that went.
func (r *pruning) freed(bytes uint64) {
	r.done.Parts++
	r.done.Bytes += bytes
	r.size -= min(r.size, bytes)
}

// measure adds up what lies in the folder.
func (r *pruning) measure(context.Context) error {
	for _, d := range subDirs {
		entries, err := os.ReadDir(r.store.path(d))
		if err != nil {
			return err
		}
		for _, e := range entries {
			r.size += fileSize(r.store.path(d, e.Name()))
		}
	}
	return nil
}

// fileSize returns the bytes of a file, 0 if it is not there.
func fileSize(path string) uint64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return uint64(info.Size())
}

// records lets records go, and keeps their sums.
func (r *pruning) records(ctx context.Context) error {
	l, err := r.store.list()
	if err != nil {
		return err
	}
	for _, n := range l.segments {
		if err := ctx.Err(); err != nil {
			return err
		}
		end, latest := n.hour+hour, l.segments[len(l.segments)-1].hour
		unfinished := l.pruned[n] && exists(r.store.path(flowsDir, n.String()+fileSuffix))
		if r.open[n.imported] || l.pruned[n] && !unfinished ||
			!unfinished && !r.old(r.policy.Raw, end) && (!r.large() || n.hour == latest) {
			continue
		}
		info, err := r.store.footers.get(r.store.path(flowsDir, n.String()+fileSuffix))
		if err != nil {
			continue // a damaged file is set aside by those who read it
		}
		bytes, err := r.store.pruneSegment(ctx, n)
		if err != nil {
			return fmt.Errorf("%s: %w", n, err)
		}
		r.freed(bytes)
		r.done.Records += info.Records
		if t := time.Unix(0, end).UTC(); t.After(r.done.Before) {
			r.done.Before = t
		}
	}
	return nil
}

// pruneSegment deletes the records of n. That its sums go on counting is said,
// durably, before. It returns the bytes that were freed.
func (s *Store) pruneSegment(ctx context.Context, n name) (bytes uint64, err error) {
	if _, err := s.footers.get(s.path(edgesDir, n.String()+fileSuffix)); err != nil {
		old := n // its sums are lost or damaged: make them anew
		if err := s.mergeFlows(ctx, []name{old}); err != nil {
			return 0, err
		}
		n = merged([]name{old})
	}
	if bytes, err = s.removeHidden(n); err != nil {
		return bytes, err
	}
	f, err := os.Create(s.path(prunedDir, n.String()))
	if err != nil {
		return bytes, err
	}
	if err := errors.Join(f.Close(), syncDir(s.path(prunedDir))); err != nil {
		return bytes, err
	}
	path := s.path(flowsDir, n.String()+fileSuffix)
	size := fileSize(path)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return bytes, err
	}
	s.footers.forget(path)
	return bytes + size, nil
}

// removeHidden deletes what n was made from, which would count again without n.
func (s *Store) removeHidden(n name) (bytes uint64, err error) {
	names, err := s.names(flowsDir)
	if err != nil {
		return 0, err
	}
	for _, o := range names {
		if n.hides(o) {
			bytes += s.segmentSize(o)
			if err := s.remove(flowsDir, o); err != nil {
				return bytes, err
			}
		}
	}
	return bytes, nil
}

// segmentSize returns the bytes of a segment and its roll-up.
func (s *Store) segmentSize(n name) uint64 {
	return fileSize(s.path(flowsDir, n.String()+fileSuffix)) + fileSize(s.path(edgesDir, n.String()+fileSuffix))
}

// sums lets sums go whose records went: by age those of whole days, so that no
// day is rolled up anew for each of its hours.
func (r *pruning) sums(ctx context.Context) error {
	l, err := r.store.list()
	if err != nil {
		return err
	}
	for _, d := range l.days() {
		rollUp := r.store.path(daysDir, d.file())
		for _, n := range d.segments {
			if err := ctx.Err(); err != nil {
				return err
			}
			if r.open[n.imported] || !l.pruned[n] || !r.old(r.policy.RollUp, d.start+day) && !r.large() {
				continue
			}
			bytes, err := r.store.removeHidden(n)
			if err != nil {
				return err
			}
			bytes += r.store.segmentSize(n) + fileSize(rollUp) // which no longer counts
			if err := r.store.remove(flowsDir, n); err != nil {
				return fmt.Errorf("%s: %w", n, err)
			}
			if err := os.Remove(rollUp); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			r.freed(bytes)
		}
	}
	return nil
}

// losses lets losses go. A file that holds newer ones, too, is written anew
// without the old, but not before these are a day too old.
func (r *pruning) losses(ctx context.Context) error {
	l, err := r.store.list()
	if err != nil || r.policy.RollUp == 0 {
		return err
	}
	for _, n := range l.losses {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.open[n.imported] {
			continue
		}
		if err := r.pruneLosses(n); err != nil {
			return fmt.Errorf("losses %s: %w", n, err)
		}
	}
	return nil
}

func (r *pruning) pruneLosses(n name) error {
	path := r.store.path(lossesDir, n.String()+fileSuffix)
	if _, err := r.store.footers.get(path); err != nil {
		return nil //nolint:nilerr // a damaged file is set aside by those who read it
	}
	var kept []lossRow
	due := false
	err := rows(path, func(l *lossRow) bool {
		due = due || r.old(r.policy.RollUp, l.End+day)
		if !r.old(r.policy.RollUp, l.End) {
			kept = append(kept, *l)
		}
		return true
	})
	if err != nil || !due && len(kept) > 0 {
		return err
	}
	if len(kept) > 0 {
		return r.store.writeLosses(merged([]name{n}), kept) // hides n
	}
	names, err := r.store.names(lossesDir)
	if err != nil {
		return err
	}
	for _, o := range names {
		if n.hides(o) {
			if err := r.store.remove(lossesDir, o); err != nil {
				return err
			}
		}
	}
	r.freed(fileSize(path))
	return r.store.remove(lossesDir, n)
}
