package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/portolan/portolan/internal/store"
)

const (
	// dropWait is how long dropping waits for those who read the table, in seconds.
	dropWait = 60
	// ledgerAge is how long the identifier of a write without a name is kept: a
	// writer that tries again after that counts twice.
	ledgerAge = 30 * 24 * time.Hour
	// deleteRows is how many rows of small tables are deleted at a time.
	deleteRows = 10_000
	// deletePause lets others at a table between two deletions.
	deletePause = 20 * time.Millisecond
)

// A piece is a partition that holds a day of a table, or more.
type piece struct {
	table string // not quoted
	edges bool   // of the roll-up
	partition
}

// cuts say what goes: all that lies before, in seconds since 1970, on a day's start.
type cuts struct{ flows, edges int64 }

// Prune drops whole days, by dropping partitions: that takes no time however
// many rows they hold. Rows go when their day ended longer than p.Raw ago, the
// roll-up and losses after p.RollUp; while all takes more than p.Size, the
// oldest day goes, first of rows, then of the roll-up. The roll-up of a day
// stays as long as its rows do, and the latest day stays.
//
// Tables without a partition for each day, which ntopng made, are left alone,
// and then the error wraps ErrNotPartitioned when the rest is done; or rows are
// deleted there Config.DeleteRows at a time.
func (s *Store) Prune(ctx context.Context, p store.Policy, now time.Time) (store.Pruned, error) {
	var done store.Pruned
	if err := s.writable(ctx); err != nil {
		return done, err
	}
	err := s.prune(ctx, p, now, &done)
	s.writer.mu.Lock()
	s.writer.rooms = nil // partitions are not as they were
	s.writer.mu.Unlock()
	return done, s.config.explain(err)
}

func (s *Store) prune(ctx context.Context, p store.Policy, now time.Time, done *store.Pruned) error {
	if p.Size > 0 {
		if err := s.measure(ctx); err != nil {
			return err
		}
	}
	pieces, other, err := s.pieces(ctx)
	if err != nil {
		return err
	}
	cut := choose(pieces, other, p, now)
	if cut.flows > 0 {
		if err := s.forgetRows(ctx, cut.flows, done); err != nil {
			return err
		}
	}
	if cut.edges, err = s.noRowsBefore(ctx, cut.edges); err != nil {
		return err
	}
	if cut.edges > 0 {
		if err := s.drop(ctx, s.names.side+"edges", cut.edges, done); err != nil {
			return err
		}
		where := fmt.Sprintf("end_time <> 0 AND end_time < %d AND start_time < %[1]d", cut.edges*second)
		if _, err := s.deleteSome(ctx, s.names.losses, where, deleteRows); err != nil {
			return err
		}
	}
	where := fmt.Sprintf("NOT named AND written < %d", now.Add(-ledgerAge).Unix())
	if _, err := s.deleteSome(ctx, s.names.units, where, deleteRows); err != nil {
		return err
	}
	return s.notPartitioned(p)
}

// measure has the server look how large its tables are. Without that it may
// tell of an hour ago.
func (s *Store) measure(ctx context.Context) error {
	tables := []string{s.names.edges}
	for _, t := range s.tables {
		tables = append(tables, quoteName(t.name))
	}
	return each(ctx, s.db, "ANALYZE NO_WRITE_TO_BINLOG TABLE "+strings.Join(tables, ", "), nil, func(rows *sql.Rows) error {
		var table, op, kind, text string
		if err := rows.Scan(&table, &op, &kind, &text); err != nil {
			return err
		}
		if strings.EqualFold(kind, "error") {
			return fmt.Errorf("measure %s: %s", table, text)
		}
		return nil
	})
}

// pieces returns the partitions of the flow tables and of the roll-up, and how
// many bytes other tables take, as the server estimates.
func (s *Store) pieces(ctx context.Context) (pieces []piece, other uint64, err error) {
	edges := s.names.side + "edges"
	tables := []string{edges}
	for i := range s.tables {
		if s.tables[i].daily {
			tables = append(tables, s.tables[i].name)
		}
	}
	for _, table := range tables {
		l, err := partitions(ctx, s.db, table)
		if err != nil {
			return nil, 0, err
		}
		for _, p := range l.parts {
			pieces = append(pieces, piece{table, table == edges, p})
		}
	}
	err = s.sizes(ctx, func(table string, bytes uint64) {
		if !slices.Contains(tables, table) {
			other += bytes
		}
	})
	return pieces, other, err
}

// choose returns what p lets go of.
func choose(pieces []piece, other uint64, p store.Policy, now time.Time) (cut cuts) {
	if p.Raw > 0 {
		cut.flows = floor(now.Add(-p.Raw).Unix(), daySeconds)
	}
	if p.RollUp > 0 {
		cut.edges = floor(now.Add(-p.RollUp).Unix(), daySeconds)
	}
	if p.Size == 0 {
		return cut
	}
	size := other
	for _, x := range pieces {
		if x.edges && x.bound > cut.edges || !x.edges && x.bound > cut.flows {
			size += x.bytes
		}
	}
	cut.flows = shrink(pieces, false, cut.flows, p.Size, &size)
	if size > p.Size {
		cut.edges = shrink(pieces, true, cut.edges, p.Size, &size)
	}
	return cut
}

