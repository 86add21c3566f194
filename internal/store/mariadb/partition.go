package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	hour = int64(time.Hour)
	day  = int64(24 * time.Hour)

	daySeconds = 86400
	// maxPartitions bounds the partitions of a table: four years of days. Rows
	// beyond that share one. The server's own limit is 8192.
	maxPartitions = 1500
	// daysAhead is how many days after one that is not over get their partition
	// with it, so that no write at midnight waits for the readers of the table.
	daysAhead = 2
	// alterWait is how long a new partition waits for those readers, in seconds.
	// After that rows share the partition that is there.
	alterWait = 10
)

// A partition holds the rows from the bound of the one before it up to, but
// not including, its own.
type partition struct {
	name  string
	bound int64 // seconds since 1970 UTC; math.MaxInt64 = no end
}

// single reports whether p is meant for one day, not for what lies between.
func (p *partition) single() bool { return strings.HasPrefix(p.name, "d") }

// A layout is how a table is partitioned.
type layout struct {
	count   int  // of partitions
	byRange bool // by ranges of LAST_SWITCHED or of the hour
	parts   []partition
}

// partitions reads the layout of a table.
func partitions(ctx context.Context, q queryer, table string) (layout, error) {
	var l layout
	err := each(ctx, q, `SELECT PARTITION_NAME, PARTITION_METHOD, REPLACE(PARTITION_EXPRESSION, '`+"`"+`', ''), PARTITION_DESCRIPTION
		FROM information_schema.PARTITIONS
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND PARTITION_NAME IS NOT NULL
		ORDER BY PARTITION_ORDINAL_POSITION`, []any{table}, func(rows *sql.Rows) error {
		var p partition
		var method, expression, bound sql.NullString
		if err := rows.Scan(&p.name, &method, &expression, &bound); err != nil {
			return err
		}
		l.count++
		column := strings.ToUpper(expression.String)
		l.byRange = method.String == "RANGE" && (column == "LAST_SWITCHED" || column == "HOUR")
		if !l.byRange {
			return nil
		}
		p.bound = math.MaxInt64
		if bound.String != "MAXVALUE" {
			var err error
			if p.bound, err = strconv.ParseInt(bound.String, 10, 64); err != nil {
				return fmt.Errorf("table %s: the bound of partition %s: %w", table, p.name, err)
			}
		}
		l.parts = append(l.parts, p)
		return nil
	})
	return l, err
}

// covers reports whether rows of the day that begins at start have a place of
// their own, or have to do with the one that is there.
func (l *layout) covers(start int64) bool {
	i := l.find(start)
	return i < 0 || l.parts[i].single() || len(l.parts)+2 > maxPartitions
}

// find returns the index of the partition that holds start, -1 if there is none.
func (l *layout) find(start int64) int {
	return slices.IndexFunc(l.parts, func(p partition) bool { return start < p.bound })
}

// split returns the statement that gives the day its own partition.
func (l *layout) split(table string, start int64) string {
	i := l.find(start)
	p := l.parts[i]
	lower := int64(math.MinInt64)
	if i > 0 {
		lower = l.parts[i-1].bound
	}
	name := date(start)
	var into []string
	if lower < start && (lower != math.MinInt64 || start > 0) {
		into = append(into, fmt.Sprintf("PARTITION g%s VALUES LESS THAN (%d)", name, start))
	}
	into = append(into, fmt.Sprintf("PARTITION d%s VALUES LESS THAN (%d)", name, start+daySeconds))
	if start+daySeconds < p.bound {
		bound := "MAXVALUE"
		if p.bound != math.MaxInt64 {
			bound = "(" + strconv.FormatInt(p.bound, 10) + ")"
		}
		into = append(into, fmt.Sprintf("PARTITION %s VALUES LESS THAN %s", quoteName(p.name), bound))
	}
	return fmt.Sprintf("ALTER TABLE %s REORGANIZE PARTITION %s INTO (%s)", quoteName(table), quoteName(p.name), strings.Join(into, ", "))
}

// withDaysAhead returns the days that rows of the given days need partitions for, in
// order. Days that are not over bring those that follow.
func withDaysAhead(days []int64, now time.Time) []int64 {
	today := now.Unix() - now.Unix()%daySeconds
	all := slices.Clone(days)
	for _, d := range days {
		if d < today-daySeconds || d > today+daySeconds {
			continue
		}
		for i := range int64(daysAhead) {
			all = append(all, d+(i+1)*daySeconds)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// makeRoom gives each of days its partition in a table of the store. A day
// that cannot have one shares another's: that is an error only if the server
// is gone.
func (s *Store) makeRoom(ctx context.Context, table string, l *layout, days []int64) error {
	days = slices.DeleteFunc(slices.Clone(days), l.covers)
	if len(days) == 0 || !l.byRange {
		return nil
	}
	return locked(ctx, s.db, func(conn *sql.Conn) error {
		fresh, err := partitions(ctx, conn, table)
		if err != nil {
			return err
		}
		*l = fresh
		if _, err := conn.ExecContext(ctx, "SET SESSION lock_wait_timeout = ?", alterWait); err != nil {
			return err
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SET SESSION lock_wait_timeout = DEFAULT")
		for _, start := range days {
			if l.covers(start) {
				continue
			}
			_, err := conn.ExecContext(ctx, l.split(table, start))
			if ctx.Err() != nil || lost(err) {
				return err
			}
			if err != nil && number(err) != lockTimeout {
				return fmt.Errorf("partition of %s for %s: %w", table, time.Unix(start, 0).UTC().Format(time.DateOnly), err)
			}
			if fresh, err = partitions(ctx, conn, table); err != nil {
				return err
			}
			*l = fresh
		}
		return nil
	})
}
