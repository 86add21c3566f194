//go:build cgo && !no_duckdb

package parquet

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/big"
	"net/netip"
	"reflect"
	"regexp"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/portolan/portolan/internal/flow"
)

// ErrNotReading is wrapped by SQL for a statement that does more than read.
var ErrNotReading = errors.New("only one SELECT, DESCRIBE, SHOW or EXPLAIN is allowed")

// SQL answers one statement in DuckDB's dialect. It can read the views flows,
// edges_hour, edges_day and losses, and nothing else: no other files, no
// settings, no writing. The functions ip(bytes) and addr(text) turn addresses
// into text and back. The loop over rows must be run, once: it frees what the
// answer holds.
func (s *Store) SQL(ctx context.Context, statement string) (columns []string, rows iter.Seq2[[]any, error], err error) {
	s.mu.Lock()
	err = s.ready(ctx)
	s.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	var result driver.Rows
	var conn driver.Conn
	for range retries {
		conn, result, err = s.query(ctx, statement)
		if err == nil || !strings.Contains(err.Error(), "No files found") {
			break
		}
	}
	if err != nil {
		return nil, nil, err
	}
	columns = result.Columns()
	return columns, func(yield func([]any, error) bool) {
		defer conn.Close()
		defer result.Close()
		values := make([]driver.Value, len(columns))
		for {
			err := result.Next(values)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, duckError(err))
				return
			}
			row := make([]any, len(values))
			for i, v := range values {
				row[i] = plain(v)
			}
			if !yield(row, nil) {
				return
			}
		}
	}, nil
}

// plain makes numbers of 128 bits plain ones where they fit.
func plain(v any) any {
	if n, ok := v.(*big.Int); ok {
		if n.IsInt64() {
			return n.Int64()
		}
		return n.String()
	}
	return v
}

func (s *Store) query(ctx context.Context, statement string) (_ driver.Conn, _ driver.Rows, err error) {
	c, err := s.engine.start(s)
	if err != nil {
		return nil, nil, err
	}
	conn, err := c.Connect(ctx)
	if err != nil {
		return nil, nil, duckError(err)
	}
	defer func() {
		if err != nil {
			conn.Close()
		}
	}()
	if err := s.createViews(ctx, conn.(driver.ExecerContext)); err != nil {
		return nil, nil, err
	}
	if err := onlyReads(ctx, conn.(driver.QueryerContext), statement); err != nil {
		return nil, nil, err
	}
	result, err := conn.(driver.QueryerContext).QueryContext(ctx, statement, nil)
	if err != nil {
		return nil, nil, duckError(err)
	}
	return conn, result, nil
}

// createViews gives the connection views of the files that there are now.
func (s *Store) createViews(ctx context.Context, conn driver.ExecerContext) error {
	l, err := s.list()
	if err != nil {
		return err
	}
	paths := func(dir string, names []name) (paths []string) {
		for _, n := range names {
			path := s.path(dir, n.String()+fileSuffix)
			if _, err := s.footers.get(path); err == nil {
				paths = append(paths, path)
			}
		}
		return paths
	}
	var edgeNames []name
	for _, n := range l.segments {
		if l.edges[n] {
			edgeNames = append(edgeNames, n)
		}
	}
	const ends = "ip(client) AS client, ip(server) AS server, * EXCLUDE (client, server), client AS client_bytes, server AS server_bytes"
	for _, text := range []string{
		"CREATE TEMP VIEW flows AS SELECT " + ends + " FROM " + relation[flowRow](paths(flowsDir, l.flows)),
		"CREATE TEMP VIEW edges_hour AS SELECT " + ends + " FROM " + relation[edgeRow](paths(edgesDir, edgeNames)),
		`CREATE TEMP VIEW edges_day AS SELECT client, server, server_port, proto, vlan, app_master, app,
			bool_and(app_guess) AS app_guess, observer, date_trunc('day', from_time::TIMESTAMP) AS from_time,
			sum(packets_to_server) AS packets_to_server, sum(bytes_to_server) AS bytes_to_server,
			sum(packets_to_client) AS packets_to_client, sum(bytes_to_client) AS bytes_to_client,
			sum(flows) AS flows, min(first_time) AS first_time, max(last_time) AS last_time, max(evidence) AS evidence
			FROM edges_hour GROUP BY ALL`,
		"CREATE TEMP VIEW losses AS SELECT * FROM " + relation[lossRow](paths(lossesDir, l.losses)),
	} {
		if _, err := conn.ExecContext(ctx, text, nil); err != nil {
			return duckError(err)
		}
	}
	return nil
}

