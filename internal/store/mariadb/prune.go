package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

const (
	// dropWait is how long dropping waits for those who read the table, in seconds.
	dropWait = 60
	// ledgerAge is how long a unit's identifier is kept: a write that is repeated
	// after that counts again.
	ledgerAge = 30 * 24 * time.Hour
	// deleteRows is how many rows of small tables are deleted at a time.
	deleteRows = 10_000
	// deletePause lets others at a table between two deletions.
	deletePause = 20 * time.Millisecond
)

// A Policy says what Prune drops. Only whole days go: those, in UTC, that ended
// at the given time or before.
type Policy struct {
	Flows time.Time // rows and losses; zero = keep all
	Edges time.Time // the roll-up; zero = keep all. It may be kept longer than rows
	// DeleteRows is how many rows at a time are deleted from a table that has no
	// partition for each day, because ntopng made it. 0 = do not: that takes long,
	// and a table of MyISAM is locked meanwhile.
	DeleteRows int
}

// Pruned says what Prune did.
type Pruned struct {
	Partitions []string // dropped, as table.partition
	Rows       int64    // deleted one by one
}

// Prune drops what is old by dropping partitions, which takes no time however
// many rows they hold. It wraps ErrNotPartitioned for tables that it left
// alone; the others are done nevertheless.
func (s *Store) Prune(ctx context.Context, p Policy) (Pruned, error) {
	var done Pruned
	if err := s.writable(ctx); err != nil {
		return done, err
	}
	err := s.prune(ctx, p, &done)
	s.writer.mu.Lock()
	s.writer.rooms = nil // partitions are not as they were
	s.writer.mu.Unlock()
	return done, s.config.explain(err)
}

func (s *Store) prune(ctx context.Context, p Policy, done *Pruned) error {
	var left []string
	if !p.Flows.IsZero() {
		cut := floor(p.Flows.Unix(), daySeconds)
		for i := range s.tables {
			t := &s.tables[i]
			switch {
			case t.daily:
				if err := s.dropBefore(ctx, t.name, cut, done); err != nil {
					return err
				}
			case p.DeleteRows > 0:
				first := ""
				if t.columns["FIRST_SWITCHED"] {
					first = fmt.Sprintf("FIRST_SWITCHED < %d AND ", cut) // there is a key
				}
				if err := s.deleteSome(ctx, quoteName(t.name), fmt.Sprintf("%sLAST_SWITCHED < %d", first, cut), p.DeleteRows, done); err != nil {
					return err
				}
			default:
				left = append(left, t.name)
			}
		}
		if err := s.deleteSome(ctx, s.names.losses, fmt.Sprintf("end_time <> 0 AND end_time < %d AND start_time < %[1]d", cut*second), deleteRows, done); err != nil {
			return err
		}
		if err := s.deleteSome(ctx, s.names.days, fmt.Sprintf("`day` < %d", cut), deleteRows, new(Pruned)); err != nil {
			return err
		}
	}
	if !p.Edges.IsZero() {
		if err := s.dropBefore(ctx, s.names.side+"edges", floor(p.Edges.Unix(), daySeconds), done); err != nil {
			return err
		}
	}
	ledger := fmt.Sprintf("written < %d", time.Now().Add(-ledgerAge).Unix())
	if err := s.deleteSome(ctx, s.names.units, ledger, deleteRows, new(Pruned)); err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%s: %w", strings.Join(left, ", "), ErrNotPartitioned)
	}
	return nil
}

// dropBefore drops the partitions of a table that hold nothing from cut on, in
// seconds since 1970.
func (s *Store) dropBefore(ctx context.Context, table string, cut int64, done *Pruned) error {
	return locked(ctx, s.db, func(conn *sql.Conn) error {
		l, err := partitions(ctx, conn, table)
		if err != nil {
			return err
		}
		var old []string
		for _, p := range l.parts {
			if p.bound <= cut {
				old = append(old, quoteName(p.name))
				done.Partitions = append(done.Partitions, table+"."+p.name)
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
		return nil
	})
}

// deleteSome deletes the rows of a table that pass where, some at a time.
func (s *Store) deleteSome(ctx context.Context, table, where string, rows int, done *Pruned) error {
	for {
		result, err := s.db.ExecContext(ctx, "DELETE FROM "+table+" WHERE "+where+" LIMIT ?", rows)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return err
		}
		done.Rows += n
		if n < int64(rows) {
			return nil
		}
		if err := wait(ctx, deletePause); err != nil {
			return err
		}
	}
}
