package parquet

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const day = 24 * hour

// A dayFiles is the visible segments of one UTC day.
type dayFiles struct {
	start    int64
	segments []name
	whole    bool // each has its hourly roll-up
}

// days groups the segments of l, which are sorted.
func (l *listing) days() (days []dayFiles) {
	for _, n := range l.segments {
		start := floor(n.hour, day)
		if len(days) == 0 || days[len(days)-1].start != start {
			days = append(days, dayFiles{start: start, whole: true})
		}
		d := &days[len(days)-1]
		d.segments = append(d.segments, n)
		d.whole = d.whole && l.edges[n]
	}
	return days
}

// file returns the name of the day's roll-up. It holds a hash of the names of
// all segments in it: when a segment is added, merged or dropped, the roll-up
// is no longer found, and the hourly ones answer until the next is made.
func (d *dayFiles) file() string {
	h := fnv.New128a()
	for _, n := range d.segments {
		fmt.Fprintln(h, n)
	}
	return fmt.Sprintf("%s-%x%s", time.Unix(0, d.start).UTC().Format("20060102"), h.Sum(nil), fileSuffix)
}

// rollUpDays makes the roll-ups of all days but the latest, and deletes those
// that were made from other segments.
func (s *Store) rollUpDays(ctx context.Context) error {
	l, err := s.list()
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	days := l.days()
	for i, d := range days {
		wanted[d.file()] = true
		if !d.whole || i == len(days)-1 || exists(s.path(daysDir, d.file())) {
			continue
		}
		if err := s.rollUpDay(ctx, &d); err != nil {
			return fmt.Errorf("store: roll up %s: %w", d.file(), err)
		}
	}
	entries, err := os.ReadDir(s.path(daysDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), fileSuffix) && !wanted[e.Name()] {
			if err := os.Remove(s.path(daysDir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func (s *Store) rollUpDay(ctx context.Context, d *dayFiles) error {
	var info facts
	paths := make([]string, len(d.segments))
	for i, n := range d.segments {
		paths[i] = s.path(edgesDir, n.String()+fileSuffix)
		f, err := s.footers.get(paths[i])
		if err != nil {
			return err
		}
		info.merge(f)
	}
	out, err := create[edgeRow](filepath.Join(s.dir, daysDir, d.file()), edgeLayout)
	if err != nil {
		return err
	}
	var edge edgeRow
	started := false
	err = merge(ctx, paths, (*edgeRow).compareEdge, func(e *edgeRow) {
		if started && edge.compareEdge(e) == 0 {
			edge.add(e)
			return
		}
		if started {
			out.add(&edge)
		}
		edge, started = *e, true
		edge.From = d.start
	})
	if err != nil {
		return errors.Join(err, out.f.Close(), os.Remove(out.path+tmpSuffix))
	}
	if started {
		out.add(&edge)
	}
	if err := out.finish(&info); err != nil {
		return err
	}
	return out.commit()
}
