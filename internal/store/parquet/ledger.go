package parquet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
)

// A Source is something that is read once: a capture file.
type Source struct {
	Name        string // as the user named it
	Fingerprint string // the same for the same content
}

// A State says how far an import came.
type State string

const (
	Begun   State = "begun"   // not finished; if nobody writes now, it never will be
	Done    State = "done"    // all of it is stored
	Dropped State = "dropped" // it was begun again; its records are gone
)

// An Imported is a line of the ledger: what was read into the store.
type Imported struct {
	ID          uint64    `json:"id"`
	Name        string    `json:"name"`
	Fingerprint string    `json:"fingerprint"`
	State       State     `json:"state"`
	Time        time.Time `json:"time"` // when it came into State
	Records     uint64    `json:"records"`
}

// readLedger reads the lines of path; the last of an import counts. A line
// that a crash cut is left out; size is where it begins, or the file's size.
func readLedger(path string) (imports []Imported, size int64, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	index := map[uint64]int{}
	for number := 1; ; number++ {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			return imports, size, nil
		}
		var e Imported
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, 0, fmt.Errorf("%s: line %d: %w", path, number, err)
		}
		if i, ok := index[e.ID]; ok {
			imports[i] = e
		} else {
			index[e.ID] = len(imports)
			imports = append(imports, e)
		}
		size += int64(len(line)) + 1
		text = rest
	}
}

// note appends e to the ledger, durably.
func (s *Store) note(e Imported) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.path(ledgerFile), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Seek(s.ledgerSize, io.SeekStart)
	if err == nil {
		_, err = f.Write(append(line, '\n'))
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("store: %w", err), f.Truncate(s.ledgerSize), f.Close())
	}
	s.ledgerSize += int64(len(line)) + 1
	for i := range s.imports {
		if s.imports[i].ID == e.ID {
			s.imports[i] = e
			return f.Close()
		}
	}
	s.imports = append(s.imports, e)
	return errors.Join(f.Close(), syncDir(s.dir))
}

// Sources returns what was read into the store, in order.
func (s *Store) Sources(ctx context.Context) ([]Imported, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	imports, _, err := readLedger(s.path(ledgerFile))
	return imports, err
}

// HasSource reports whether a source with that fingerprint was read to its end,
// and when.
func (s *Store) HasSource(fingerprint string) (Imported, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	imports, _, err := readLedger(s.path(ledgerFile))
	if err != nil {
		return Imported{}, false
	}
	for i := len(imports) - 1; i >= 0; i-- {
		if imports[i].Fingerprint == fingerprint && imports[i].State == Done {
			return imports[i], true
		}
	}
	return Imported{}, false
}

// An Import writes the records of one source. What is written to the Store
// itself between Begin and Done belongs to the import too.
type Import struct {
	s     *Store
	entry Imported
}

var _ flow.Sink = (*Import)(nil)

// Begin starts to read src. Records of the same source that an earlier process
// began to read, and did not finish, are dropped. One import goes at a time.
func (s *Store) Begin(ctx context.Context, src Source) (*Import, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx); err != nil {
		return nil, err
	}
	if s.importing != nil {
		return nil, fmt.Errorf("import of %s: %s is not done", src.Name, s.importing.entry.Name)
	}
	if err := s.seal(ctx, s.everything()); err != nil { // what came before is not part of it
		return nil, err
	}
	e := Imported{ID: 1, Name: src.Name, Fingerprint: src.Fingerprint, State: Begun, Time: time.Now().UTC()}
	for _, old := range s.imports {
		e.ID = max(e.ID, old.ID+1)
		if old.Fingerprint == src.Fingerprint && old.State == Begun {
			old.State, old.Time = Dropped, e.Time
			if err := s.note(old); err != nil {
				return nil, err
			}
		}
	}
	if err := s.deleteDropped(); err != nil {
		return nil, err
	}
	if err := s.note(e); err != nil {
		return nil, err
	}
	s.importing = &Import{s: s, entry: e}
	return s.importing, nil
}

// WriteFlows takes b's records into the store.
func (i *Import) WriteFlows(ctx context.Context, b *flow.Batch) error {
	if err := i.s.WriteFlows(ctx, b); err != nil {
		return err
	}
	i.entry.Records += uint64(len(b.Records))
	return nil
}

// Done flushes and notes that the source was read to its end. A second Done
// returns store.ErrClosed.
func (i *Import) Done(ctx context.Context) error {
	s := i.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx); err != nil {
		return err
	}
	if s.importing != i {
		return store.ErrClosed
	}
	if err := s.seal(ctx, s.everything()); err != nil {
		return err
	}
	e := i.entry
	e.State, e.Time = Done, time.Now().UTC()
	if err := s.note(e); err != nil {
		return err
	}
	s.importing = nil
	return nil
}
