package mariadb_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store/mariadb"
)

// ending sets when a record ends, in days after noon.
func ending(days int) func(*flow.Record) {
	return func(r *flow.Record) { r.End = noon + int64(days)*int64(24*time.Hour); r.Start = r.End }
}

func packets(t *testing.T, s *mariadb.Store, q query.Query) (n uint64) {
	t.Helper()
	for _, r := range top(t, s, q) {
		n += r.Packets()
	}
	return n
}

func TestPruneDropsPartitions(t *testing.T) {
	srv := need(t)
	s := open(t, srv.config(srv.database(t)))
	var records []flow.Record
	for day := -5; day <= 0; day++ {
		records = append(records, record("10.0.0.1:1", "10.0.0.2:443", ending(day)), record("[::1]:1", "[::1]:443", ending(day)))
	}
	write(t, s, records...)
	if err := s.WriteLoss(t.Context(), []flow.Loss{{Span: flow.Span{Start: 1, End: 2}, Count: 1}, {Span: flow.Span{Start: 1, End: noon}, Count: 1}, {Span: flow.Span{Start: 5}, Count: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Two days of rows, the rest of that day, and a day more of the roll-up.
	done, err := s.Prune(t.Context(), mariadb.Policy{
		Flows: time.Unix(0, noon).Add(-48 * time.Hour), Edges: time.Unix(0, noon).Add(-72 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := mariadb.Pruned{Rows: 1, Partitions: []string{ // the row is a loss
		"flowsv4.g20260309", "flowsv4.d20260309", "flowsv4.d20260310", "flowsv4.d20260311",
		"flowsv6.g20260309", "flowsv6.d20260309", "flowsv6.d20260310", "flowsv6.d20260311",
		"portolan_edges.g20260309", "portolan_edges.d20260309", "portolan_edges.d20260310",
	}}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	rows := query.Query{Filter: query.Count{Field: query.Bytes, Op: query.GreaterEq}}
	if n := packets(t, s, rows); n != 3*2*3 {
		t.Errorf("rows: %d packets, want those of 3 days", n)
	}
	if n := packets(t, s, query.Query{}); n != 4*2*3 {
		t.Errorf("roll-up: %d packets, want those of 4 days", n)
	}
	stats, err := s.Stats(t.Context())
	first := noon - 2*int64(24*time.Hour)
	if err != nil || stats.Records != 6 || stats.Span != (flow.Span{Start: first, End: noon + 1}) {
		t.Errorf("got %+v, %v", stats, err)
	}
	// A record that comes late is kept, with the day after.
	write(t, s, record("10.0.0.1:1", "10.0.0.2:443", ending(-5)))
	if n := packets(t, s, rows); n != 3*2*3+3 {
		t.Errorf("with a late record: %d packets", n)
	}
	if done, err := s.Prune(t.Context(), mariadb.Policy{}); err != nil || len(done.Partitions) != 0 || done.Rows != 0 {
		t.Errorf("a policy that keeps all: %+v, %v", done, err)
	}
}

// TestTimesOfEveryKind writes records whose clocks were wrong.
func TestTimesOfEveryKind(t *testing.T) {
	srv := need(t)
	s := open(t, srv.config(srv.database(t)))
	at := func(start, end int64) func(*flow.Record) {
		return func(r *flow.Record) { r.Start, r.End = start, end }
	}
	now := time.Now().UnixNano()
	write(t, s,
		record("10.0.0.1:1", "10.0.0.2:1", at(0, 0)),
		record("10.0.0.1:1", "10.0.0.2:2", at(noon, noon)),
		record("10.0.0.1:1", "10.0.0.2:3", at(now, now)),
		record("10.0.0.1:1", "10.0.0.2:4", at(math.MaxUint32*1e9-1, math.MaxUint32*1e9)), // 2106
		record("10.0.0.1:1", "10.0.0.2:5", at(1<<62, math.MaxInt64)))                     // 2262
	for port, span := range map[uint16]flow.Span{
		1: {End: 1}, 2: {Start: noon, End: noon + 1}, 3: {Start: now, End: now + 1},
		4: {Start: math.MaxUint32 * 1e9, End: math.MaxUint32*1e9 + 1}, 5: {Start: math.MaxInt64 - 1},
	} {
		for _, filter := range []query.Expr{nil, query.Count{Field: query.Bytes, Op: query.GreaterEq}} {
			rows := top(t, s, query.Query{Span: span, Filter: filter})
			if len(rows) != 1 || rows[0].Port != port {
				t.Errorf("port %d: got %+v", port, rows)
			}
		}
	}
	status, err := s.Status(t.Context())
	if err != nil || status.Records != 5 || status.Span != (flow.Span{Start: 0, End: math.MaxInt64}) {
		t.Errorf("got %+v, %v", status.Stats, err)
	}
}

func TestStatus(t *testing.T) {
	srv := need(t)
	c := srv.config(srv.database(t))
	generations[3].make(t, srv.db(t, c.Database))
	exec1(t, srv.db(t, c.Database), "CREATE TABLE unrelated (id int)")
	c.Tables = "lab"
	s := open(t, c)
	write(t, s, record("10.0.0.1:1", "10.0.0.2:443"), record("[::1]:1", "[::1]:443"))
	st, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, table := range st.Tables {
		names = append(names, table.Name)
		if table.Engine != "InnoDB" || table.Ntopng || table.Clipped != nil || strings.HasPrefix(table.Name, "labv") &&
			(!table.Daily || table.Partitions != 3 || !table.Oldest.Equal(time.Date(2026, time.March, 14, 0, 0, 0, 0, time.UTC))) {
			t.Errorf("got %+v", table)
		}
	}
	want := []string{"labv4", "labv6", "portolan_lab_days", "portolan_lab_edges", "portolan_lab_losses", "portolan_lab_observers", "portolan_lab_schema", "portolan_lab_units"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !st.LoadData || st.Observers != 1 || !strings.Contains(st.Server, "MariaDB") || st.Records != 2 || st.Bytes == 0 {
		t.Errorf("got %+v", st)
	}
	c.Tables, c.ReadOnly = "", true
	st, err = open(t, c).Status(t.Context())
	if err != nil || len(st.Tables) != 1 || !st.Tables[0].Ntopng || st.Tables[0].Daily || st.Tables[0].Partitions != 8 || st.Records != 1 {
		t.Errorf("ntopng's: got %+v, %v", st, err)
	}
}
