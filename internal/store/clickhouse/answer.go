package clickhouse

import (
	"context"
	"iter"
	"net/netip"
	"strings"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	nativedriver "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

// Top answers q from what was written when the loop begins.
func (s *Store) Top(ctx context.Context, q query.Query) iter.Seq2[query.Row, error] {
	return func(yield func(query.Row, error) bool) {
		err := s.ready(ctx)
		if err == nil {
			err = q.Check()
		}
		if err == nil {
			err = s.top(ctx, &q, yield)
		}
		if err != nil {
			yield(query.Row{}, err)
		}
	}
}

// top yields the rows of the answer. It returns no error after yield returned
// false.
func (s *Store) top(ctx context.Context, q *query.Query, yield func(query.Row, error) bool) error {
	n := question{database: s.config.Database, q: q}
	var err error
	if n.several, err = s.several(ctx, q.Span); err != nil {
		return s.failed(ctx, err)
	}
	statement := n.statement()
	going, err := s.rows(ctx, statement, n.args, func(rows nativedriver.Rows) (bool, error) {
		var row query.Row
		if err := rows.Scan(destinations(&row, q)...); err != nil {
			return false, err
		}
		row.Flows = max(row.Flows, 1)
		row.App.Guess = row.App.Guess && q.Dims().Has(query.App)
		return yield(row, nil), nil
	})
	if !going {
		return nil
	}
	return s.failed(ctx, err)
}

// rows calls each for every row of an answer, until it returns false; then
// going is false. The answer is dropped, not read, after that.
func (s *Store) rows(ctx context.Context, statement string, args []any, each func(nativedriver.Rows) (bool, error)) (going bool, err error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	inner = driver.Context(inner, driver.WithoutProfileEvents())
	if len(statement) > defaultMaxQuery {
		inner = driver.Context(inner, driver.WithSettings(driver.Settings{"max_query_size": 2 * len(statement)}))
	}
	rows, err := s.db.Query(inner, statement, args...)
	if err != nil {
		return true, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := ctx.Err(); err != nil {
			return true, err
		}
		going, err := each(rows)
		if err != nil {
			cancel()
			return true, err
		}
		if !going {
			// Closing reads what is left. What is long is cancelled, which costs the connection.
			defer time.AfterFunc(drain, cancel).Stop()
			return false, rows.Close()
		}
	}
	return true, rows.Err()
}

// drain is how long the rest of an answer is read that nobody wants.
const drain = 100 * time.Millisecond

// defaultMaxQuery is ClickHouse's default of max_query_size, with some room.
const defaultMaxQuery = 200_000

// destinations returns where the columns of an answer to q go.
func destinations(row *query.Row, q *query.Query) (all []any) {
	if q.Step != 0 {
		all = append(all, &row.Bucket)
	}
	of := map[string]any{
		"client": &row.Client, "server": &row.Server, "server_port": &row.Port, "proto": (*uint8)(&row.Proto),
		"app_master": &row.App.Master, "app": &row.App.App, "vlan": &row.VLAN, "observer": &row.Observer,
	}
	for _, c := range columnsOf(q.Dims()) {
		all = append(all, of[c])
	}
	return append(all,
		&row.ToServer.Packets, &row.ToServer.Bytes, &row.ToClient.Packets, &row.ToClient.Bytes,
		&row.Flows, &row.First, &row.Last, (*uint8)(&row.Evidence), (*bit)(&row.App.Guess))
}

// A bit is a bool that the server sends as a number.
type bit bool

// Scan takes 0 or 1.
func (f *bit) Scan(v any) error {
	n, _ := v.(uint8)
	*f = n != 0
	return nil
}

// several returns the days of span that had several observers.
func (s *Store) several(ctx context.Context, span flow.Span) (days []int64, err error) {
	n := question{database: s.config.Database}
	var where []string
	if span.Start >= day {
		where = append(where, "from_time >= "+n.moment(floor(span.Start, day)))
	}
	if span.End != 0 {
		where = append(where, "from_time < "+n.moment(span.End))
	}
	statement := "SELECT toUnixTimestamp64Nano(from_time) FROM " + s.config.Database + ".days"
	if len(where) > 0 {
		statement += " WHERE " + strings.Join(where, " AND ")
	}
	statement += " GROUP BY from_time HAVING min(observer) <> max(observer) ORDER BY from_time"
	_, err = s.rows(ctx, statement, n.args, func(rows nativedriver.Rows) (bool, error) {
		var d int64
		err := rows.Scan(&d)
		days = append(days, d)
		return true, err
	})
	return days, err
}

// Losses yields what was lost in span.
func (s *Store) Losses(ctx context.Context, span flow.Span) iter.Seq2[flow.Loss, error] {
	return func(yield func(flow.Loss, error) bool) {
		if err := s.ready(ctx); err != nil {
			yield(flow.Loss{}, err)
			return
		}
		n := question{database: s.config.Database}
		start, end := n.moment(span.Start), n.moment(span.End)
		statement := `SELECT toUnixTimestamp64Nano(start_time), toUnixTimestamp64Nano(end_time), observer, stage, reason, count, unit
			FROM ` + s.config.Database + `.losses
			WHERE (toUnixTimestamp64Nano(end_time) = 0 OR end_time > ` + start + ` OR start_time >= ` + start + `)`
		if span.End != 0 {
			statement += ` AND start_time < ` + end
		}
		statement += ` ORDER BY start_time, end_time, observer, stage, reason, unit, count`
		going, err := s.rows(ctx, statement, n.args, func(rows nativedriver.Rows) (bool, error) {
			var l flow.Loss
			err := rows.Scan(&l.Span.Start, &l.Span.End, &l.Observer, &l.Where, &l.Reason, &l.Count, &l.Unit)
			return err == nil && yield(l, nil), err
		})
		if going && err != nil {
			yield(flow.Loss{}, s.failed(ctx, err))
		}
	}
}

// Stats counts the records. Files are the parts of all tables.
func (s *Store) Stats(ctx context.Context) (store.Stats, error) {
	var stats store.Stats
	if err := s.ready(ctx); err != nil {
		return stats, err
	}
	var parts uint64
	var first int64
	for _, ask := range []struct {
		statement string
		to        []any
	}{
		{"SELECT count(), toUnixTimestamp64Nano(min(from_time)) FROM " + s.config.Database + ".flows", []any{&stats.Records, &first}},
		{"SELECT sum(bytes_on_disk), count() FROM " + s.system("parts") + " WHERE active AND database = {p1:String}", []any{&stats.Bytes, &parts}},
		{"SELECT toUnixTimestamp64Nano(min(first_time)), toUnixTimestamp64Nano(max(last_time)) FROM " + s.config.Database +
			".days WHERE toUnixTimestamp64Nano(from_time) >= {p2:Int64}", []any{&stats.Span.Start, &stats.Span.End}},
	} {
		args := []any{named(1, s.config.Database), named(2, floor(first, day))}
		_, err := s.rows(ctx, ask.statement, args, func(rows nativedriver.Rows) (bool, error) {
			return true, rows.Scan(ask.to...)
		})
		if err != nil {
			return store.Stats{}, s.failed(ctx, err)
		}
	}
	stats.Files = int(parts)
	if stats.Records == 0 {
		stats.Span = flow.Span{}
		return stats, nil
	}
	stats.Span.End++
	return stats, nil
}

// system names a system table: of the server, or of one replica of each shard.
func (s *Store) system(table string) string {
	if s.config.Cluster == "" {
		return "system." + table
	}
	return "cluster('" + s.config.Cluster + "', system." + table + ")"
}

// address16 is the text of an address that ClickHouse reads as IPv6.
func address16(a [16]byte) string { return netip.AddrFrom16(a).String() }
