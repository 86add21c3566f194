// Package mariadb keeps flow records in tables of a MariaDB server that have
// the names and columns of ntopng's, so that SQL written for those works
// unchanged. docs/formats/mariadb.md describes them.
//
// Any number of processes may write and read at the same time. Tables that
// ntopng wrote, of every generation, can be read; Migrate makes them fit for
// writing.
package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

// A Store is a database with flow tables.
type Store struct {
	config Config
	names  names
	db     *sql.DB

	server capabilities
	tables []flowTable // the flow tables that questions look at
	own    bool        // the tables of a store are there, not only ntopng's

	mu     sync.Mutex // guards closed
	closed bool

	writer writer // guarded by writer.mu
}

var (
	_ store.Store      = (*Store)(nil)
	_ store.Pruner     = (*Store)(nil)
	_ store.OnceWriter = (*Store)(nil)
)

// Open connects to the database. Without ReadOnly, tables that are not there
// are created. It wraps store.ErrNotStore, store.ErrNewer, ErrNtopng and
// ErrEngine. What the server refuses is an *Error, with a hint.
func Open(ctx context.Context, c Config) (*Store, error) {
	db, err := connect(ctx, &c)
	if err != nil {
		return nil, err
	}
	s := &Store{config: c, names: tableNames(c.Tables), db: db}
	if s.config.FlushRows == 0 {
		s.config.FlushRows = defaultFlushRows
	}
	if err := s.prepare(ctx); err != nil {
		db.Close()
		return nil, c.explain(err)
	}
	s.writer.store = s
	return s, nil
}

// connect returns a pool of connections of which one has been made.
func connect(ctx context.Context, c *Config) (*sql.DB, error) { return dial(ctx, c, c.Database) }

// dial does so with a database, or with none.
func dial(ctx context.Context, c *Config, database string) (*sql.DB, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	d, err := c.driverConfig()
	if err != nil {
		return nil, err
	}
	d.DBName = database
	connector, err := mysql.NewConnector(d)
	if err != nil {
		return nil, c.explain(err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxIdleConns(4)
	db.SetConnMaxIdleTime(5 * time.Minute) // well below the server's wait_timeout of 8 h, and of firewalls
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, c.explain(err)
	}
	return db, nil
}

// prepare looks at what there is, and creates what is missing.
func (s *Store) prepare(ctx context.Context) error {
	var err error
	if s.server, err = ask(ctx, s.db); err != nil {
		return err
	}
	if !s.config.ReadOnly {
		if err := s.create(ctx); err != nil {
			return err
		}
	}
	if s.own, err = s.checkVersion(ctx); err != nil {
		return err
	}
	if s.tables, err = flowTables(ctx, s.db, &s.names); err != nil {
		return err
	}
	if len(s.tables) == 0 {
		return fmt.Errorf("%w: no table %sv4, %sv6", store.ErrNotStore, s.names.prefix, s.names.prefix)
	}
	if s.config.ReadOnly {
		return nil
	}
	for _, t := range s.tables {
		if err := t.writable(&s.names); err != nil {
			return err
		}
	}
	return nil
}

// checkVersion reports whether the database holds a store's own tables.
func (s *Store) checkVersion(ctx context.Context) (bool, error) {
	var found sql.NullInt64
	err := s.db.QueryRowContext(ctx, "SELECT MAX(version) FROM "+s.names.schema).Scan(&found)
	if number(err) == noSuchTable {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if found.Int64 > version {
		return false, fmt.Errorf("%w: version %d, this one knows %d", store.ErrNewer, found.Int64, version)
	}
	return found.Valid, nil
}

// schemaLock is held while tables are created or changed.
const (
	schemaLock     = "portolan.schema"
	schemaLockWait = 30 // seconds
)

// locked runs f on a connection that holds the lock on the schema of this
// database.
func locked(ctx context.Context, db *sql.DB, f func(*sql.Conn) error) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	const name = "CONCAT('" + schemaLock + ".', LEFT(MD5(DATABASE()), 16))"
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+name+", ?)", schemaLockWait).Scan(&got); err != nil {
		return err
	}
	if got.Int64 != 1 {
		return fmt.Errorf("another process changes the tables, for more than %d s", schemaLockWait)
	}
	defer func() {
		// A connection that is lost lets go of its locks, too.
		_, unlockErr := conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK("+name+")")
		if err == nil && !lost(unlockErr) {
			err = unlockErr
		}
	}()
	return f(conn)
}

