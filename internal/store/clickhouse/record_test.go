package clickhouse

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	chtest "github.com/portolan/portolan/e2e/clickhouse"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

// stored returns the records of a store, by their ID.
func stored(t *testing.T, s *Store) (all []flow.Record) {
	t.Helper()
	rows, err := s.db.Query(t.Context(), "SELECT "+strings.Join(flowColumns, ", ")+" FROM "+s.config.Database+".flows ORDER BY flow_id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r flow.Record
		var d flow.Details
		var folded string
		var from time.Time
		var proto, evidence, cause uint8
		var serverRTT, clientRTT int64
		err := rows.Scan(&r.Client, &r.Server, &r.ClientPort, &r.ServerPort, &proto, &r.VLAN, &r.App.Master, &r.App.App, &r.App.Guess,
			&r.Info, &folded, &r.Observer, &r.Start, &r.End,
			&r.ToServer.Packets, &r.ToServer.Bytes, &r.ToClient.Packets, &r.ToClient.Bytes,
			&evidence, &cause, &r.ID, &r.Slice, &r.Sampling, &serverRTT, &clientRTT,
			&r.TCP.FlagsToServer, &r.TCP.FlagsToClient, &r.TCP.Retransmits, &r.TCP.OutOfOrder, &r.TCP.ZeroWindows, &r.TCP.Resets,
			&d.TLSVersion, &d.JA4, &d.Software, &from)
		if err != nil {
			t.Fatal(err)
		}
		r.Proto, r.Evidence, r.Cause = flow.Proto(proto), flow.Evidence(evidence), flow.Cause(cause)
		r.TCP.ServerRTT, r.TCP.ClientRTT = time.Duration(serverRTT), time.Duration(clientRTT)
		if d != (flow.Details{}) {
			r.Details = &d
		}
		if got := from.UnixNano(); got != floor(r.End, hour) {
			t.Errorf("from_time of %d is %d", r.End, got)
		}
		if want := query.Fold(r.Info); want != r.Info && folded != want || want == r.Info && folded != "" {
			t.Errorf("info_folded of %.20q is %.20q", r.Info, folded)
		}
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestRecords writes records with all that can stand in them, and reads them
// back.
func TestRecords(t *testing.T) {
	const most32, most64 = 1<<32 - 1, 1<<63 - 1
	full := record(0, 7*time.Minute+123456789)
	full.Slice, full.Sampling, full.VLAN = 1, 2, 3
	full.ToClient = flow.Counters{Packets: 4, Bytes: 5}
	full.TCP = flow.TCPFacts{ServerRTT: 6, ClientRTT: 7, FlagsToServer: 8, FlagsToClient: 9, Retransmits: 10, OutOfOrder: 11, ZeroWindows: 12, Resets: 13}
	full.App = flow.App{Master: 14, App: 15, Guess: true}
	full.Evidence, full.Cause = flow.SYNSeen, flow.EndOfFlow
	full.Details = &flow.Details{TLSVersion: 0x0304, JA4: "t13d1516h2_8daaf6152771_b186095e22b6", Software: "nginx/1.22.1"}

	extreme := flow.Record{
		Key: flow.Key{Client: [16]byte{}, Server: [16]byte{0xff, 0xff, 15: 0xff}, ClientPort: 65535, ServerPort: 65535, VLAN: 65535, Proto: 255},
		ID:  1<<64 - 2, Slice: most32, Sampling: most32, Start: 0, End: 9223372036854775806,
		ToServer: flow.Counters{Packets: most64, Bytes: most64}, ToClient: flow.Counters{Packets: most64, Bytes: most64},
		TCP:      flow.TCPFacts{ServerRTT: most64, ClientRTT: most64, FlagsToServer: 255, FlagsToClient: 255, Retransmits: most32, OutOfOrder: most32, ZeroWindows: most32, Resets: most32},
		App:      flow.App{Master: 65535, App: 65535, Guess: true},
		Evidence: 255, Cause: 255,
	}
	above := record(1<<64-1, 0) // counters that are cut
	above.ToServer, above.ToClient = flow.Counters{Packets: 1 << 63, Bytes: 1<<64 - 1}, flow.Counters{Packets: 1<<64 - 1, Bytes: 1 << 63}
	want := []flow.Record{full}
	for i, text := range []string{
		`'`, `"`, "`", `\`, `\'`, `\N`, "'); DROP TABLE flows; --", "{p1:String}", "%s", "?", "$1", "a\tb\nc\rd\x00e\x1af", "\u202eelpmaxe", "ÜNÏ.Example",
		"İSTANBUL", "ΑΣ", "ﬁ", strings.Repeat("x", 64<<10), strings.Repeat(`'\`, 32<<10), " ", "",
	} {
		r := record(uint64(i+1), time.Duration(i)*time.Minute)
		r.Info, r.Observer = text, text
		r.Details = &flow.Details{JA4: text, Software: text}
		if text == "" {
			r.Details = nil
		}
		want = append(want, r)
	}
	broken := record(1000, 0)
	broken.Info, broken.Observer, broken.Details = "a\xff\xfeb", "\xc3", &flow.Details{JA4: "\x80", Software: "nginx\xff"}
	want = append(want, broken, extreme, above)

	s := open(t, newDatabase(chtest.Start(t), "&sync=true"))
	defer s.Close()
	if err := write(t.Context(), s, &flow.Batch{Records: want}); err != nil {
		t.Fatal(err)
	}
	last := len(want) - 1
	want[last].ToServer, want[last].ToClient = flow.Counters{Packets: most64, Bytes: most64}, flow.Counters{Packets: most64, Bytes: most64}
	want[last-2].Info, want[last-2].Observer, want[last-2].Details = "a\uFFFDb", "\uFFFD", &flow.Details{JA4: "\uFFFD", Software: "nginx\uFFFD"}
	if diff := cmp.Diff(want, stored(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%.5000s", diff)
	}
	// Names are found without case, as query.Fold has it.
	for _, r := range want {
		for _, text := range []string{r.Info, query.Fold(r.Info)} {
			filter, count, found := query.NameHas{Text: text}, uint64(0), uint64(0)
			for _, x := range want {
				if filter.Matches(&x) {
					count += min(x.ToServer.Packets, 1)
				}
			}
			q := query.Query{Filter: query.And{L: filter, R: query.Count{Field: query.Packets, Op: query.Less, N: 100}}}
			found = packetsIn(t, s, q)
			for _, x := range want { // those that the second condition leaves out
				if filter.Matches(&x) && x.Packets() >= 100 {
					found++
				}
			}
			if found != count {
				t.Errorf("name %.20q: %d found, want %d", text, found, count)
			}
		}
	}
}

// TestManyDays writes records of more days, and losses of more months, than a
// server takes in one INSERT.
func TestManyDays(t *testing.T) {
	t.Parallel()
	s := open(t, newDatabase(chtest.Start(t), ""))
	defer s.Close()
	b := &flow.Batch{}
	var l []flow.Loss
	for i := range uint64(130) {
		b.Records = append(b.Records, record(i, time.Duration(i*97%130)*24*time.Hour))
		l = append(l, flow.Loss{Span: flow.Span{Start: noon + int64(i*97%130)*30*day}, Count: 1})
	}
	if err := s.WriteLoss(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if err := write(t.Context(), s, b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all(130), sumsOf(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	n := 0
	for _, err := range s.Losses(t.Context(), flow.Span{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 130 {
		t.Errorf("%d losses, want 130", n)
	}
}

func TestCut(t *testing.T) {
	rows := make([]int, blockRecords+10)
	for i := range rows {
		rows[i] = i
	}
	one := func(int) int64 { return 0 }
	small := func(int) int { return 1 }
	for _, tt := range []struct {
		what      string
		rows      []int
		partition func(int) int64
		size      func(int) int
		want      []int // lengths
	}{
		{"nothing", nil, one, small, nil},
		{"few", rows[:5], one, small, []int{5}},
		{"a block", rows[:blockRecords], one, small, []int{blockRecords}},
		{"more than a block", rows, one, small, []int{blockRecords, 10}},
		{"long texts", rows[:5], one, func(int) int { return blockTexts / 2 }, []int{2, 2, 1}},
		{"many days", rows[:250], func(i int) int64 { return int64(i % 125) }, small, []int{200, 50}},
	} {
		var got []int
		seen := map[int]bool{}
		for part := range cut(tt.rows, tt.partition, tt.size) {
			got = append(got, len(part))
			for _, r := range part {
				seen[r] = true
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || len(seen) != len(tt.rows) {
			t.Errorf("%s: %d of %d rows (-want +got):\n%s", tt.what, len(seen), len(tt.rows), diff)
		}
	}
}
