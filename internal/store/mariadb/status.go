package mariadb

import (
	"context"
	"database/sql"
	"math"

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
