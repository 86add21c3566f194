//go:build cgo && !no_duckdb

package parquet

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

// HasSQL reports whether this build has DuckDB: SQL, and fast questions.
const HasSQL = true

// An engine is a DuckDB in memory that may read the store's files and nothing
// else. It starts with the first question.
type engine struct {
	mu        sync.Mutex
	connector *duckdb.Connector
	temp      string // folder for what does not fit into memory
}

// start returns the running engine.
func (e *engine) start(s *Store) (*duckdb.Connector, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.connector != nil {
		return e.connector, nil
	}
	temp, err := os.MkdirTemp("", "portolan-duckdb-*")
	if err != nil {
		return nil, err
	}
	c, err := duckdb.NewConnector("?autoinstall_known_extensions=false&autoload_known_extensions=false", nil)
	if err != nil {
		return nil, errors.Join(err, os.Remove(temp))
	}
	setup := []string{
		"SET TimeZone = 'UTC'",
		fmt.Sprintf("SET memory_limit = '%dB'", s.opts.Memory),
		fmt.Sprintf("SET threads = %d", s.opts.Threads),
		"SET temp_directory = " + literal(temp),
		"SET parquet_metadata_cache = true",
		"SET preserve_insertion_order = false",
		// The second is for a folder with *, ? or [ in its name: DuckDB compares patterns too.
		"SET allowed_directories = [" + literal(s.dir+string(os.PathSeparator)) + ", " + literal(globless.Replace(s.dir)+string(os.PathSeparator)) + "]",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	}
	err = run(c, setup)
	if err == nil {
		err = registerFunctions(c)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("duckdb: %w", err), c.Close(), os.RemoveAll(temp))
	}
	e.connector, e.temp = c, temp
	return c, nil
}

// run executes statements on a connection of its own.
func run(c *duckdb.Connector, statements []string) error {
	conn, err := c.Connect(context.Background())
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, text := range statements {
		if _, err := conn.(driver.ExecerContext).ExecContext(context.Background(), text, nil); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

func (e *engine) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.connector == nil {
		return nil
	}
	err := errors.Join(e.connector.Close(), os.RemoveAll(e.temp))
	e.connector = nil
	return err
}

// answer hands the rows of the answer to each, until that returns false;
// then going is false.
func (s *Store) answer(ctx context.Context, p *plan, q *query.Query, each func(query.Row) bool) (going bool, err error) {
	if len(p.flows)+len(p.edges)+len(p.days) == 0 {
		return true, nil
	}
	c, err := s.engine.start(s)
	if err != nil {
		return true, err
	}
	conn, err := c.Connect(ctx)
	if err != nil {
		return true, fmt.Errorf("duckdb: %w", err)
	}
	defer conn.Close()
	text, args := statement(p, q)
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	result, err := conn.(driver.QueryerContext).QueryContext(ctx, text, named)
	if err != nil {
		return true, duckError(err)
	}
	defer result.Close()
	values := make([]driver.Value, len(result.Columns()))
	for {
		if err := ctx.Err(); err != nil {
			return true, err
		}
		err := result.Next(values)
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return true, duckError(err)
		}
		if !each(scanRow(values)) {
			return false, nil
		}
	}
}

// scanRow makes a row of the columns of answerColumns.
func scanRow(v []driver.Value) query.Row {
	var r query.Row
	r.Bucket = v[0].(int64)
	copy(r.Client[:], v[1].([]byte))
	copy(r.Server[:], v[2].([]byte))
	r.Port, r.Proto = v[3].(uint16), flow.Proto(v[4].(uint8))
	r.App = flow.App{Master: v[5].(uint16), App: v[6].(uint16), Guess: v[7].(bool)}
	r.VLAN, r.Observer = v[8].(uint16), v[9].(string)
	r.ToServer = flow.Counters{Packets: v[10].(uint64), Bytes: v[11].(uint64)}
	r.ToClient = flow.Counters{Packets: v[12].(uint64), Bytes: v[13].(uint64)}
	r.Flows = max(v[14].(uint64), 1)
	r.First, r.Last = v[15].(int64), v[16].(int64)
	r.Evidence = flow.Evidence(v[17].(uint8))
	return r
}

// duckError says on one line what DuckDB said.
func duckError(err error) error {
	if e, ok := errors.AsType[*duckdb.Error](err); ok {
		first, _, _ := strings.Cut(e.Msg, "\n\nLINE ")
		return errors.New("duckdb: " + strings.TrimSpace(first))
	}
	return fmt.Errorf("duckdb: %w", err)
}
