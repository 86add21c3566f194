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
	// maxSplits bounds the partitions that one write makes in a table, whatever
	// times its records say.
	maxSplits = 64
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
	bound int64  // seconds since 1970 UTC; math.MaxInt64 = no end
	bytes uint64 // as the server estimates
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
	err := each(ctx, q, `SELECT PARTITION_NAME, PARTITION_METHOD, REPLACE(PARTITION_EXPRESSION, '`+"`"+`', ''), PARTITION_DESCRIPTION,
		COALESCE(DATA_LENGTH + INDEX_LENGTH, 0)
		FROM information_schema.PARTITIONS
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND PARTITION_NAME IS NOT NULL
		ORDER BY PARTITION_ORDINAL_POSITION`, []any{table}, func(rows *sql.Rows) error {
		var p partition
		var method, expression, bound sql.NullString
		if err := rows.Scan(&p.name, &method, &expression, &bound, &p.bytes); err != nil {
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

// lacking returns those of days, which are in order, that share a partition
// and need not: the latest, if there are many.
func (l *layout) lacking(days []int64) []int64 {
	if !l.byRange {
		return nil
	}
	lacking := slices.DeleteFunc(slices.Clone(days), func(start int64) bool {
		i := l.find(start)
		return i < 0 || l.parts[i].single()
	})
	most := min(maxSplits, (maxPartitions-len(l.parts))/2)
	return lacking[max(0, len(lacking)-max(0, most)):]
}

// find returns the index of the partition that holds start, -1 if there is none.
func (l *layout) find(start int64) int {
	return slices.IndexFunc(l.parts, func(p partition) bool { return start < p.bound })
}

// split returns the statement that gives days, which lie in partition i and
// are in order, their own partitions.
func (l *layout) split(table string, i int, days []int64) string {
	p := l.parts[i]
	lower := int64(math.MinInt64)
	if i > 0 {
		lower = l.parts[i-1].bound
	}
	var into []string
	add := func(name string, bound int64) {
		into = append(into, fmt.Sprintf("PARTITION %s VALUES LESS THAN (%d)", quoteName(name), bound))
		lower = bound
	}
	for _, start := range days {
		if lower < start && start > 0 {
			add("g"+date(start), start)
		}
		add("d"+date(start), start+daySeconds)
	}
	switch {
	case p.bound == math.MaxInt64:
		into = append(into, fmt.Sprintf("PARTITION %s VALUES LESS THAN MAXVALUE", quoteName(p.name)))
	case lower < p.bound:
		add(p.name, p.bound)
	}
	return fmt.Sprintf("ALTER TABLE %s REORGANIZE PARTITION %s INTO (%s)", quoteName(table), quoteName(p.name), strings.Join(into, ", "))
}

// withDaysAhead returns the days that rows of the given days need partitions for, in
// order. Days that are not over bring those that follow.
func withDaysAhead(days []int64, now time.Time) []int64 {
	today := floor(now.Unix(), daySeconds)
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
	if len(l.lacking(days)) == 0 {
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
		for days := l.lacking(days); len(days) > 0; {
			i := l.find(days[0])
			n := 1
			for n < len(days) && l.find(days[n]) == i {
				n++
			}
			_, err := conn.ExecContext(ctx, l.split(table, i, days[:n]))
			if ctx.Err() != nil || lost(err) {
				return err
			}
			if err != nil && number(err) != lockTimeout {
				return fmt.Errorf("make partitions of %s for %s and %d more days: %w", table, date(days[0]), n-1, err)
			}
			if fresh, err = partitions(ctx, conn, table); err != nil {
				return err
			}
			*l, days = fresh, days[n:]
		}
		return nil
	})
}