// relation names files, or a table without rows if there are none.
func relation[T any](files []string) string {
	if len(files) > 0 {
		return readParquet(files)
	}
	var columns []string
	for f := range reflect.TypeFor[T]().Fields() {
		column, more, _ := strings.Cut(f.Tag.Get("parquet"), ",")
		kind := map[reflect.Kind]string{
			reflect.Array: "BLOB", reflect.Bool: "BOOLEAN", reflect.String: "VARCHAR", reflect.Int64: "BIGINT",
			reflect.Uint8: "UTINYINT", reflect.Uint16: "USMALLINT", reflect.Uint32: "UINTEGER", reflect.Uint64: "UBIGINT",
		}[f.Type.Kind()]
		if strings.HasPrefix(more, "timestamp") {
			kind = "TIMESTAMP_NS"
		}
		columns = append(columns, "NULL::"+kind+" AS "+column)
	}
	return "(SELECT " + strings.Join(columns, ", ") + " WHERE false)"
}

var (
	explain  = regexp.MustCompile(`(?is)^\s*explain\s+(analyze\s+)?`)
	describe = regexp.MustCompile(`(?is)^\s*(describe|desc|show|summarize)\s+[\w."\s]+;?\s*$`)
)

// onlyReads refuses whatever DuckDB's own parser does not call one SELECT.
func onlyReads(ctx context.Context, conn driver.QueryerContext, statement string) error {
	if describe.MatchString(statement) {
		return nil
	}
	statement = explain.ReplaceAllString(statement, "")
	result, err := conn.QueryContext(ctx,
		"SELECT j->>'error', j->>'error_type', j->>'error_message', json_array_length(j->'statements')::BIGINT FROM (SELECT json_serialize_sql(?::VARCHAR) AS j)",
		[]driver.NamedValue{{Ordinal: 1, Value: statement}})
	if err != nil {
		return duckError(err)
	}
	defer result.Close()
	values := make([]driver.Value, 4)
	if err := result.Next(values); err != nil {
		return duckError(err)
	}
	if values[0] == "true" {
		if values[1] == "parser" {
			return fmt.Errorf("duckdb: %v", values[2])
		}
		return fmt.Errorf("sql: %w", ErrNotReading)
	}
	if values[3] != int64(1) {
		return fmt.Errorf("sql: %w: found %v", ErrNotReading, values[3])
	}
	return nil
}

// A textFunc is a function of SQL with one argument, written in Go.
type textFunc struct {
	from, to duckdb.Type
	call     func(driver.Value) (any, error)
}

func (f textFunc) Config() duckdb.ScalarFuncConfig {
	from, err := duckdb.NewTypeInfo(f.from)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	to, err := duckdb.NewTypeInfo(f.to)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return duckdb.ScalarFuncConfig{InputTypeInfos: []duckdb.TypeInfo{from}, ResultTypeInfo: to}
}

func (f textFunc) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowExecutor: func(v []driver.Value) (any, error) { return f.call(v[0]) }}
}

// registerFunctions adds ip and addr.
func registerFunctions(c *duckdb.Connector) error {
	db := sql.OpenDB(keepOpen{c})
	defer db.Close()
	conn, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	defer conn.Close()
	err = duckdb.RegisterScalarUDF(conn, "ip", textFunc{duckdb.TYPE_BLOB, duckdb.TYPE_VARCHAR, func(v driver.Value) (any, error) {
		b, _ := v.([]byte)
		if len(b) != 16 {
			return nil, fmt.Errorf("ip: %d bytes: an address has 16", len(b))
		}
		return flow.Addr([16]byte(b)).String(), nil
	}})
	if err != nil {
		return err
	}
	return duckdb.RegisterScalarUDF(conn, "addr", textFunc{duckdb.TYPE_VARCHAR, duckdb.TYPE_BLOB, func(v driver.Value) (any, error) {
		text, _ := v.(string)
		a, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("addr: %q is no address", text)
		}
		b := a.As16()
		return b[:], nil
	}})
}

// keepOpen is a connector that outlives the sql.DB that borrows it.
type keepOpen struct{ *duckdb.Connector }

func (keepOpen) Close() error { return nil }
