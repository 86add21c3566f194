package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	nativedriver "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

// most is the largest counter that is kept; larger ones are cut to it, so that
// sums of two never overflow.
const most = 1<<63 - 1

// A block is what one INSERT writes: to one table, and to a limited number of
// its partitions. Its rows and their order never change, so that a server that
// has parts of it can tell.
type block struct {
	token  string
	flows  []flow.Record
	losses []flow.Loss
}

// A block reaches this many days (losses: months) at the most: a server
// refuses more than max_partitions_per_insert_block, by default 100.
const blockPartitions = 100

// token names the n-th block of a group.
func token(group string, n int) string { return group + "-" + strconv.Itoa(n) }

// kept returns r as it is stored: texts are UTF-8, counters at most most.
func kept(r flow.Record) flow.Record {
	r.Observer, r.Info = query.Text(r.Observer), query.Text(r.Info)
	r.ToServer = flow.Counters{Packets: min(r.ToServer.Packets, most), Bytes: min(r.ToServer.Bytes, most)}
	r.ToClient = flow.Counters{Packets: min(r.ToClient.Packets, most), Bytes: min(r.ToClient.Bytes, most)}
	return r
}

// textBytes returns the size of r's texts.
func textBytes(r *flow.Record) int {
	n := len(r.Info) + len(r.Observer)
	if r.Details != nil {
		n += len(r.Details.JA4) + len(r.Details.Software)
	}
	return n
}

// cutFlows returns the blocks that hold records. It may sort records.
func cutFlows(records []flow.Record, next func(n int) string) (blocks []block) {
	day := func(r flow.Record) int64 { return r.End / int64(24*time.Hour) }
	size := func(r flow.Record) int { return textBytes(&r) }
	for part := range cut(records, day, size) {
		blocks = append(blocks, block{token: next(len(blocks)), flows: part})
	}
	return blocks
}

// cutLosses is cutFlows for losses.
func cutLosses(losses []flow.Loss, next func(n int) string) (blocks []block) {
	month := func(l flow.Loss) int64 {
		t := time.Unix(0, l.Span.Start).UTC()
		return int64(t.Year())*12 + int64(t.Month())
	}
	size := func(l flow.Loss) int { return len(l.Observer) + len(l.Where) + len(l.Reason) + len(l.Unit) }
	for part := range cut(losses, month, size) {
		blocks = append(blocks, block{token: next(len(blocks)), losses: part})
	}
	return blocks
}

// cut yields parts of rows that are within the limits of a block. The order of
// rows stays if they lie in few partitions.
func cut[T any](rows []T, partition func(T) int64, size func(T) int) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		seen := map[int64]bool{}
		for _, r := range rows {
			seen[partition(r)] = true
		}
		if len(seen) > blockPartitions {
			slices.SortStableFunc(rows, func(a, b T) int { return cmp.Compare(partition(a), partition(b)) })
		}
		clear(seen)
		start, texts := 0, 0
		for i, r := range rows {
			p := partition(r)
			if i-start >= blockRecords || texts >= blockTexts || !seen[p] && len(seen) >= blockPartitions {
				if !yield(rows[start:i:i]) {
					return
				}
				start, texts = i, 0
				clear(seen)
			}
			seen[p] = true
			texts += size(r)
		}
		if start < len(rows) {
			yield(rows[start:])
		}
	}
}

// Waits between tries. The last is repeated.
var waits = []time.Duration{
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second,
}

// send writes blocks, trying again while the server is away.
func (s *Store) send(ctx context.Context, blocks []block) error {
	deadline := time.Now().Add(s.config.Retry)
	for i := range blocks {
		for try := 0; ; try++ {
			err := s.insert(ctx, &blocks[i])
			if err == nil {
				break
			}
			wait := waits[min(try, len(waits)-1)]
			if ctx.Err() != nil || !passes(err) || time.Now().Add(wait).After(deadline) {
				return s.failed(ctx, err)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(wait):
			}
		}
	}
	return nil
}