// create makes the tables that are not there.
func (s *Store) create(ctx context.Context) error {
	missing, err := s.missing(ctx, s.db)
	if err != nil || len(missing) == 0 {
		return err
	}
	return locked(ctx, s.db, func(conn *sql.Conn) error {
		missing, err := s.missing(ctx, conn)
		if err != nil {
			return err
		}
		for _, c := range missing {
			if _, err := conn.ExecContext(ctx, c.statement); err != nil {
				return fmt.Errorf("create table %s: %w", c.table, err)
			}
		}
		_, err = conn.ExecContext(ctx, "INSERT IGNORE INTO "+s.names.schema+" (version) VALUES (?)", version)
		return err
	})
}

// A queryer is a pool, a connection or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// missing returns what create has to do. The table with the version comes
// last: where it is, the others are.
func (s *Store) missing(ctx context.Context, q queryer) ([]creation, error) {
	var found []string
	err := each(ctx, q, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()", nil, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		found = append(found, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(s.names.creations(), func(c creation) bool { return slices.Contains(found, c.table) }), nil
}

// each runs f for each row of an answer.
func each(ctx context.Context, q queryer, text string, args []any, f func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ready says why a call cannot go on.
func (s *Store) ready(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.ErrClosed
	}
	return ctx.Err()
}

func (s *Store) writable(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	if s.config.ReadOnly {
		return s.config.explain(store.ErrReadOnly)
	}
	return nil
}

// WriteFlows copies b's records. Before that it writes what waits, if that is
// enough or old; if that fails nothing of b was taken, and the call can be
// made again.
func (s *Store) WriteFlows(ctx context.Context, b *flow.Batch) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	return s.config.explain(s.writer.take(ctx, b.Records))
}

// WriteLoss keeps l until the next Flush.
func (s *Store) WriteLoss(ctx context.Context, l []flow.Loss) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	s.writer.takeLosses(l)
	return nil
}

// Flush writes what waits: when it returns nil, all of it is committed. After
// an error it can be called again; nothing is written twice, even if the
// connection was lost while the server committed.
func (s *Store) Flush(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	return s.config.explain(s.writer.flush(ctx))
}

// closeTimeout is how long Close tries to flush.
const closeTimeout = time.Minute

// Close flushes, and ends the connections. After an error the store is closed
// all the same, and what could not be flushed is lost.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return store.ErrClosed
	}
	s.closed = true
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.config.explain(s.writer.flush(ctx))
	if n := s.writer.waiting(); n > 0 {
		err = errors.Join(err, fmt.Errorf("mariadb: %d records were not written", n))
	}
	return errors.Join(err, s.db.Close())
}

// Losses yields what was lost in span.
func (s *Store) Losses(ctx context.Context, span flow.Span) iter.Seq2[flow.Loss, error] {
	return func(yield func(flow.Loss, error) bool) {
		losses, err := s.losses(ctx, span)
		if err != nil {
			yield(flow.Loss{}, s.config.explain(err))
			return
		}
		for _, l := range losses {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// losses returns what was lost in span, in order.
func (s *Store) losses(ctx context.Context, span flow.Span) (losses []flow.Loss, err error) {
	if err := s.ready(ctx); err != nil || !s.own {
		return nil, err
	}
	text := "SELECT start_time, end_time, observer, stage, reason, unit, `count` FROM " + s.names.losses + " WHERE 1 = 1"
	var args []any
	if span.End != 0 {
		text, args = text+" AND start_time < ?", append(args, span.End)
	}
	if span.Start != 0 {
		text, args = text+" AND (end_time = 0 OR end_time > ? OR start_time >= ?)", append(args, span.Start, span.Start)
	}
	err = each(ctx, s.db, text, args, func(rows *sql.Rows) error {
		var l flow.Loss
		err := rows.Scan(&l.Span.Start, &l.Span.End, &l.Observer, &l.Where, &l.Reason, &l.Unit, &l.Count)
		losses = append(losses, l)
		return err
	})
	slices.SortFunc(losses, store.CompareLoss)
	return losses, err
}

// storedLoss returns l as it is kept.
func storedLoss(l flow.Loss) flow.Loss {
	l.Observer, l.Where = stored(l.Observer), stored(l.Where)
	l.Reason, l.Unit = stored(l.Reason), stored(l.Unit)
	l.Count = min(l.Count, maxCounter)
	return l
}

// stored returns a text as it is kept: query.Text, and not longer than a
// mediumtext.
func stored(s string) string { return cut(query.Text(s), maxText) }
