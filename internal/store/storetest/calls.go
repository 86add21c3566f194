package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

// every calls each method of s and returns their errors by name.
func every(ctx context.Context, s store.Store) map[string]error {
	errs := map[string]error{
		"WriteFlows": s.WriteFlows(ctx, &flow.Batch{Records: []flow.Record{web()}}),
		"WriteLoss":  s.WriteLoss(ctx, []flow.Loss{{Count: 1}}),
		"Flush":      s.Flush(ctx),
	}
	_, errs["Top"] = collect(ctx, s, query.Query{})
	for _, err := range s.Losses(ctx, flow.Span{}) {
		errs["Losses"] = err
	}
	_, errs["Stats"] = s.Stats(ctx)
	return errs
}

var callTests = []test{
	{"a batch is not kept", func(t *testing.T, s store.Store) {
		b := flow.Batch{Records: []flow.Record{web(count(1)), web(count(2))}}
		before := slices.Clone(b.Records)
		if err := s.WriteFlows(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, b.Records); diff != "" {
			t.Errorf("the batch was changed:\n%s", diff)
		}
		b.Reset()
		b.Records = append(b.Records, web(count(9), server("10.9.9.9")))
		flush(t, s)
		rows := top(t, s, query.Query{})
		if len(rows) != 1 || rows[0].ToServer.Packets != 3 || rows[0].Server != addr("10.0.0.2") {
			t.Errorf("got %v", lines(rows))
		}
	}},
	{"all is visible after Flush", func(t *testing.T, s store.Store) {
		var sum uint64
		for i := range 5 {
			for j := range 3 {
				n := uint64(1 + 3*i + j)
				sum += n
				if err := s.WriteFlows(t.Context(), &flow.Batch{Records: []flow.Record{web(count(n))}}); err != nil {
					t.Fatal(err)
				}
			}
			flush(t, s)
			rows := top(t, s, query.Query{})
			if len(rows) != 1 || rows[0].ToServer.Packets != sum {
				t.Fatalf("after flush %d: want %d packets, got %v", i, sum, lines(rows))
			}
		}
		flush(t, s) // nothing is new
		if rows := top(t, s, query.Query{}); len(rows) != 1 || rows[0].ToServer.Packets != sum {
			t.Errorf("after a flush of nothing: want %d packets, got %v", sum, lines(rows))
		}
	}},
	{"stats", func(t *testing.T, s store.Store) {
		stats, err := s.Stats(t.Context())
		if err != nil || stats.Records != 0 || stats.Span != (flow.Span{}) || len(stats.Aside) != 0 {
			t.Errorf("empty: got %+v, %v", stats, err)
		}
		write(t, s, web(from(5, 7)), web(from(3, 4), slice(1)))
		write(t, s, web(from(6, 9*time.Hour)))
		stats, err = s.Stats(t.Context())
		if err != nil || stats.Records != 3 || stats.Span != (flow.Span{Start: at(3), End: at(9*time.Hour + 1)}) || len(stats.Aside) != 0 {
			t.Errorf("got %+v, %v", stats, err)
		}
	}},
	{"closed", func(t *testing.T, s store.Store) {
		write(t, s, web())
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		errs := every(t.Context(), s)
		errs["Close"] = s.Close()
		for name, err := range errs {
			if !errors.Is(err, store.ErrClosed) {
				t.Errorf("%s: got %v, want ErrClosed", name, err)
			}
		}
	}},
	{"context", func(t *testing.T, s store.Store) {
		write(t, s, web())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for name, err := range every(ctx, s) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v, want context.Canceled", name, err)
			}
		}
		flush(t, s)
		want(t, s, query.Query{}, webRow())
		if got := losses(t, s, flow.Span{}); len(got) != 0 {
			t.Errorf("a loss was kept: %v", got)
		}
	}},
	{"questions that make no sense", func(t *testing.T, s store.Store) {
		write(t, s, web())
		for _, q := range []query.Query{
			{Limit: -1}, {Step: -1}, {Sort: 99}, {By: 1 << 15}, {Span: flow.Span{Start: 2, End: 1}},
		} {
			rows, err := collect(t.Context(), s, q)
			if len(rows) != 0 || err == nil || err.Error() != q.Check().Error() {
				t.Errorf("got %d rows, error %v; want %v", len(rows), err, q.Check())
			}
		}
	}},
	{"loops end early", func(t *testing.T, s store.Store) {
		for i := range 9 {
			write(t, s, web(port(uint16(i))))
		}
		writeLoss(t, s, flow.Loss{Count: 1}, flow.Loss{Count: 2})
		for range s.Top(t.Context(), query.Query{}) {
			break
		}
		for range s.Losses(t.Context(), flow.Span{}) {
			break
		}
		write(t, s, web())
		answer := s.Top(t.Context(), query.Query{By: query.Port})
		for range 2 { // an answer can be asked for again
			n := 0
			for _, err := range answer {
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
			if n != 10 {
				t.Errorf("got %d rows, want 10", n)
			}
		}
	}},
	{"calls inside a loop", func(t *testing.T, s store.Store) {
		write(t, s, web(port(1)), web(port(2)))
		n := 0
		for _, err := range s.Top(t.Context(), query.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			write(t, s, web(port(uint16(10+n))))
			if rows := top(t, s, query.Query{}); len(rows) != 2+n {
				t.Errorf("got %d rows, want %d", len(rows), 2+n)
			}
		}
		if n != 2 {
			t.Errorf("the loop saw %d rows, want the 2 that were there when it began", n)
		}
	}},
	{"readers beside a writer", func(t *testing.T, s store.Store) {
		const batches, size = 20, 50
		ctx, done := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		for range 2 {
			readers.Go(func() {
				var last uint64
				for ctx.Err() == nil {
					n, err := packets(ctx, s)
					switch {
					case ctx.Err() != nil:
						return
					case err != nil:
						t.Errorf("Top: %v", err)
						return
					case n < last || n > batches*size:
						t.Errorf("%d packets after %d", n, last)
						return
					}
					last = n
				}
			})
		}
		for i := range batches {
			b := flow.Batch{Records: make([]flow.Record, size)}
			for j := range b.Records {
				b.Records[j] = web(count(1), port(uint16(j)), from(0, time.Duration(i)*time.Hour))
			}
			if err := s.WriteFlows(t.Context(), &b); err != nil {
				t.Errorf("WriteFlows: %v", err)
			}
			if i%3 == 0 {
				flush(t, s)
			}
		}
		flush(t, s)
		n, err := packets(t.Context(), s)
		done()
		readers.Wait()
		if err != nil || n != batches*size {
			t.Errorf("got %d packets, %v; want %d", n, err, batches*size)
		}
	}},
}

// packets returns the packets to servers of all edges.
func packets(ctx context.Context, s store.Store) (n uint64, err error) {
	rows, err := collect(ctx, s, query.Query{})
	for _, r := range rows {
		n += r.ToServer.Packets
	}
	if err != nil {
		return n, fmt.Errorf("after %d rows: %w", len(rows), err)
	}
	return n, nil
}
