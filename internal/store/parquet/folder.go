package parquet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/portolan/portolan/internal/store"
)

// formatVersion is the version of the folder's layout and of the files' columns.
const formatVersion = 1

// What lies in the folder.
const (
	versionFile = "portolan-store.json"
	lockFile    = "lock"
	ledgerFile  = "sources.jsonl"
	flowsDir    = "flows"
	edgesDir    = "edges"
	daysDir     = "days"
	lossesDir   = "losses"
	prunedDir   = "pruned"
)

var subDirs = []string{flowsDir, edgesDir, daysDir, lossesDir, prunedDir}

// A versionNote is the content of versionFile.
type versionNote struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Created time.Time `json:"created"`
}

const formatName = "portolan-store"

// checkVersion says why dir cannot be read as a store.
func checkVersion(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, versionFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(dir); err != nil {
			return err
		}
		return fmt.Errorf("%w: it holds no %s", store.ErrNotStore, versionFile)
	}
	if err != nil {
		return err
	}
	var v versionNote
	if err := json.Unmarshal(text, &v); err != nil || v.Format != formatName || v.Version < 1 {
		return fmt.Errorf("%w: %s is not ours", store.ErrNotStore, versionFile)
	}
	if v.Version > formatVersion {
		return fmt.Errorf("%w: version %d, this one knows up to %d", store.ErrNewer, v.Version, formatVersion)
	}
	return nil
}

// openForWriting makes or checks the folder, locks it, and cleans up after a
// writer that was killed.
func (s *Store) openForWriting() error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	_, err := os.Stat(s.path(versionFile))
	fresh := errors.Is(err, fs.ErrNotExist)
	if fresh {
		err = mayBecomeStore(s.dir)
	} else if err == nil {
		err = checkVersion(s.dir)
	}
	if err != nil {
		return err
	}
	if s.lock, err = lock(s.path(lockFile)); err != nil {
		return err
	}
	for _, d := range subDirs {
		if err := os.MkdirAll(s.path(d), 0o755); err != nil {
			return err
		}
	}
	if fresh {
		if err := s.writeVersion(); err != nil {
			return err
		}
	}
	if s.imports, s.ledgerSize, err = readLedger(s.path(ledgerFile)); err != nil {
		return err
	}
	if err := s.clean(); err != nil {
		return err
	}
	for _, d := range []string{flowsDir, lossesDir} {
		names, err := s.names(d)
		if err != nil {
			return err
		}
		for _, n := range names {
			s.next = max(s.next, n.last)
		}
	}
	s.next++
	return nil
}

// mayBecomeStore refuses a folder that holds anything but what a writer that
// was killed in its first moment leaves.
func mayBecomeStore(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		n := e.Name()
		if n != lockFile && n != versionFile+tmpSuffix && !slices.Contains(subDirs, n) {
			return fmt.Errorf("%w: it holds other files (%s)", store.ErrNotStore, n)
		}
	}
	return nil
}

