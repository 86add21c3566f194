package parquet

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/portolan/portolan/internal/store"
)

var _ store.Pruner = (*Store)(nil)

// Prune forgets what p allows, oldest first: records of hours that ended before
// p.Raw, whose hourly sums stay until p.RollUp; then, above p.Size, more of the
// oldest records, and then of the oldest sums. What is not yet in a segment,
// and imports that are not done, stay. It is safe to stop it at any moment.
func (s *Store) Prune(ctx context.Context, p store.Policy, now time.Time) (store.Pruned, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var done store.Pruned
	if err := s.writable(ctx); err != nil {
		return done, err
	}
	l, err := s.list()
	if err != nil {
		return done, err
	}
	size := s.size(&l)
	open := map[uint64]bool{}
	for _, e := range s.imports {
		open[e.ID] = e.State != Done
	}
	for _, step := range []struct {
		age  time.Duration
		what func(name) (store.Pruned, error)
	}{{p.Raw, s.emptySegment}, {p.RollUp, s.dropSegment}} {
		for _, n := range l.flows {
			if err := ctx.Err(); err != nil {
				return done, err
			}
			old := step.age > 0 && n.hour+hour <= now.Add(-step.age).UnixNano()
			if open[n.imported] || !old && (p.Size == 0 || size <= p.Size) {
				continue
			}
			part, err := step.what(n)
			if err != nil {
				return done, fmt.Errorf("store: prune %s: %w", n, err)
			}
			size -= min(size, part.Bytes)
			done.Records += part.Records
			done.Parts += part.Parts
			done.Bytes += part.Bytes
			if end := time.Unix(0, n.hour+hour).UTC(); part.Records > 0 && end.After(done.Before) {
				done.Before = end
			}
		}
	}
	return done, nil
}

// size returns the bytes of all files that count.
func (s *Store) size(l *listing) (bytes uint64) {
	for _, n := range l.flows {
		for _, dir := range []string{flowsDir, edgesDir} {
			bytes += fileSize(s.path(dir, n.String()+fileSuffix))
		}
	}
	return bytes
}

// fileSize returns the bytes of a file, 0 if it is not there.
func fileSize(path string) uint64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return uint64(info.Size())
}

// emptySegment puts a segment without rows in the place of n, so that n's
// roll-up, and that of its day, go on counting.
func (s *Store) emptySegment(n name) (store.Pruned, error) {
	path := s.path(flowsDir, n.String()+fileSuffix)
	info, err := s.footers.get(path)
	if err != nil || info.Pruned {
		return store.Pruned{}, nil //nolint:nilerr // a damaged file is set aside by those who read it
	}
	before := fileSize(path)
	f, err := create[flowRow](path, flowLayout)
	if err != nil {
		return store.Pruned{}, err
	}
	if err := f.finish(&facts{Start: info.Start, End: info.End, Observers: info.Observers, Pruned: true}); err != nil {
		return store.Pruned{}, err
	}
	if err := f.commit(); err != nil {
		return store.Pruned{}, err
	}
	s.footers.forget(path)
	return store.Pruned{Records: info.Records, Parts: 1, Bytes: before - min(before, fileSize(path))}, nil
}

// dropSegment deletes n and its roll-up. Its day's roll-up no longer counts.
func (s *Store) dropSegment(n name) (store.Pruned, error) {
	var done store.Pruned
	path := s.path(flowsDir, n.String()+fileSuffix)
	if info, err := s.footers.get(path); err == nil {
		done.Records = info.Records
	}
	done.Parts = 1
	done.Bytes = fileSize(path) + fileSize(s.path(edgesDir, n.String()+fileSuffix))
	err := s.remove(flowsDir, n)
	s.footers.forget(path)
	return done, err
}
