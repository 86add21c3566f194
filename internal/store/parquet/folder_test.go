package parquet

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
	"net/netip"
)

// noon is when records of the tests begin.
var noon = time.Date(2026, time.January, 15, 12, 0, 0, 0, time.UTC).UnixNano()

// record returns the conversation id, which ends after noon.
func record(id uint64, after int64) flow.Record {
	return flow.Record{
		Key: flow.Key{
			Client: netip.MustParseAddr("10.0.0.1").As16(), Server: netip.MustParseAddr("2001:db8::2").As16(),
			ClientPort: 50000, ServerPort: 443, Proto: flow.TCP,
		},
		ID: id, Start: noon + after, End: noon + after,
		ToServer: flow.Counters{Packets: 1, Bytes: 100}, Observer: "eth0",
	}
}

func createStore(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func write(t *testing.T, sink flow.Sink, records ...flow.Record) {
	t.Helper()
	if err := sink.WriteFlows(t.Context(), &flow.Batch{Records: records}); err != nil {
		t.Fatal(err)
	}
}

func flush(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// packets returns the packets of all records.
func packets(t *testing.T, s *Store) (n uint64) {
	t.Helper()
	for row, err := range s.Top(t.Context(), query.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n += row.Packets()
	}
	return n
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign")
	if err := os.MkdirAll(filepath.Join(foreign, "photos"), 0o755); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer")
	createStore(t, newer).Close()
	text, _ := json.Marshal(versionNote{Format: formatName, Version: 2})
	if err := os.WriteFile(filepath.Join(newer, versionFile), text, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		if _, err := Open(foreign, Options{ReadOnly: readOnly}); !errors.Is(err, store.ErrNotStore) {
			t.Errorf("foreign: got %v", err)
		}
		if _, err := Open(newer, Options{ReadOnly: readOnly}); !errors.Is(err, store.ErrNewer) {
			t.Errorf("newer: got %v", err)
		}
	}
	if _, err := OpenReadOnly(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("none: got %v", err)
	}
	if _, err := Open("/proc/none", Options{}); err == nil {
		t.Error("a folder that cannot be made was opened")
	}
}

func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	s := createStore(t, dir)
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "process ") {
		t.Errorf("got %v", err)
	}
	write(t, s, record(1, 0))
	flush(t, s)
	reader, err := OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if n := packets(t, reader); n != 1 {
		t.Errorf("the reader sees %d packets", n)
	}
	if err := reader.WriteFlows(t.Context(), &flow.Batch{}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("got %v", err)
	}
	s.Close()
	createStore(t, dir)
}

func TestImportIsDroppedWhenItBeginsAgain(t *testing.T) {
	dir := t.TempDir()
	s := createStore(t, dir)
	write(t, s, record(1, 0))
	src := Source{Name: "a.pcap", Fingerprint: "aa"}
	imp, err := s.Begin(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	write(t, imp, record(2, 0), record(3, hour))
	if err := s.WriteLoss(t.Context(), []flow.Loss{{Count: 1}}); err != nil {
		t.Fatal(err)
	}
	s.Close()

	s = createStore(t, dir)
	if _, ok := s.HasSource("aa"); ok || packets(t, s) != 3 {
		t.Errorf("half an import is done, or not there: %d packets", packets(t, s))
	}
	for range 2 { // what is done is never dropped
		if imp, err = s.Begin(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		write(t, imp, record(2, 0))
		if err := imp.Done(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := packets(t, s); n != 3 {
		t.Errorf("got %d packets, want 3", n)
	}
	for l, err := range s.Losses(t.Context(), flow.Span{}) {
		t.Errorf("a loss of the dropped import is there: %v, %v", l, err)
	}
	if e, ok := s.HasSource("aa"); !ok || e.Records != 1 || e.Name != "a.pcap" || time.Since(e.Time) > time.Hour {
		t.Errorf("got %+v, %v", e, ok)
	}
}

func TestDamagedFilesAreSetAside(t *testing.T) {
	dir := t.TempDir()
	s := createStore(t, dir)
	write(t, s, record(1, 0), record(2, hour), record(3, 2*hour))
	flush(t, s)
	s.Close()
	files, _ := filepath.Glob(filepath.Join(dir, flowsDir, "*"+fileSuffix))
	if len(files) != 3 {
		t.Fatal(files)
	}
	if err := os.Truncate(files[0], 100); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, edgesDir, filepath.Base(files[0])))
	for _, f := range []string{filepath.Join(flowsDir, "holiday"+fileSuffix), filepath.Join(flowsDir, filepath.Base(files[1])+tmpSuffix)} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("PAR1"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, open := range []func() (*Store, error){
		func() (*Store, error) { return OpenReadOnly(dir) },
		func() (*Store, error) { return Open(dir, Options{}) },
	} {
		s, err := open()
		if err != nil {
			t.Fatal(err)
		}
		if n := packets(t, s); n != 2 {
			t.Errorf("got %d packets, want 2", n)
		}
		st, err := s.Stats(context.Background())
		if err != nil || st.Records != 2 || len(st.Aside) != 2 {
			t.Errorf("got %+v, %v", st, err)
		}
		s.Close()
	}
	left, _ := filepath.Glob(filepath.Join(dir, flowsDir, "*"))
	if len(left) != 4 || !strings.HasSuffix(left[0], badSuffix) {
		t.Errorf("left: %v", left)
	}
}
