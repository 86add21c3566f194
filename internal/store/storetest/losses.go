package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
)

// losses returns what was lost in span.
func losses(t *testing.T, s store.Store, span flow.Span) []flow.Loss {
	t.Helper()
	var all []flow.Loss
	for l, err := range s.Losses(t.Context(), span) {
		if err != nil {
			t.Fatalf("Losses: %v", err)
		}
		all = append(all, l)
	}
	return all
}

func writeLoss(t *testing.T, s store.Store, l ...flow.Loss) {
	t.Helper()
	if err := s.WriteLoss(t.Context(), l); err != nil {
		t.Fatalf("WriteLoss: %v", err)
	}
	flush(t, s)
}

var lossTests = []test{
	{"none", func(t *testing.T, s store.Store) {
		writeLoss(t, s)
		write(t, s, web())
		if got := losses(t, s, flow.Span{}); len(got) != 0 {
			t.Errorf("got %v", got)
		}
	}},
	{"order", func(t *testing.T, s store.Store) {
		loss := func(start, end int64, observer, where, reason, unit string, count uint64) flow.Loss {
			return flow.Loss{Span: flow.Span{Start: start, End: end}, Observer: observer, Where: where, Reason: reason, Unit: unit, Count: count}
		}
		want := []flow.Loss{
			loss(at(0), at(9), "eth1", "capture", "kernel ring full", "packets", 1<<63-1),
			loss(at(1), at(2), "", "decode", "cut in the 'TCP' header\x00", "bytes", 7),
			loss(at(1), at(2), "eth0", "capture", "a", "packets", 7),
			loss(at(1), at(2), "eth0", "capture", "b", "flows", 7),
			loss(at(1), at(2), "eth0", "capture", "b", "packets", 3),
			loss(at(1), at(2), "eth0", "capture", "b", "packets", 7),
			loss(at(1), at(2), "eth0", "store", "a", "packets", 0),
			loss(at(1), at(3), "", "", "", "", 5),
		}
		writeLoss(t, s, want[7], want[5], want[3], want[1])
		writeLoss(t, s, want[6], want[4], want[2], want[0])
		if diff := cmp.Diff(want, losses(t, s, flow.Span{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}},
	{"span", func(t *testing.T, s store.Store) {
		for i, span := range []flow.Span{
			{Start: at(0), End: at(10)}, {Start: at(10), End: at(20)}, {Start: at(20), End: at(20)}, {Start: at(25), End: at(30)}, {Start: at(5)},
		} {
			writeLoss(t, s, flow.Loss{Span: span, Count: 1 << i})
		}
		for _, tt := range []struct {
			span flow.Span
			sum  uint64
		}{
			{flow.Span{}, 31},
			{flow.Span{Start: at(10), End: at(20)}, 18},
			{flow.Span{Start: at(9), End: at(10)}, 17},
			{flow.Span{Start: at(20), End: at(21)}, 20},
			{flow.Span{Start: at(21)}, 24},
			{flow.Span{End: at(5)}, 1},
			{flow.Span{Start: at(30)}, 16},
		} {
			var sum uint64
			for _, l := range losses(t, s, tt.span) {
				sum += l.Count
			}
			if sum != tt.sum {
				t.Errorf("span %d to %d: got %b, want %b", tt.span.Start-noon, tt.span.End-noon, sum, tt.sum)
			}
		}
	}},
	{"losses are no records", func(t *testing.T, s store.Store) {
		writeLoss(t, s, flow.Loss{Span: flow.Span{Start: at(0), End: at(1)}, Count: 1})
		stats, err := s.Stats(t.Context())
		if err != nil || stats.Records != 0 || stats.Span != (flow.Span{}) {
			t.Errorf("got %+v, %v", stats, err)
		}
	}},
	{"texts that are not UTF-8", func(t *testing.T, s store.Store) {
		writeLoss(t, s, flow.Loss{Observer: "\xff", Where: "a\xff", Reason: "\xffb", Unit: "\xff\xff"})
		want := []flow.Loss{{Observer: "\uFFFD", Where: "a\uFFFD", Reason: "\uFFFDb", Unit: "\uFFFD"}}
		if diff := cmp.Diff(want, losses(t, s, flow.Span{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}},
}
