package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
)

// Stats counts the records. Bytes are the server's estimate.
func (s *Store) Stats(ctx context.Context) (store.Stats, error) {
	var st store.Stats
	if err := s.ready(ctx); err != nil {
		return st, err
	}
	add := func(text string) error {
		var records uint64
		var first, last sql.NullInt64
		if err := s.db.QueryRowContext(ctx, text).Scan(&records, &first, &last); err != nil {
			return err
		}
		if records == 0 || !first.Valid {
			return nil
		}
		end := min(last.Int64, math.MaxInt64-1) + 1
		if st.Records == 0 {
			st.Span = flow.Span{Start: first.Int64, End: end}
		}
		st.Records += records
		st.Span.Start = min(st.Span.Start, first.Int64)
		st.Span.End = max(st.Span.End, end)
		return nil
	}
	if s.own {
		if err := add("SELECT CAST(COALESCE(SUM(records), 0) AS UNSIGNED), MIN(first_time), MAX(last_time) FROM " + s.names.days); err != nil {
			return st, s.config.explain(err)
		}
	}
	for i := range s.tables {
		t := &s.tables[i]
		if !t.foreign() {
			continue
		}
		f := foreignSource(t, new(capabilities))
		err := add("SELECT COUNT(*), MIN(" + f.first + "), MAX(" + f.last + ") FROM " + f.table + " WHERE " + f.where)
		if err != nil {
			return st, s.config.explain(err)
		}
	}
	err := s.sizes(ctx, func(_ string, bytes uint64) { st.Bytes += bytes })
	return st, s.config.explain(err)
}

// sizes gives f the bytes of each table of the store, as the server estimates.
func (s *Store) sizes(ctx context.Context, f func(table string, bytes uint64)) error {
	return each(ctx, s.db, "SELECT TABLE_NAME, COALESCE(DATA_LENGTH + INDEX_LENGTH, 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()", nil,
		func(rows *sql.Rows) error {
			var name string
			var size uint64
			if err := rows.Scan(&name, &size); err != nil {
				return err
			}
			if s.isMine(name) {
				f(name, size)
			}
			return nil
		})
}

// isMine reports whether a table belongs to the store.
func (s *Store) isMine(table string) bool {
	for _, t := range s.tables {
		if t.name == table {
			return true
		}
	}
	for _, c := range s.names.creations() {
		if c.table == table {
			return s.own
		}
	}
	return false
}

// A Status says what the database holds.
type Status struct {
	store.Stats
	Server    string        `json:"server"`   // version
	LoadData  bool          `json:"loadData"` // rows are sent by LOAD DATA LOCAL, which is quick
	Observers int           `json:"observers"`
	Waiting   int           `json:"waiting"` // records that are not written yet
	Tables    []TableStatus `json:"tables"`  // sorted by name
}

// A TableStatus says what one table holds.
type TableStatus struct {
	Name       string    `json:"name"`
	Rows       uint64    `json:"rows"` // as the server estimates
	Bytes      uint64    `json:"bytes"`
	Engine     string    `json:"engine"`
	Partitions int       `json:"partitions"`        // 0 = none
	Daily      bool      `json:"daily"`             // a partition for each day, so that Prune drops them
	Oldest     time.Time `json:"oldest,omitzero"`   // start of the oldest day that has a partition; zero = unknown
	Ntopng     bool      `json:"ntopng"`            // holds, or may hold, rows that ntopng wrote
	Clipped    []string  `json:"clipped,omitempty"` // counters that cannot count beyond 4 GiB
}

// Status looks at all tables of the store.
func (s *Store) Status(ctx context.Context) (Status, error) {
	var st Status
	var err error
	if st.Stats, err = s.Stats(ctx); err != nil {
		return st, err
	}
	st.Waiting = s.writer.waiting()
	return st, s.config.explain(errors.Join(s.serverStatus(ctx, &st), s.tableStatus(ctx, &st)))
}

func (s *Store) serverStatus(ctx context.Context, st *Status) error {
	if err := s.db.QueryRowContext(ctx, "SELECT VERSION(), @@local_infile").Scan(&st.Server, &st.LoadData); err != nil {
		return err
	}
	if !s.own {
		return nil
	}
	return s.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+s.names.observers).Scan(&st.Observers)
}

func (s *Store) tableStatus(ctx context.Context, st *Status) error {
	err := each(ctx, s.db, `SELECT TABLE_NAME, COALESCE(TABLE_ROWS, 0), COALESCE(DATA_LENGTH + INDEX_LENGTH, 0), COALESCE(ENGINE, '')
		FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME`, nil, func(rows *sql.Rows) error {
		var t TableStatus
		if err := rows.Scan(&t.Name, &t.Rows, &t.Bytes, &t.Engine); err != nil {
			return err
		}
		if s.isMine(t.Name) {
			st.Tables = append(st.Tables, t)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range st.Tables {
		t := &st.Tables[i]
		l, err := partitions(ctx, s.db, t.Name)
		if err != nil {
			return err
		}
		t.Partitions, t.Daily = l.count, l.byRange
		for _, p := range l.parts {
			if p.single() && p.bound != math.MaxInt64 {
				t.Oldest = time.Unix(p.bound-daySeconds, 0).UTC()
				break
			}
		}
		for j := range s.tables {
			if f := &s.tables[j]; f.name == t.Name {
				t.Ntopng, t.Clipped = f.foreign(), f.clipped()
			}
		}
	}
	return nil
}