func (s *Store) writeVersion() error {
	text, err := json.Marshal(versionNote{formatName, formatVersion, time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	path := s.path(versionFile)
	f, err := os.Create(path + tmpSuffix)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+tmpSuffix, path); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// clean deletes what a killed writer left: half-written files, roll-ups
// without their segment, and what was hidden or dropped but not yet deleted.
func (s *Store) clean() error {
	for _, d := range subDirs {
		entries, err := os.ReadDir(s.path(d))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), tmpSuffix) {
				if err := os.Remove(s.path(d, e.Name())); err != nil {
					return err
				}
			}
		}
	}
	if err := s.deleteDropped(); err != nil {
		return err
	}
	if err := s.deleteHidden(); err != nil {
		return err
	}
	flows, err := s.names(flowsDir)
	if err != nil {
		return err
	}
	edges, _, err := readNames(s.path(edgesDir))
	if err != nil {
		return err
	}
	for _, n := range edges {
		if !slices.Contains(flows, n) {
			if err := os.Remove(s.path(edgesDir, n.String()+fileSuffix)); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteDropped deletes the segments of dropped imports.
func (s *Store) deleteDropped() error {
	dropped := droppedIDs(s.imports)
	if len(dropped) == 0 {
		return nil
	}
	return s.deleteNames(func(n name, _ string) bool { return dropped[n.imported] })
}

// grace is how long a segment stays after a merged one has taken its place, so
// that a reader that lists the folder at that moment misses neither.
const grace = time.Minute

// deleteHidden deletes segments that were merged long enough ago.
func (s *Store) deleteHidden() error {
	for _, d := range []string{flowsDir, lossesDir} {
		names, err := s.names(d)
		if err != nil {
			return err
		}
		shown, hidden := visible(names)
		for _, n := range hidden {
			for _, m := range shown {
				if !m.hides(n) {
					continue
				}
				info, err := os.Stat(s.path(d, m.String()+fileSuffix))
				if d == flowsDir && errors.Is(err, fs.ErrNotExist) {
					info, err = os.Stat(s.path(prunedDir, m.String()))
				}
				if err != nil || time.Since(info.ModTime()) < grace {
					continue
				}
				if err := s.remove(d, n); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

func (s *Store) deleteNames(gone func(n name, dir string) bool) error {
	for _, d := range []string{flowsDir, lossesDir} {
		names, err := s.names(d)
		if err != nil {
			return err
		}
		for _, n := range names {
			if gone(n, d) {
				if err := s.remove(d, n); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// remove deletes a segment, what says that it was pruned, and then its roll-up.
func (s *Store) remove(dir string, n name) error {
	paths := []string{s.path(dir, n.String()+fileSuffix)}
	if dir == flowsDir {
		paths = append(paths, s.path(prunedDir, n.String()), s.path(edgesDir, n.String()+fileSuffix))
	}
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		s.footers.forget(path)
	}
	return nil
}

func droppedIDs(imports []Imported) map[uint64]bool {
	dropped := map[uint64]bool{}
	for _, e := range imports {
		if e.State == Dropped {
			dropped[e.ID] = true
		}
	}
	return dropped
}

// readNames returns the segments in dir, sorted by hour and number, and what
// else ends like one or was set aside.
func readNames(dir string) (names []name, aside []store.Aside, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) { // a reader that comes before the writer's first moment ends
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		file := filepath.Join(filepath.Base(dir), e.Name())
		n, ok := parseName(e.Name())
		switch {
		case ok:
			names = append(names, n)
		case strings.HasSuffix(e.Name(), fileSuffix):
			aside = append(aside, store.Aside{File: file, Why: "not named like a segment"})
		case strings.HasSuffix(e.Name(), badSuffix):
			aside = append(aside, store.Aside{File: file, Why: "set aside before: could not be read"})
		}
	}
	slices.SortFunc(names, name.compare)
	return names, aside, nil
}

// names returns the segments in dir, sorted, with those of flowsDir that were
// pruned.
func (s *Store) names(dir string) ([]name, error) {
	names, _, err := readNames(s.path(dir))
	if err != nil || dir != flowsDir {
		return names, err
	}
	pruned, err := readPruned(s.path(prunedDir))
	return union(names, pruned), err
}

// union returns the names of both, sorted.
func union(a, b []name) []name {
	all := slices.Concat(a, b)
	slices.SortFunc(all, name.compare)
	return slices.Compact(all)
}

// readPruned returns the segments whose records went.
func readPruned(dir string) (names []name, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) { // made by a writer that could not prune
		return nil, nil
	}
	for _, e := range entries {
		if n, ok := parseName(e.Name() + fileSuffix); ok {
			names = append(names, n)
		}
	}
	return names, err
}

// A listing is what a reader sees of the folder.
type listing struct {
	segments []name        // by hour
	flows    []name        // those that were not pruned
	pruned   map[name]bool // those that were
	edges    map[name]bool // roll-ups that are there
	losses   []name
	aside    []store.Aside
}

// list reads the folder. What is made before a segment comes or goes is listed
// after segments: roll-ups, and what says that a segment was pruned.
func (s *Store) list() (listing, error) {
	var l listing
	imports, _, err := readLedger(s.path(ledgerFile))
	if err != nil {
		return l, fmt.Errorf("store: %w", err)
	}
	dropped := droppedIDs(imports)
	read := func(dir string) []name {
		names, aside, readErr := readNames(s.path(dir))
		if err == nil {
			err = readErr
		}
		l.aside = append(l.aside, aside...)
		names = slices.DeleteFunc(names, func(n name) bool { return dropped[n.imported] })
		return names
	}
	flows := read(flowsDir)
	pruned, prunedErr := readPruned(s.path(prunedDir))
	if err == nil {
		err = prunedErr
	}
	pruned = slices.DeleteFunc(pruned, func(n name) bool { return dropped[n.imported] })
	l.segments, _ = visible(union(flows, pruned))
	l.pruned = make(map[name]bool, len(pruned))
	for _, n := range pruned {
		l.pruned[n] = true
	}
	for _, n := range l.segments {
		if !l.pruned[n] {
			l.flows = append(l.flows, n)
		}
	}
	l.losses, _ = visible(read(lossesDir))
	edges := read(edgesDir)
	l.edges = make(map[name]bool, len(edges))
	for _, n := range edges {
		l.edges[n] = true
	}
	if err != nil {
		return l, fmt.Errorf("store: %w", err)
	}
	return l, nil
}

// setAside renames a file that cannot be read, if this process may write, and
// says why.
func (s *Store) setAside(dir string, n name, why error) store.Aside {
	file := n.String() + fileSuffix
	if !s.opts.ReadOnly {
		if os.Rename(s.path(dir, file), s.path(dir, file+badSuffix)) == nil {
			return store.Aside{File: filepath.Join(dir, file+badSuffix), Why: why.Error()}
		}
	}
	return store.Aside{File: filepath.Join(dir, file), Why: why.Error()}
}

// Footers remember what the footers of files say: files never change.
type footers struct {
	mu    sync.Mutex
	known map[string]*facts
}

func (c *footers) get(path string) (*facts, error) {
	c.mu.Lock()
	f := c.known[path]
	c.mu.Unlock()
	if f != nil {
		return f, nil
	}
	f, err := readFacts(path)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[string]*facts{}
	}
	c.known[path] = f
	return f, nil
}

// forget is called when the file at path was deleted.
func (c *footers) forget(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, path)
}
