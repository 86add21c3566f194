package parquet

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store/memory"
)

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// answerFromFlows answers q by reading the segments that lie in its span and
// handing what passes to the memory store. It is slow, and needs memory for
// every record that passes.
func (s *Store) answerFromFlows(ctx context.Context, q *query.Query, each func(query.Row) bool) (going bool, err error) {
	l, err := s.list()
	if err != nil {
		return true, err
	}
	raw := *q
	raw.Step = 1 // not from roll-ups
	p, err := s.plan(&l, &raw)
	if err != nil {
		return true, err
	}
	m := memory.New()
	var batch flow.Batch
	for _, path := range p.flows {
		batch.Reset()
		err := rows(path, func(row *flowRow) bool {
			r := row.record()
			if q.Span.Contains(r.End) && (q.Filter == nil || q.Filter.Matches(&r)) {
				batch.Records = append(batch.Records, r)
			}
			return true
		})
		if err == nil {
			err = m.WriteFlows(ctx, &batch)
		}
		if err != nil {
			return true, err
		}
	}
	for row, err := range m.Top(ctx, *q) {
		if err != nil {
			return true, err
		}
		if !each(row) {
			return false, nil
		}
	}
	return true, nil
}

// counters are the summed columns of roll-ups, and of their answers.
var counters = []string{"packets_to_server", "bytes_to_server", "packets_to_client", "bytes_to_client", "flows"}

// edgeColumns are what tells edges apart.
var edgeColumns = []string{"client", "server", "server_port", "proto", "app_master", "app"}

// statement returns the SQL that answers q from the files of p, for DuckDB.
// Its columns are those of scanRow.
func statement(p *plan, q *query.Query) (text string, args []any) {
	dims := q.Dims()
	where, filterArgs := query.DuckDB.SQL(q.Filter)
	var sources []string
	add := func(columns, from, where string, more ...any) {
		sources = append(sources, "SELECT "+columns+" FROM "+from+" WHERE "+where)
		args = append(args, more...)
	}
	shared := strings.Join(edgeColumns, ", ") + ", vlan, observer, app_guess, evidence, " + strings.Join(counters[:4], ", ")
	if len(p.flows) > 0 {
		columns := shared + ", (slice = 0)::UBIGINT AS flows, epoch_ns(start_time) AS first_ns, epoch_ns(end_time) AS last_ns" +
			", epoch_ns(end_time) // 3600000000000 AS hour, " + bucket("epoch_ns(end_time)", q)
		condition := "(" + where + ")"
		more := filterArgs
		if q.Span.Start != 0 {
			condition += fmt.Sprintf(" AND epoch_ns(end_time) >= %d", q.Span.Start)
		}
		if q.Span.End != 0 {
			condition += fmt.Sprintf(" AND epoch_ns(end_time) < %d", q.Span.End)
		}
		add(columns, readParquet(p.flows), condition, more...)
	}
	for _, files := range [][]string{p.edges, p.days} {
		if len(files) == 0 {
			continue
		}
		columns := shared + ", flows, epoch_ns(first_time) AS first_ns, epoch_ns(last_time) AS last_ns" +
			", epoch_ns(from_time) // 3600000000000 AS hour, " + bucket("epoch_ns(from_time)", q)
		add(columns, readParquet(files), where, filterArgs...)
	}
	from := "(" + strings.Join(sources, "\nUNION ALL ") + ")"

	kept := []string{"bucket"}
	for _, c := range []struct {
		dim   query.Dims
		names []string
	}{
		{query.Client, edgeColumns[:1]}, {query.Server, edgeColumns[1:2]}, {query.Port, edgeColumns[2:3]},
		{query.Proto, edgeColumns[3:4]}, {query.App, edgeColumns[4:6]},
		{query.VLAN, []string{"vlan"}}, {query.Observer, []string{"observer"}},
	} {
		if dims.Has(c.dim) {
			kept = append(kept, c.names...)
		}
	}
	if p.observers > 1 && !dims.Has(query.Observer) {
		cell := append([]string{"bucket", "hour"}, edgeColumns...)
		if dims.Has(query.VLAN) {
			cell = append(cell, "vlan")
		}
		from = "(" + aggregate(from, append(cell[:len(cell):len(cell)], "observer"), "sum") + ")"
		from = "(" + aggregate(from, cell, "max") + ")"
	}
	text = "SELECT " + strings.Join(answerColumns(dims), ", ") +
		" FROM (" + aggregate(from, kept, "sum") + ")\nORDER BY bucket, " + orderBy(q.Sort)
	for _, k := range []string{"client", "server", "proto", "server_port", "app_master", "app", "vlan", "observer"} {
		for _, have := range kept {
			if have == k {
				text += ", " + k
			}
		}
	}
	if q.Limit > 0 {
		text += fmt.Sprintf("\nLIMIT %d", q.Limit)
	}
	return text, args
}

func bucket(column string, q *query.Query) string {
	if q.Step == 0 {
		return "0::BIGINT AS bucket"
	}
	return fmt.Sprintf("(%s // %d) * %d AS bucket", column, int64(q.Step), int64(q.Step))
}

// aggregate groups from by columns.
func aggregate(from string, columns []string, function string) string {
	list := strings.Join(columns, ", ")
	var b strings.Builder
	fmt.Fprintf(&b, "SELECT %s, bool_and(app_guess) AS app_guess, max(evidence) AS evidence, min(first_ns) AS first_ns, max(last_ns) AS last_ns", list)
	for _, c := range counters {
		fmt.Fprintf(&b, ", %s(%s) AS %s", function, c, c)
	}
	fmt.Fprintf(&b, "\nFROM %s\nGROUP BY %s", from, list)
	return b.String()
}

// answerColumns are the columns of a row in the order of scanRow, with nothing
// in those that are not kept apart.
func answerColumns(dims query.Dims) []string {
	pick := func(d query.Dims, name, zero string) string {
		if dims.Has(d) {
			return name
		}
		return zero + " AS " + name
	}
	columns := []string{
		"bucket", pick(query.Client, "client", "''::BLOB"), pick(query.Server, "server", "''::BLOB"),
		pick(query.Port, "server_port", "0::USMALLINT"), pick(query.Proto, "proto", "0::UTINYINT"),
		pick(query.App, "app_master", "0::USMALLINT"), pick(query.App, "app", "0::USMALLINT"),
		pick(query.App, "app_guess", "false"), pick(query.VLAN, "vlan", "0::USMALLINT"),
		pick(query.Observer, "observer", "''"),
	}
	for _, c := range counters {
		columns = append(columns, "least("+c+", 18446744073709551615::UHUGEINT)::UBIGINT")
	}
	return append(columns, "first_ns", "last_ns", "evidence")
}

func orderBy(o query.Order) string {
	switch o {
	case query.ByPackets:
		return "packets_to_server + packets_to_client DESC"
	case query.ByFlows:
		return "greatest(flows, 1) DESC"
	case query.ByLast:
		return "last_ns DESC"
	case query.ByFirst:
		return "first_ns"
	}
	return "bytes_to_server + bytes_to_client DESC"
}

// readParquet names the files for DuckDB.
func readParquet(files []string) string {
	var b strings.Builder
	b.WriteString("read_parquet([")
	for i, f := range files {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(literal(globless.Replace(f)))
	}
	b.WriteString("], hive_partitioning = false)")
	return b.String()
}

// globless makes a path a pattern that matches nothing else.
var globless = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]")

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
