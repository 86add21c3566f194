package parquet

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store/storetest"
)

func TestRecorder(t *testing.T) { storetest.Records(t, opened) }

// TestRecordsStayInOrder when segments are merged, so that a copy that was
// interrupted can go on.
func TestRecordsStayInOrder(t *testing.T) {
	s, err := Open(t.TempDir(), Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const segments, each = 20, 50
	for i := range segments {
		b := &flow.Batch{}
		for j := range each {
			n := i*each + j
			r := flow.Record{ID: uint64(n), End: int64(n*37%1000) * int64(10*time.Second), Observer: "eth0"}
			r.Client[15], r.Server[15] = byte(n%7), byte(n%5)
			b.Records = append(b.Records, r)
		}
		if err := s.WriteFlows(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	order := func() (ids []uint64) {
		for r, err := range s.Records(t.Context(), flow.Span{}) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, r.ID)
		}
		return ids
	}
	before := order()
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := s.list()
	if err != nil || len(l.flows) > 2*segments {
		t.Fatalf("%d segments after Compact, %v: nothing was merged", len(l.flows), err)
	}
	after := order()
	if diff := cmp.Diff(before, after); diff != "" || len(after) != segments*each {
		t.Errorf("%d records (-before +after):\n%s", len(after), diff)
	}
	slices.Sort(after)
	if len(slices.Compact(after)) != segments*each {
		t.Error("records came twice")
	}
}
