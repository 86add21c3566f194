package mariadb_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
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
	database := srv.database(t)
	s := open(t, srv.config(database))
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
	// Rows of three days stay, and the roll-up of one more.
	done, err := s.Prune(t.Context(), store.Policy{Raw: 48 * time.Hour, RollUp: 72 * time.Hour}, time.Unix(0, noon))
	if err != nil {
		t.Fatal(err)
	}
	if done.Records != 6 || done.Parts != 4+4+3 || done.Bytes == 0 || !done.Before.Equal(time.Date(2026, time.March, 12, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("got %+v", done)
	}
	var parts []string
	for _, table := range []string{"flowsv4", "flowsv6", "portolan_edges"} {
		parts = append(parts, table+":"+partitionNames(t, srv, database, table))
	}
	want := []string{
		"flowsv4:d20260312 d20260313 d20260314 rest", "flowsv6:d20260312 d20260313 d20260314 rest",
		"portolan_edges:d20260311 d20260312 d20260313 d20260314 rest",
	}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	n := 0
	for _, err := range s.Losses(t.Context(), flow.Span{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d losses are left, want 2", n)
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
	if done, err := s.Prune(t.Context(), store.Policy{}, time.Unix(0, noon)); err != nil || done != (store.Pruned{}) {
		t.Errorf("a policy that keeps all: %+v, %v", done, err)
	}
}

// partitionNames returns the partitions of a table in order.
func partitionNames(t *testing.T, srv *server, database, table string) string {
	t.Helper()
	var names string
	err := srv.db(t, database).QueryRowContext(t.Context(), `SELECT GROUP_CONCAT(PARTITION_NAME ORDER BY PARTITION_ORDINAL_POSITION SEPARATOR ' ')
		FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?`, database, table).Scan(&names)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestRollUpStaysWithRows drops no sums of days whose rows stay.
func TestRollUpStaysWithRows(t *testing.T) {
	srv := need(t)
	s := open(t, srv.config(srv.database(t)))
	write(t, s, record("10.0.0.1:1", "10.0.0.2:443", ending(-5)), record("10.0.0.1:1", "10.0.0.2:443"))
	done, err := s.Prune(t.Context(), store.Policy{RollUp: 24 * time.Hour}, time.Unix(0, noon))
	if err != nil || done.Records != 0 || packets(t, s, query.Query{}) != 6 {
		t.Errorf("got %+v, %v and %d packets", done, err, packets(t, s, query.Query{}))
	}
}

func TestPruneBySize(t *testing.T) {
	srv := need(t)
	s := open(t, srv.config(srv.database(t)))
	var records []flow.Record
	for i := range 4000 {
		records = append(records, record("10.0.0.1:1", "10.0.0.2:443", ending(i%4), func(r *flow.Record) { r.Info = strings.Repeat("x", 200) }))
	}
	write(t, s, records...)
	// Until it measures, the server does not know.
	if done, err := s.Prune(t.Context(), store.Policy{Size: 1 << 40}, time.Unix(0, noon)); err != nil || done != (store.Pruned{}) {
		t.Fatalf("a large bound: got %+v, %v", done, err)
	}
	before, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Prune(t.Context(), store.Policy{Size: before.Bytes - 1}, time.Unix(0, noon))
	if err != nil || done.Records != 1000 || !done.Before.Equal(time.Date(2026, time.March, 15, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("a byte too many: got %+v, %v; want a day of 1000 records", done, err)
	}
	done, err = s.Prune(t.Context(), store.Policy{Size: 1}, time.Unix(0, noon))
	if err != nil || done.Records != 2000 {
		t.Errorf("one byte: got %+v, %v; want 2000 records", done, err)
	}
	if stats, err := s.Stats(t.Context()); err != nil || stats.Records != 1000 {
		t.Errorf("left: %+v, %v; want the latest day", stats, err)
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
