package host

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// LearnedFile is what a file of learned names is called, beside the flows.
const LearnedFile = "names.csv"

// maxLearned is how many names are kept; later ones of other addresses are
// left out, and counted.
const maxLearned = 1 << 18

// Learned are names of addresses that traffic told: answers of DNS. The zero
// value is ready; any number of goroutines may use it.
type Learned struct {
	mu      sync.Mutex
	names   map[netip.Addr]learned
	leftOut uint64
	changed bool
}

type learned struct {
	name string
	at   int64 // ns since 1970 UTC
}

// See takes that a was called name at a time, ns since 1970 UTC. The latest
// name of an address counts.
func (l *Learned) See(a netip.Addr, name string, at int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a = key(a)
	old, known := l.names[a]
	switch {
	case known && (old.at > at || old.at == at && old.name >= name):
		return
	case !known && len(l.names) >= maxLearned:
		l.leftOut++
		return
	case l.names == nil:
		l.names = map[netip.Addr]learned{}
	}
	l.names[a] = learned{name, at}
	l.changed = l.changed || old.name != name
}

// LeftOut returns how many names found no room.
func (l *Learned) LeftOut() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leftOut
}

// Save adds the names to the file at path, which Names.ReadFile reads; it makes
// the folder if there is none. It does nothing if there is nothing new.
func (l *Learned) Save(path string) error {
	l.mu.Lock()
	changed := l.changed
	l.changed = false
	l.mu.Unlock()
	if !changed {
		return nil
	}
	if err := l.load(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := l.write(path); err != nil {
		l.mu.Lock()
		l.changed = true
		l.mu.Unlock()
		return err
	}
	return nil
}

// load takes what an earlier process saved.
func (l *Learned) load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReader(f))
	r.FieldsPerRecord = 4
	rows, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, row := range rows[min(1, len(rows)):] {
		a, err := netip.ParseAddr(row[0])
		at, timeErr := time.Parse(time.RFC3339Nano, row[3])
		if err := errors.Join(err, timeErr); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		l.See(a, row[1], at.UnixNano())
	}
	return nil
}

func (l *Learned) write(path string) error {
	l.mu.Lock()
	rows := [][]string{{"address", "name", "kind", "seen"}}
	addrs := make([]netip.Addr, 0, len(l.names))
	for a := range l.names {
		addrs = append(addrs, a)
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	for _, a := range addrs {
		n := l.names[a]
		rows = append(rows, []string{a.String(), n.name, "", time.Unix(0, n.at).UTC().Format(time.RFC3339Nano)})
	}
	l.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return saveRows(path, rows)
}
