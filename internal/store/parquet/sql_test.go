//go:build cgo && !no_duckdb

package parquet

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
)

// ask returns the rows of a statement.
func ask(t *testing.T, s *Store, statement string) ([][]any, error) {
	t.Helper()
	_, rows, err := s.SQL(t.Context(), statement)
	if err != nil {
		return nil, err
	}
	var all [][]any
	for row, err := range rows {
		if err != nil {
			return all, err
		}
		all = append(all, row)
	}
	return all, nil
}

func TestSQL(t *testing.T) {
	s := createStore(t, filepath.Join(t.TempDir(), "it's [a] *?"))
	if got, err := ask(t, s, "SELECT count(*) FROM flows, edges_hour, edges_day, losses"); err != nil || got[0][0] != int64(0) {
		t.Fatalf("empty: got %v, %v", got, err)
	}
	write(t, s, record(1, 0), record(2, hour))
	if err := s.WriteLoss(t.Context(), []flow.Loss{{Count: 7, Unit: "packets"}}); err != nil {
		t.Fatal(err)
	}
	flush(t, s)
	for _, tt := range []struct {
		statement string
		want      [][]any
	}{
		{"SELECT client, server, server_port, flow_id FROM flows ORDER BY flow_id;", [][]any{{"10.0.0.1", "2001:db8::2", uint16(443), uint64(1)}, {"10.0.0.1", "2001:db8::2", uint16(443), uint64(2)}}},
		{"WITH x AS (SELECT * FROM flows WHERE server_bytes = addr('2001:db8::2')) SELECT count(*) FROM x", [][]any{{int64(2)}}},
		{"SELECT sum(bytes_to_server) FROM edges_hour", [][]any{{int64(200)}}},
		{"SELECT count(*), sum(flows) FROM edges_day", [][]any{{int64(1), int64(2)}}},
		{"SELECT count FROM losses", [][]any{{uint64(7)}}},
		{"SELECT 'a;b' -- comment; ", [][]any{{"a;b"}}},
	} {
		got, err := ask(t, s, tt.statement)
		if err != nil {
			t.Errorf("%s: %v", tt.statement, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.statement, diff)
		}
	}
	for _, statement := range []string{"DESCRIBE flows", "SHOW TABLES", "describe select 1", "EXPLAIN SELECT * FROM flows", "explain analyze select 1"} {
		if rows, err := ask(t, s, statement); err != nil || len(rows) == 0 {
			t.Errorf("%s: got %d rows, %v", statement, len(rows), err)
		}
	}
}

func TestSQLOnlyReads(t *testing.T) {
	dir := t.TempDir()
	s := createStore(t, filepath.Join(dir, "store"))
	write(t, s, record(1, 0))
	secret := filepath.Join(dir, "secret.csv")
	if err := os.WriteFile(secret, []byte("a\nb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	victim := filepath.Join(dir, "store", "flows", "x.parquet")
	for _, statement := range []string{
		"COPY (SELECT 1) TO " + literal(victim),
		"SELECT 1; COPY (SELECT 1) TO " + literal(victim),
		"EXPLAIN ANALYZE COPY (SELECT 1) TO " + literal(victim),
		"explain /* */ analyze copy (select 1) to " + literal(victim),
		"show tables; copy (select 1) to " + literal(victim),
		"CREATE TABLE t AS SELECT 1", "INSERT INTO losses SELECT * FROM losses", "DROP VIEW flows",
		"ATTACH " + literal(filepath.Join(dir, "x.db")), "INSTALL httpfs", "LOAD httpfs",
		"SET memory_limit = '9GB'", "RESET memory_limit", "PRAGMA database_list", "CALL pragma_version()",
		"SELECT * FROM read_csv(" + literal(secret) + ")", "SELECT * FROM " + literal(secret),
		"SELECT * FROM read_text(" + literal(filepath.Join(dir, "store", "..", "secret.csv")) + ")",
		"SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM glob('/etc/*')",
		"SELECT * FROM read_parquet('https://example.com/x.parquet')",
		"EXPORT DATABASE " + literal(dir), "BEGIN", "VACUUM", "", ";", "SELECT", "SELECT 1; SELECT 2",
	} {
		rows, err := ask(t, s, statement)
		if err == nil {
			t.Errorf("%q: allowed, %v", statement, rows)
		}
	}
	if _, err := os.Stat(victim); err == nil {
		t.Error("a file was written")
	}
	if _, err := ask(t, s, "DELETE FROM flows"); !errors.Is(err, ErrNotReading) {
		t.Errorf("got %v, want ErrNotReading", err)
	}
}
