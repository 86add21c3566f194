package parquet

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

// TestPruneKeepsSums lets records go before sums: what roll-ups answer stays
// the same, what only records tell is gone.
func TestPruneKeepsSums(t *testing.T) {
	if !HasSQL {
		t.Skip("without DuckDB questions are answered from records alone")
	}
	s := createStore(t, t.TempDir())
	now := time.Unix(0, noon+100*24*hour)
	at := func(daysAgo int64) int64 { return now.UnixNano() - noon - daysAgo*24*hour }
	for i, daysAgo := range []int64{90, 40, 39, 2, 0} {
		write(t, s, record(uint64(2*i), at(daysAgo)), record(uint64(2*i+1), at(daysAgo)+1))
		flush(t, s)
	}
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask := func(q query.Query) (rows []query.Row) {
		for r, err := range s.Top(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, r)
		}
		return rows
	}
	sums := ask(query.Query{By: query.Server})
	policy := store.Policy{Raw: 30 * 24 * time.Hour, RollUp: 60 * 24 * time.Hour}
	done, err := s.Prune(t.Context(), store.Policy{Raw: policy.Raw}, now)
	if err != nil || done.Records != 6 || done.Parts != 3 {
		t.Fatalf("pruned %+v, %v; want 6 records of 3 segments", done, err)
	}
	if d := cmp.Diff(sums, ask(query.Query{By: query.Server})); d != "" {
		t.Errorf("sums changed:\n%s", d)
	}
	if n := records(t, s); n != 4 {
		t.Errorf("%d records are left, want 4", n)
	}
	if again, err := s.Prune(t.Context(), store.Policy{Raw: policy.Raw}, now); err != nil || again.Parts != 0 {
		t.Errorf("pruned again %+v, %v", again, err)
	}
	// Merging must not take the sums along.
	write(t, s, record(100, at(40)+2))
	flush(t, s)
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	var before uint64
	for _, r := range ask(query.Query{By: query.Server}) {
		before += r.Flows
	}
	if before != 11 {
		t.Errorf("after a merge there are %d flows, want 11", before)
	}
	done, err = s.Prune(t.Context(), policy, now)
	if err != nil {
		t.Fatal(err)
	}
	var left uint64
	for _, r := range ask(query.Query{By: query.Server}) {
		left += r.Flows
	}
	if left != 9 || done.Parts == 0 {
		t.Errorf("without the day of 90 days ago there are %d flows, want 9; pruned %+v", left, done)
	}
	reader, err := OpenReadOnly(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := reader.Prune(t.Context(), policy, now); err == nil {
		t.Error("a reader pruned")
	}
}

// TestPruneBySize lets the oldest go until the rest fits.
func TestPruneBySize(t *testing.T) {
	s := createStore(t, t.TempDir())
	for h := range int64(10) {
		var batch []flow.Record
		for i := range uint64(500) {
			batch = append(batch, record(uint64(h)*1000+i*i*7919, h*hour))
		}
		write(t, s, batch...)
		flush(t, s)
	}
	before, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Prune(t.Context(), store.Policy{Size: before.Bytes / 2}, time.Unix(0, noon+20*hour))
	if err != nil {
		t.Fatal(err)
	}
	after, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if after.Bytes > before.Bytes/2 || after.Records == 0 && before.Bytes > 4*after.Bytes || done.Bytes < before.Bytes/2 {
		t.Errorf("before %+v, after %+v, pruned %+v", before, after, done)
	}
}

func records(t *testing.T, s *Store) uint64 {
	t.Helper()
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st.Records
}

// later is when what the tests below wrote after noon is 100 days old.
var later = time.Unix(0, noon+100*24*hour)

