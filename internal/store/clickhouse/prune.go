package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	nativedriver "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/portolan/portolan/internal/store"
)

// rollups are the tables that hold sums. Their days go together.
var rollups = []string{"edges_hour", "edges_day", "days"}

// A partition is what all servers together hold of one day (losses: month) of
// a table.
type partition struct {
	table       string
	id          string    // YYYYMMDD or YYYYMM
	ends        time.Time // the first moment after it
	rows, bytes uint64
}

// Prune drops whole days: records that ended longer than p.Raw ago, sums that
// are older than p.RollUp, and the oldest days while all takes more than
// p.Size. The sums of a day stay as long as its records do, and the latest day
// of records stays whatever its size. Losses go by months, with the sums.
// After an error a part may be done; the next call does the rest.
func (s *Store) Prune(ctx context.Context, p store.Policy, now time.Time) (store.Pruned, error) {
	var done store.Pruned
	if err := s.writable(ctx); err != nil {
		return done, err
	}
	there, err := s.partitions(ctx)
	if err != nil {
		return done, s.failed(ctx, err)
	}
	for _, gone := range choose(there, p, now) {
		if err := s.drop(ctx, gone); err != nil {
			return done, s.failed(ctx, err)
		}
		done.Parts++
		done.Bytes += gone.bytes
		if gone.table == "flows" {
			done.Records += gone.rows
			done.Before = gone.ends
		}
	}
	return done, nil
}

// choose returns what p lets go of there, oldest first, records before sums.
func choose(there []partition, p store.Policy, now time.Time) (gone []partition) {
	size, last := uint64(0), time.Time{}
	for _, x := range there {
		size += x.bytes
		if x.table == "flows" && x.ends.After(last) {
			last = x.ends
		}
	}
	old := func(x partition, age time.Duration) bool { return age > 0 && !x.ends.After(now.Add(-age)) }
	large := func() bool { return p.Size > 0 && size > p.Size }
	kept := map[string]bool{} // days with records
	for _, x := range there {
		switch {
		case x.table != "flows":
		case old(x, p.Raw) || large() && x.ends.Before(last):
			gone = append(gone, x)
			size -= x.bytes
		default:
			kept[x.id] = true
		}
	}
	dropped := map[string]bool{} // days without sums: the tables stay alike
	for _, x := range there {
		switch {
		case x.table == "losses" && old(x, p.RollUp),
			slices.Contains(rollups, x.table) && !kept[x.id] && (dropped[x.id] || old(x, p.RollUp) || large() && x.ends.Before(last)):
			gone = append(gone, x)
			size -= x.bytes
			dropped[x.id] = true
		}
	}
	return gone
}

// partitions returns those that hold rows, oldest first.
func (s *Store) partitions(ctx context.Context) (all []partition, err error) {
	names := map[string]string{} // of tables, by those on a server
	var local []string
	for _, t := range tables {
		name := s.shape.localName(t.name)
		names[name] = t.name
		local = append(local, name)
	}
	statement := "SELECT table, partition_id, sum(rows), sum(bytes_on_disk) FROM " + s.system("parts") +
		" WHERE active AND rows > 0 AND database = {p1:String} AND table IN {p2:Array(String)} GROUP BY table, partition_id"
	_, err = s.rows(ctx, statement, []any{named(1, s.config.Database), named(2, local)}, func(rows nativedriver.Rows) (bool, error) {
		var p partition
		var table string
		if err := rows.Scan(&table, &p.id, &p.rows, &p.bytes); err != nil {
			return false, err
		}
		p.table = names[table]
		if p.ends, err = ends(p.id); err != nil {
			return false, fmt.Errorf("table %s: partition %q: %w", table, p.id, err)
		}
		all = append(all, p)
		return true, nil
	})
	slices.SortFunc(all, func(a, b partition) int {
		return cmp.Or(a.ends.Compare(b.ends), strings.Compare(a.table, b.table))
	})
	return all, err
}

// ends returns the first moment after a day or a month.
func ends(id string) (time.Time, error) {
	if t, err := time.Parse("200601", id); err == nil {
		return t.AddDate(0, 1, 0), nil
	}
	t, err := time.Parse("20060102", id)
	return t.AddDate(0, 0, 1), err
}

// drop drops a partition on every server. Its name was read by ends: it is
// digits.
func (s *Store) drop(ctx context.Context, p partition) error {
	ctx = driver.Context(ctx, driver.WithSettings(driver.Settings{"max_partition_size_to_drop": 0})) // no limit
	return s.everywhere(ctx, "ALTER TABLE "+s.shape.local(p.table)+s.shape.onCluster()+" DROP PARTITION ID '"+p.id+"'")
}