// shrink moves cut over the oldest days of the roll-up, or of rows, until size
// is not more than most. It leaves the latest day.
func shrink(pieces []piece, edges bool, cut int64, most uint64, size *uint64) int64 {
	days := map[int64]uint64{} // bytes by bound
	for _, x := range pieces {
		if x.edges == edges && x.bound > cut && x.bound != math.MaxInt64 && x.bytes > emptyBytes {
			days[x.bound] += x.bytes
		}
	}
	bounds := make([]int64, 0, len(days))
	for bound := range days {
		bounds = append(bounds, bound)
	}
	slices.Sort(bounds)
	for i := 0; i+1 < len(bounds) && *size > most; i++ {
		cut = bounds[i]
		*size -= days[bounds[i]]
	}
	return cut
}

// emptyBytes is what a partition without rows takes: a page for each key.
const emptyBytes = 3 * 16 << 10

// forgetRows drops or deletes the rows of days before cut.
func (s *Store) forgetRows(ctx context.Context, cut int64, done *store.Pruned) error {
	parts := done.Parts
	for i := range s.tables {
		t := &s.tables[i]
		switch {
		case t.daily:
			if err := s.drop(ctx, t.name, cut, done); err != nil {
				return err
			}
		case s.config.DeleteRows > 0:
			where := fmt.Sprintf("LAST_SWITCHED < %d", cut)
			if t.columns["FIRST_SWITCHED"] {
				where += fmt.Sprintf(" AND FIRST_SWITCHED < %d", cut) // of which ntopng has a key
			}
			if t.foreign() && t.ours() {
				// Ours among them are counted by their days, below.
				n, err := s.deleteSome(ctx, quoteName(t.name), where+" AND end_time IS NOT NULL", s.config.DeleteRows)
				if err != nil {
					return err
				}
				done.Parts += int(min(n, 1))
			}
			n, err := s.deleteSome(ctx, quoteName(t.name), where, s.config.DeleteRows)
			if err != nil {
				return err
			}
			done.Records += uint64(n)
			done.Parts += int(min(n, 1))
		}
	}
	var records uint64
	err := s.db.QueryRowContext(ctx, "SELECT CAST(COALESCE(SUM(records), 0) AS UNSIGNED) FROM "+s.names.days+" WHERE `day` < ?", cut).Scan(&records)
	if err != nil {
		return err
	}
	done.Records += records
	if records > 0 || done.Parts > parts {
		done.Before = time.Unix(cut, 0).UTC()
	}
	_, err = s.deleteSome(ctx, s.names.days, fmt.Sprintf("`day` < %d", cut), deleteRows)
	return err
}

// noRowsBefore returns cut, or the first day that rows are left of if that is
// earlier.
func (s *Store) noRowsBefore(ctx context.Context, cut int64) (int64, error) {
	var first sql.NullInt64
	err := s.db.QueryRowContext(ctx, "SELECT MIN(`day`) FROM "+s.names.days).Scan(&first)
	if err != nil || !first.Valid {
		return cut, err
	}
	return min(cut, first.Int64), nil
}

// notPartitioned says which tables were left alone.
func (s *Store) notPartitioned(p store.Policy) error {
	var left []string
	for _, t := range s.tables {
		if !t.daily && s.config.DeleteRows == 0 && (p.Raw > 0 || p.Size > 0) {
			left = append(left, t.name)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", strings.Join(left, ", "), ErrNotPartitioned)
}

// drop drops the partitions of a table that hold nothing from cut on.
func (s *Store) drop(ctx context.Context, table string, cut int64, done *store.Pruned) error {
	return locked(ctx, s.db, func(conn *sql.Conn) error {
		l, err := partitions(ctx, conn, table) // as they are now
		if err != nil {
			return err
		}
		var old []string
		var bytes uint64
		for _, p := range l.parts {
			if p.bound <= cut {
				old = append(old, quoteName(p.name))
				bytes += p.bytes
			}
		}
		if len(old) == 0 {
			return nil
		}
		if _, err := conn.ExecContext(ctx, "SET SESSION lock_wait_timeout = ?", dropWait); err != nil {
			return err
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SET SESSION lock_wait_timeout = DEFAULT")
		if _, err := conn.ExecContext(ctx, "ALTER TABLE "+quoteName(table)+" DROP PARTITION "+strings.Join(old, ", ")); err != nil {
			return fmt.Errorf("drop %d partitions of %s: %w", len(old), table, err)
		}
		done.Parts += len(old)
		done.Bytes += bytes
		return nil
	})
}

// deleteSome deletes the rows of a table that pass where, some at a time, and
// returns how many they were.
func (s *Store) deleteSome(ctx context.Context, table, where string, rows int) (deleted int64, err error) {
	for {
		result, err := s.db.ExecContext(ctx, "DELETE FROM "+table+" WHERE "+where+" LIMIT ?", rows)
		if err != nil {
			return deleted, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return deleted, err
		}
		deleted += n
		if n < int64(rows) {
			return deleted, nil
		}
		if err := wait(ctx, deletePause); err != nil {
			return deleted, err
		}
	}
}