// insertSettings are those of every INSERT, with the names that they have had.
// A server knows some of them.
var insertSettings = driver.Settings{
	"async_insert":                  0,  // the answer comes when the rows are there
	"insert_deduplication_token":    "", // each block has its own
	"insert_deduplicate":            1,
	"deduplicate_insert":            "enable", // newer servers look at this instead
	"distributed_foreground_insert": 1,        // the answer comes when all shards have their rows
	"insert_distributed_sync":       1,        // its old name
	// A roll-up that a crash kept from its part of a block gets it when the block is written again.
	"deduplicate_blocks_in_dependent_materialized_views": 1,
	"materialized_views_ignore_errors":                   0,
	"parallel_view_processing":                           0,
	// A block stays whole: the parts of it are numbered, and the numbers belong to the token.
	"max_insert_block_size":           2 * blockRecords,
	"min_insert_block_size_rows":      0,
	"min_insert_block_size_bytes":     0,
	"max_partitions_per_insert_block": 2 * blockPartitions,
}

// knownSettings returns those of insertSettings that the server knows.
func (s *Store) knownSettings(ctx context.Context) (driver.Settings, error) {
	known := driver.Settings{}
	names := slices.Sorted(maps.Keys(insertSettings))
	_, err := s.rows(ctx, "SELECT name FROM system.settings WHERE name IN {p1:Array(String)}", []any{named(1, names)}, func(rows nativedriver.Rows) (bool, error) {
		var name string
		err := rows.Scan(&name)
		known[name] = insertSettings[name]
		return true, err
	})
	if err != nil {
		return nil, err
	}
	for _, must := range []string{"insert_deduplication_token", "deduplicate_blocks_in_dependent_materialized_views"} {
		if _, ok := known[must]; !ok {
			return nil, hinted(fmt.Errorf("the server has no setting %s", must), "a newer ClickHouse is needed: 26.7 is what is tested")
		}
	}
	return known, nil
}

// insert writes one block. After an error, all of it, a part or nothing may
// have been written.
func (s *Store) insert(ctx context.Context, b *block) error {
	settings := maps.Clone(s.settings)
	settings["insert_deduplication_token"] = b.token
	ctx = driver.Context(ctx, driver.WithSettings(settings), driver.WithoutProfileEvents())
	columns, values := flowColumns, b.flowValues
	table := "flows"
	if b.losses != nil {
		columns, values, table = lossColumns, b.lossValues, "losses"
	}
	batch, err := s.db.PrepareBatch(ctx, fmt.Sprintf("INSERT INTO %s.%s (%s)", s.config.Database, table, strings.Join(columns, ", ")))
	if err != nil {
		return err
	}
	defer batch.Close()
	if err := appendColumns(batch, values()); err != nil {
		batch.Abort()
		return err
	}
	return batch.Send()
}

func appendColumns(batch nativedriver.Batch, columns []any) error {
	for i, column := range columns {
		if err := batch.Column(i).Append(column); err != nil {
			return fmt.Errorf("column %d: %w", i, err)
		}
	}
	return nil
}

var flowColumns = []string{
	"client", "server", "client_port", "server_port", "proto", "vlan", "app_master", "app", "app_guess",
	"info", "info_folded", "observer", "start_time", "end_time",
	"packets_to_server", "bytes_to_server", "packets_to_client", "bytes_to_client",
	"evidence", "cause", "flow_id", "slice", "sampling", "server_rtt", "client_rtt",
	"flags_to_server", "flags_to_client", "retransmits", "out_of_order", "zero_windows", "resets",
	"tls_version", "ja4", "software", "from_time",
}