func prune(t *testing.T, s *Store, p store.Policy) store.Pruned {
	t.Helper()
	done, err := s.Prune(t.Context(), p, later)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func compact(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// removeFiles deletes a folder's files of segments.
func removeFiles(t *testing.T, s *Store, dir string) {
	t.Helper()
	files, err := filepath.Glob(s.path(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(files), err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPruneTakesInputs drops a merged segment: what it was made from must not
// count again.
func TestPruneTakesInputs(t *testing.T) {
	for name, policy := range map[string]store.Policy{
		"sums": {Raw: 24 * time.Hour, RollUp: 48 * time.Hour}, "records": {Raw: 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			s := createStore(t, t.TempDir())
			for i := range uint64(3) {
				write(t, s, record(i, int64(i)))
				flush(t, s)
			}
			write(t, s, record(99, 100*24*hour))
			flush(t, s)
			compact(t, s)
			if done := prune(t, s, policy); done.Records != 3 {
				t.Errorf("pruned %+v, want 3 records", done)
			}
			if n := records(t, s); n != 1 {
				t.Errorf("%d records are left, want 1", n)
			}
			compact(t, s)
			if done := prune(t, s, policy); done.Parts != 0 {
				t.Errorf("pruned again: %+v", done)
			}
		})
	}
}

// TestPruneKeepsSumsOfRecords asks for sums to go, and records to stay.
func TestPruneKeepsSumsOfRecords(t *testing.T) {
	s := createStore(t, t.TempDir())
	write(t, s, record(1, 0))
	flush(t, s)
	if done := prune(t, s, store.Policy{RollUp: 24 * time.Hour}); done.Parts != 0 || records(t, s) != 1 {
		t.Errorf("pruned %+v, %d records are left", done, records(t, s))
	}
}

// TestPruneMakesSums lets records go whose sums are not there.
func TestPruneMakesSums(t *testing.T) {
	if !HasSQL {
		t.Skip("without DuckDB questions are answered from records alone")
	}
	s := createStore(t, t.TempDir())
	write(t, s, record(1, 0), record(2, 1))
	flush(t, s)
	removeFiles(t, s, edgesDir)
	prune(t, s, store.Policy{Raw: 24 * time.Hour})
	if n, sum := records(t, s), packets(t, s); n != 0 || sum != 2 {
		t.Errorf("%d records and %d packets in sums, want 0 and 2", n, sum)
	}
}

// TestPruneLosses lets losses go when they are as old as sums.
func TestPruneLosses(t *testing.T) {
	s := createStore(t, t.TempDir())
	at := func(daysAgo int64) flow.Loss {
		end := later.UnixNano() - daysAgo*24*hour
		return flow.Loss{Span: flow.Span{Start: end - hour, End: end}, Observer: "eth0", Where: "capture", Reason: "ring full", Count: 1, Unit: "packets"}
	}
	for _, l := range [][]flow.Loss{{at(90), at(80)}, {at(70), at(10)}, {at(1)}} {
		if err := s.WriteLoss(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		flush(t, s)
	}
	prune(t, s, store.Policy{Raw: 24 * time.Hour, RollUp: 30 * 24 * time.Hour})
	var left []flow.Loss
	for l, err := range s.Losses(t.Context(), flow.Span{}) {
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, l)
	}
	if d := cmp.Diff([]flow.Loss{at(10), at(1)}, left); d != "" {
		t.Error(d)
	}
}

// TestPruneBoundsTheFolder adds up all that lies there, daily sums and what was
// merged included.
func TestPruneBoundsTheFolder(t *testing.T) {
	s := createStore(t, t.TempDir())
	for d := range int64(20) {
		for part := range int64(2) {
			write(t, s, record(uint64(2*d+part), d*24*hour+part))
			flush(t, s)
		}
	}
	compact(t, s)
	folder := func() (bytes uint64) {
		for _, d := range subDirs {
			err := filepath.WalkDir(s.path(d), func(path string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() {
					bytes += fileSize(path)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return bytes
	}
	before := folder()
	done := prune(t, s, store.Policy{Size: before / 3})
	if after := folder(); after > before/3 || before-after != done.Bytes {
		t.Errorf("%d bytes, bound %d, are now %d; pruned %+v", before, before/3, after, done)
	}
}

// TestPruneBrokenOff opens what a writer leaves that was killed in Prune after
// each of its steps, and prunes again.
func TestPruneBrokenOff(t *testing.T) {
	if !HasSQL {
		t.Skip("without DuckDB questions are answered from records alone")
	}
	raw := store.Policy{Raw: 24 * time.Hour}
	for _, c := range []struct {
		name  string
		leave func(t *testing.T, s *Store)
		sums  uint64 // packets that are left
	}{
		{"before", func(*testing.T, *Store) {}, 2},
		{"said, not deleted", func(t *testing.T, s *Store) {
			names, err := s.names(flowsDir)
			if err != nil || len(names) != 1 {
				t.Fatal(names, err)
			}
			if err := os.WriteFile(s.path(prunedDir, names[0].String()), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}, 2},
		{"records deleted", func(t *testing.T, s *Store) { prune(t, s, raw) }, 2},
		{"sums no longer said", func(t *testing.T, s *Store) {
			prune(t, s, raw)
			removeFiles(t, s, prunedDir)
		}, 0},
		{"sums deleted, still said", func(t *testing.T, s *Store) {
			prune(t, s, raw)
			removeFiles(t, s, edgesDir)
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := createStore(t, dir)
			write(t, s, record(1, 0), record(2, 1))
			flush(t, s)
			c.leave(t, s)
			if n := packets(t, s); n != c.sums {
				t.Errorf("before opening %d packets, want %d", n, c.sums)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = createStore(t, dir)
			if n := packets(t, s); n != c.sums {
				t.Errorf("after opening %d packets, want %d", n, c.sums)
			}
			prune(t, s, raw)
			if n, sums := records(t, s), packets(t, s); n != 0 || sums != c.sums {
				t.Errorf("pruned again: %d records, %d packets, want 0 and %d", n, sums, c.sums)
			}
			prune(t, s, store.Policy{Raw: time.Hour, RollUp: 48 * time.Hour})
			for _, d := range []string{flowsDir, edgesDir, prunedDir} {
				if left, _ := os.ReadDir(s.path(d)); len(left) > 0 {
					t.Errorf("%s holds %v", d, left)
				}
			}
		})
	}
}

// TestPruneUnderReaders asks another opened store while records go.
func TestPruneUnderReaders(t *testing.T) {
	if !HasSQL {
		t.Skip("without DuckDB questions are answered from records alone")
	}
	const hours, each = 40, 200
	s := createStore(t, t.TempDir())
	for h := range int64(hours) {
		var batch []flow.Record
		for i := range uint64(each) {
			batch = append(batch, record(uint64(h)*each+i, h*hour))
		}
		write(t, s, batch...)
		flush(t, s)
	}
	compact(t, s)
	reader, err := OpenReadOnly(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	records(t, reader) // remembers footers
	questions := []query.Query{{By: query.Server}, {By: query.Server, Filter: query.Ports{Side: query.OfClient, Hi: 65535}}}
	stop := make(chan struct{})
	var group sync.WaitGroup
	for i, q := range questions {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var flows uint64
				for row, err := range reader.Top(t.Context(), q) {
					if err != nil {
						t.Error(err)
						return
					}
					flows += row.Flows
				}
				if i == 0 && flows != hours*each || flows > hours*each {
					t.Errorf("%d flows", flows)
					return
				}
			}
		})
	}
	for h := range int64(hours) {
		time.Sleep(10 * time.Millisecond)
		if _, err := s.Prune(t.Context(), store.Policy{Raw: time.Hour}, time.Unix(0, noon+(h+2)*hour)); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	group.Wait()
	if a, b := records(t, s), records(t, reader); a != b {
		t.Errorf("the writer counts %d records, the reader %d", a, b)
	}
}
