package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

// Records tests a store that is a store.Recorder.
func Records(t *testing.T, open func(t *testing.T) store.Store) {
	for _, test := range recordTests {
		t.Run(test.name, func(t *testing.T) { test.run(t, opened(t, open)) })
	}
}

// records returns those of span, by ID.
func records(t *testing.T, s store.Store, span flow.Span) (all []flow.Record) {
	t.Helper()
	recorder, ok := s.(store.Recorder)
	if !ok {
		t.Fatalf("%T is no store.Recorder", s)
	}
	for r, err := range recorder.Records(t.Context(), span) {
		if err != nil {
			t.Fatalf("Records: %v", err)
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b flow.Record) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// id sets what tells records apart in these tests.
func id(n uint64) func(*flow.Record) { return func(r *flow.Record) { r.ID = n } }

func details(d flow.Details) func(*flow.Record) { return func(r *flow.Record) { r.Details = &d } }

// full has something in every field.
func full(r *flow.Record) {
	r.VLAN, r.Slice, r.Sampling = 9, 3, 100
	r.TCP = flow.TCPFacts{ServerRTT: 1234567, ClientRTT: 7654321, FlagsToServer: 0x1b, FlagsToClient: 0x12,
		Retransmits: 1, OutOfOrder: 2, ZeroWindows: 3, Resets: 4}
	r.App.Guess = true
	r.Evidence, r.Cause = flow.KnownListener, flow.ActiveTimeout
	r.Details = &flow.Details{TLSVersion: 0x0304, JA4: "t13d1516h2_8daaf6152771_02713d6af862", Software: "nginx/1.22.1"}
}

// hostileTexts are hard to keep for one store or another. The last are no UTF-8.
var hostileTexts = []string{
	"", " ", " www ", `'`, `"`, "`", `\`, `\N`, `\'`, "'); DROP TABLE flows; --", "%s", "?", "{p1:String}", "NULL",
	"a\tb\nc\rd\x00e\x1af", "ÜNÏ.Example", "İSTANBUL", "\u202eelpmaxe", "😀", "https://example.com/?a=b&c=d",
	strings.Repeat("long", 64) + "é", strings.Repeat(`'\`, 32<<10), "a\xff\xfeb", "\xc3",
}

var recordTests = []test{
	{"empty", func(t *testing.T, s store.Store) {
		if got := records(t, s, flow.Span{}); len(got) != 0 {
			t.Errorf("got %v", got)
		}
	}},
	{"every field comes back", func(t *testing.T, s store.Store) {
		const most32, most63 = 1<<32 - 1, 1<<63 - 1
		want := []flow.Record{
			web(id(1), full),
			web(id(2)),
			web(id(3), full, client("2001:db8::1"), server("fe80::ff")),
			web(id(4), client("10.0.0.1"), server("2001:db8::1")),
			web(id(5), client("::"), server("255.255.255.255"), proto(flow.ICMP), port(0)),
			web(id(6), details(flow.Details{Software: "OpenSSH_9.2"})),
			web(id(7), details(flow.Details{TLSVersion: 0xffff})),
			{
				Key: flow.Key{Client: addr("0.0.0.0"), Server: addr("ffff::ffff"), ClientPort: 65535, ServerPort: 65535, VLAN: 65535, Proto: 255},
				ID:  math.MaxUint64, Slice: most32, Sampling: most32, Start: 0, End: most63 - 1,
				ToServer: flow.Counters{Packets: most63, Bytes: most63}, ToClient: flow.Counters{Packets: most63, Bytes: most63},
				TCP: flow.TCPFacts{ServerRTT: most63, ClientRTT: most63, FlagsToServer: 255, FlagsToClient: 255,
					Retransmits: most32, OutOfOrder: most32, ZeroWindows: most32, Resets: most32},
				App: flow.App{Master: 65535, App: 65535, Guess: true}, Evidence: 255, Cause: 255,
			},
		}
		write(t, s, want...)
		if diff := gocmp.Diff(want, records(t, s, flow.Span{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}},
	{"empty details are none", func(t *testing.T, s store.Store) {
		write(t, s, web(details(flow.Details{})))
		if diff := gocmp.Diff([]flow.Record{web()}, records(t, s, flow.Span{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}},
	{"hostile texts", func(t *testing.T, s store.Store) {
		var written, want []flow.Record
		for i, text := range hostileTexts {
			r := web(id(uint64(i+1)), observer(text), info(text), details(flow.Details{TLSVersion: 1, JA4: text, Software: text}))
			written = append(written, r)
			text = query.Text(text)
			r.Observer, r.Info, r.Details = text, text, &flow.Details{TLSVersion: 1, JA4: text, Software: text}
			want = append(want, r)
		}
		write(t, s, written...)
		if diff := gocmp.Diff(want, records(t, s, flow.Span{})); diff != "" {
			t.Errorf("(-want +got):\n%.3000s", diff)
		}
	}},
	{"span of ends", func(t *testing.T, s store.Store) {
		write(t, s,
			web(id(1), from(-48*time.Hour, -1)), web(id(2), from(-1, 0)), web(id(3), from(0, time.Hour-1)),
			web(id(4), from(0, time.Hour)), web(id(5), from(0, 48*time.Hour)))
		for _, tt := range []struct {
			span flow.Span
			want string
		}{
			{flow.Span{}, "[1 2 3 4 5]"},
			{flow.Span{Start: at(0)}, "[2 3 4 5]"},
			{flow.Span{End: at(0)}, "[1]"},
			{flow.Span{Start: at(0), End: at(time.Hour)}, "[2 3]"},
			{flow.Span{Start: at(1), End: at(time.Hour + 1)}, "[3 4]"},
			{flow.Span{Start: at(time.Hour), End: at(time.Hour)}, "[]"},
			{flow.Span{Start: at(49 * time.Hour)}, "[]"},
		} {
			got := []uint64{}
			for _, r := range records(t, s, tt.span) {
				got = append(got, r.ID)
			}
			if fmt.Sprint(got) != tt.want {
				t.Errorf("span %d to %d: got %v, want %s", tt.span.Start-noon, tt.span.End-noon, got, tt.want)
			}
		}
	}},
	{"equal records all come", func(t *testing.T, s store.Store) {
		write(t, s, web(), web(), web())
		write(t, s, web())
		if got := records(t, s, flow.Span{}); len(got) != 4 {
			t.Errorf("got %d records, want 4", len(got))
		}
	}},
	{"many, in the same order each time", func(t *testing.T, s store.Store) {
		const n = 20_000 // more than stores read at a time
		var all []flow.Record
		for i := range n {
			r := web(id(uint64(i)), from(0, time.Duration(i*7919%n)*time.Second/4))
			if i%3 == 0 {
				r.Client = addr("2001:db8::1")
			}
			all = append(all, r)
		}
		write(t, s, all[:n/2]...)
		write(t, s, all[n/2:]...)
		if diff := gocmp.Diff(all, records(t, s, flow.Span{})); diff != "" {
			t.Errorf("(-want +got):\n%.3000s", diff)
		}
		var order [2][]uint64
		for i := range order {
			for r, err := range s.(store.Recorder).Records(t.Context(), flow.Span{}) {
				if err != nil {
					t.Fatal(err)
				}
				order[i] = append(order[i], r.ID)
			}
		}
		if !slices.Equal(order[0], order[1]) {
			t.Error("the order changed")
		}
	}},
	{"the loop may end early, ask and write", func(t *testing.T, s store.Store) {
		for i := range 3 {
			write(t, s, web(id(uint64(i+1))), web(id(uint64(i+11)), client("2001:db8::1")))
		}
		seen := 0
		for _, err := range s.(store.Recorder).Records(t.Context(), flow.Span{}) {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen == 2 {
				break
			}
			write(t, s, web(id(100), from(0, 24*time.Hour)))
			if rows := top(t, s, query.Query{}); len(rows) == 0 {
				t.Error("no rows in the loop")
			}
		}
		if got := records(t, s, flow.Span{}); len(got) != 7 {
			t.Errorf("got %d records, want 7", len(got))
		}
	}},
	{"done context", func(t *testing.T, s store.Store) {
		write(t, s, web())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		n := 0
		for _, err := range s.(store.Recorder).Records(ctx, flow.Span{}) {
			if n++; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
		}
		if n != 1 {
			t.Errorf("%d answers, want one", n)
		}
	}},
	{"closed", func(t *testing.T, s store.Store) {
		s.Close() //nolint:errcheck // looked at elsewhere
		n := 0
		for _, err := range s.(store.Recorder).Records(t.Context(), flow.Span{}) {
			if n++; !errors.Is(err, store.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		}
		if n != 1 {
			t.Errorf("%d answers, want one", n)
		}
	}},
}