// flowValues returns the columns of flowColumns.
func (b *block) flowValues() []any {
	f := b.flows
	return []any{
		column(f, func(r *flow.Record) [16]byte { return r.Client }),
		column(f, func(r *flow.Record) [16]byte { return r.Server }),
		column(f, func(r *flow.Record) uint16 { return r.ClientPort }),
		column(f, func(r *flow.Record) uint16 { return r.ServerPort }),
		column(f, func(r *flow.Record) uint8 { return uint8(r.Proto) }),
		column(f, func(r *flow.Record) uint16 { return r.VLAN }),
		column(f, func(r *flow.Record) uint16 { return r.App.Master }),
		column(f, func(r *flow.Record) uint16 { return r.App.App }),
		column(f, func(r *flow.Record) bool { return r.App.Guess }),
		column(f, func(r *flow.Record) string { return r.Info }),
		column(f, func(r *flow.Record) string { return folded(r.Info) }),
		column(f, func(r *flow.Record) string { return r.Observer }),
		column(f, func(r *flow.Record) time.Time { return time.Unix(0, r.Start) }),
		column(f, func(r *flow.Record) time.Time { return time.Unix(0, r.End) }),
		column(f, func(r *flow.Record) uint64 { return r.ToServer.Packets }),
		column(f, func(r *flow.Record) uint64 { return r.ToServer.Bytes }),
		column(f, func(r *flow.Record) uint64 { return r.ToClient.Packets }),
		column(f, func(r *flow.Record) uint64 { return r.ToClient.Bytes }),
		column(f, func(r *flow.Record) uint8 { return uint8(r.Evidence) }),
		column(f, func(r *flow.Record) uint8 { return uint8(r.Cause) }),
		column(f, func(r *flow.Record) uint64 { return r.ID }),
		column(f, func(r *flow.Record) uint32 { return r.Slice }),
		column(f, func(r *flow.Record) uint32 { return r.Sampling }),
		column(f, func(r *flow.Record) int64 { return int64(r.TCP.ServerRTT) }),
		column(f, func(r *flow.Record) int64 { return int64(r.TCP.ClientRTT) }),
		column(f, func(r *flow.Record) uint8 { return r.TCP.FlagsToServer }),
		column(f, func(r *flow.Record) uint8 { return r.TCP.FlagsToClient }),
		column(f, func(r *flow.Record) uint32 { return r.TCP.Retransmits }),
		column(f, func(r *flow.Record) uint32 { return r.TCP.OutOfOrder }),
		column(f, func(r *flow.Record) uint32 { return r.TCP.ZeroWindows }),
		column(f, func(r *flow.Record) uint32 { return r.TCP.Resets }),
		column(f, func(r *flow.Record) uint16 { return details(r).TLSVersion }),
		column(f, func(r *flow.Record) string { return query.Text(details(r).JA4) }),
		column(f, func(r *flow.Record) string { return query.Text(details(r).Software) }),
		column(f, func(r *flow.Record) time.Time { return time.Unix(0, floor(r.End, hour)) }),
	}
}

var lossColumns = []string{"start_time", "end_time", "observer", "stage", "reason", "count", "unit"}

// lossValues returns the columns of lossColumns.
func (b *block) lossValues() []any {
	l := b.losses
	return []any{
		column(l, func(l *flow.Loss) time.Time { return time.Unix(0, l.Span.Start) }),
		column(l, func(l *flow.Loss) time.Time { return time.Unix(0, l.Span.End) }),
		column(l, func(l *flow.Loss) string { return l.Observer }),
		column(l, func(l *flow.Loss) string { return l.Where }),
		column(l, func(l *flow.Loss) string { return l.Reason }),
		column(l, func(l *flow.Loss) uint64 { return l.Count }),
		column(l, func(l *flow.Loss) string { return l.Unit }),
	}
}

// column returns one value of each row.
func column[Row, Value any](rows []Row, of func(*Row) Value) []Value {
	values := make([]Value, len(rows))
	for i := range rows {
		values[i] = of(&rows[i])
	}
	return values
}

// folded returns the fold of s if it is another text than s, "" if not.
func folded(s string) string {
	if f := query.Fold(s); f != s {
		return f
	}
	return ""
}

var noDetails flow.Details

func details(r *flow.Record) *flow.Details {
	if r.Details == nil {
		return &noDetails
	}
	return r.Details
}

// hour and day are the lengths of roll-ups, in ns.
const (
	hour = int64(time.Hour)
	day  = 24 * hour
)

// floor returns the largest multiple of step that is not after t, which is not
// before 1970.
func floor(t, step int64) int64 { return t - t%step }

// ceil returns the smallest multiple of step that is not before t.
func ceil(t, step int64) int64 {
	if f := floor(t, step); f < t {
		return f + step
	}
	return t
}
