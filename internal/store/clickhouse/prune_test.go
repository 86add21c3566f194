package clickhouse

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	chtest "github.com/portolan/portolan/e2e/clickhouse"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

var _ store.Pruner = (*Store)(nil)
var _ store.OnceWriter = (*Store)(nil)

func TestChoose(t *testing.T) {
	now := time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)
	part := func(table, id string, bytes uint64) partition {
		end, err := ends(id)
		if err != nil {
			t.Fatal(err)
		}
		return partition{table: table, id: id, ends: end, bytes: bytes}
	}
	there := []partition{
		part("losses", "202601", 1), part("edges_day", "20260305", 5), part("edges_hour", "20260305", 10),
		part("edges_day", "20260308", 5), part("flows", "20260308", 100),
		part("edges_day", "20260309", 5), part("flows", "20260309", 100),
		part("edges_day", "20260310", 5), part("flows", "20260310", 100),
	}
	const d = 24 * time.Hour
	tests := []struct {
		name   string
		policy store.Policy
		want   []string
	}{
		{"no bound", store.Policy{}, nil},
		{"age of records", store.Policy{Raw: 36 * time.Hour}, []string{"flows 20260308"}},
		{"a day goes when all of it is old", store.Policy{Raw: 36*time.Hour + 1}, nil},
		{"age of sums", store.Policy{RollUp: 4 * d}, []string{"losses 202601", "edges_day 20260305", "edges_hour 20260305"}},
		{"sums stay with their records", store.Policy{RollUp: time.Hour}, []string{"losses 202601", "edges_day 20260305", "edges_hour 20260305"}},
		{"both", store.Policy{Raw: 36 * time.Hour, RollUp: 36 * time.Hour},
			[]string{"flows 20260308", "losses 202601", "edges_day 20260305", "edges_hour 20260305", "edges_day 20260308"}},
		{"size that fits", store.Policy{Size: 331}, nil},
		{"size takes records first", store.Policy{Size: 330}, []string{"flows 20260308"}},
		{"then more records", store.Policy{Size: 230}, []string{"flows 20260308", "flows 20260309"}},
		{"then sums, a day whole", store.Policy{Size: 130}, []string{"flows 20260308", "flows 20260309", "edges_day 20260305", "edges_hour 20260305"}},
		{"the last day stays", store.Policy{Size: 1}, []string{
			"flows 20260308", "flows 20260309", "edges_day 20260305", "edges_hour 20260305", "edges_day 20260308", "edges_day 20260309"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range choose(there, tt.policy, now) {
				got = append(got, p.table+" "+p.id)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// packetsIn returns the packets that a question finds.
func packetsIn(t *testing.T, s *Store, q query.Query) (n uint64) {
	t.Helper()
	for r, err := range s.Top(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		n += r.ToServer.Packets
	}
	return n
}

// TestPrune forgets records and sums of a week, apart, on one server and on a
// cluster.
func TestPrune(t *testing.T) {
	servers := chtest.StartCluster(t, "lab", 2)
	for _, options := range []string{"", "&cluster=lab"} {
		t.Run("options "+options, func(t *testing.T) {
			s := open(t, newDatabase(servers[0], options))
			defer s.Close()
			b := &flow.Batch{}
			for i := range uint64(700) {
				b.Records = append(b.Records, record(i, time.Duration(i%7)*24*time.Hour))
			}
			if err := write(t.Context(), s, b); err != nil {
				t.Fatal(err)
			}
			raw := query.Query{Filter: query.Count{Field: query.Packets, Op: query.Less, N: 1000}}
			now := time.Unix(0, noon).UTC().AddDate(0, 0, 6)
			check := func(what string, p store.Policy, records, sums, gone uint64) store.Pruned {
				t.Helper()
				done, err := s.Prune(t.Context(), p, now)
				if err != nil {
					t.Fatal(err)
				}
				if got := packetsIn(t, s, raw); got != records {
					t.Errorf("%s: %d records are left, want %d", what, got, records)
				}
				if got := packetsIn(t, s, query.Query{}); got != sums {
					t.Errorf("%s: sums have %d packets, want %d", what, got, sums)
				}
				if done.Records != gone || (gone > 0) != (done.Parts > 0 && done.Bytes > 0) && sums == 700 {
					t.Errorf("%s: %+v, want %d records", what, done, gone)
				}
				return done
			}
			check("no bound", store.Policy{}, 700, 700, 0)
			done := check("age", store.Policy{Raw: 108 * time.Hour}, 500, 700, 200)
			if want := time.Unix(0, noon).UTC().Truncate(24*time.Hour).AddDate(0, 0, 2); !done.Before.Equal(want) {
				t.Errorf("before %v, want %v", done.Before, want)
			}
			check("again", store.Policy{Raw: 108 * time.Hour}, 500, 700, 0)
			check("age of sums", store.Policy{RollUp: 132 * time.Hour}, 500, 600, 0)

			stats, err := s.Stats(t.Context())
			if err != nil || stats.Records != 500 || stats.Span.Start != noon+2*day-int64(time.Second) {
				t.Errorf("stats %+v, %v", stats, err)
			}
			there, err := s.partitions(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var size uint64
			for _, p := range there {
				size += p.bytes
			}
			check("size that fits", store.Policy{Size: size}, 500, 600, 0)
			check("size", store.Policy{Size: size - 1}, 400, 600, 100)
			check("least size", store.Policy{Size: 1}, 100, 100, 300)

			st, err := s.Status(t.Context())
			if err != nil || st.Records != 100 || len(st.Servers) != max(1, len(s.servers)) || len(st.Servers[0].Tables) == 0 || st.Servers[0].Version == "" {
				t.Errorf("status %+v, %v", st, err)
			}
		})
	}
}

// TestTTL lets the server forget by itself.
func TestTTL(t *testing.T) {
	server := chtest.Start(t)
	dsn := newDatabase(server, "&ttl=30d&rollup_ttl=60d")
	s := open(t, dsn)
	now := time.Now().UTC()
	var b flow.Batch
	for i, age := range []int{0, 40, 80, -80 * 365} { // the last is from a clock that is wrong by 80 years
		r := record(uint64(i), 0)
		r.End = now.AddDate(0, 0, -age).UnixNano()
		r.Start = r.End
		b.Records = append(b.Records, r)
	}
	if err := write(t.Context(), s, &b); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"flows", "edges_hour", "edges_day", "days"} {
		if err := s.db.Exec(t.Context(), "OPTIMIZE TABLE "+s.shape.local(table)+" FINAL"); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(totals{2, 2, 3, 3, 3}, sumsOf(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	defer s.Close()
	mutations := func() (n uint64) {
		t.Helper()
		if err := s.db.QueryRow(t.Context(), "SELECT count() FROM system.mutations WHERE database = {p1:String}", named(1, s.config.Database)).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := mutations()
	if err := open(t, dsn).Close(); err != nil {
		t.Error(err)
	}
	if after := mutations(); after != before {
		t.Errorf("%d changes of tables that are as they should be", after-before)
	}
	// Another time holds for what is there already.
	shorter := strings.Replace(dsn, "rollup_ttl=60d", "rollup_ttl=35d", 1)
	if err := open(t, shorter).Close(); err != nil {
		t.Error(err)
	}
	for _, table := range []string{"edges_hour", "edges_day", "days"} {
		if err := s.db.Exec(t.Context(), "OPTIMIZE TABLE "+s.shape.local(table)+" FINAL"); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(all(2), sumsOf(t, s)); diff != "" {
		t.Errorf("shorter (-want +got):\n%s", diff)
	}
}

func TestReadOnly(t *testing.T) {
	dsn := newDatabase(chtest.Start(t), "")
	s := open(t, dsn)
	defer s.Close()
	if err := write(t.Context(), s, records(0, 10)); err != nil {
		t.Fatal(err)
	}
	reader := open(t, dsn+"&read_only=true")
	if n := packetsIn(t, reader, query.Query{}); n != 10 {
		t.Errorf("%d packets, want 10", n)
	}
	_, pruned := reader.Prune(t.Context(), store.Policy{Size: 1}, time.Now())
	for what, err := range map[string]error{
		"WriteFlows": reader.WriteFlows(t.Context(), records(0, 1)), "WriteLoss": reader.WriteLoss(t.Context(), nil),
		"WriteOnce": reader.WriteOnce(t.Context(), "x", records(0, 1)), "Prune": pruned,
	} {
		if !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("%s: got %v, want ErrReadOnly", what, err)
		}
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
}
