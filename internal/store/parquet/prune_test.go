package parquet

import (
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
