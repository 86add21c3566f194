package mariadb

import (
	"fmt"
	"math"
	"strings"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

// A part is a source with the time that it answers for.
type part struct {
	source
	span flow.Span // of ends, ns
}

// A plan says what answers a question.
type plan struct {
	parts  []part
	plain  bool // sums are sums: there is one observer, or observers are kept apart
	joined bool // the table of observers is there
}

// plan chooses what answers q: the roll-up for whole hours, rows for the rest.
func (s *Store) plan(q *query.Query, observers int) plan {
	p := plan{joined: s.own}
	foreign := false
	rows := []flow.Span{q.Span}
	if whole, rest, ok := wholeHours(q.Span); ok && s.own && query.OnEdges(q.Filter) && int64(q.Step)%hour == 0 {
		p.parts = append(p.parts, part{edgesSource(&s.names, &s.server), whole})
		rows = rest
	}
	for i := range s.tables {
		t := &s.tables[i]
		if t.ours() && s.own {
			own := ownSource(&s.names, t, &s.server)
			for _, span := range rows {
				p.parts = append(p.parts, part{own, span})
			}
		}
		if t.foreign() {
			foreign = true
			p.parts = append(p.parts, part{foreignSource(t, &s.server), q.Span})
		}
	}
	p.plain = q.Dims().Has(query.Observer) || observers < 2 && !foreign
	return p
}

// wholeHours divides span into whole hours and what is left at its ends.
func wholeHours(span flow.Span) (whole flow.Span, rest []flow.Span, ok bool) {
	whole.Start = span.Start
	if over := floor(span.Start, hour); over != span.Start {
		if over > math.MaxInt64-hour {
			return flow.Span{}, []flow.Span{span}, false
		}
		whole.Start = over + hour
	}
	if span.End != 0 {
		whole.End = floor(span.End, hour)
		if whole.End <= whole.Start {
			return flow.Span{}, []flow.Span{span}, false
		}
	}
	if whole.Start != span.Start {
		rest = append(rest, flow.Span{Start: span.Start, End: whole.Start})
	}
	if whole.End != span.End {
		rest = append(rest, flow.Span{Start: whole.End, End: span.End})
	}
	return whole, rest, true
}

// counters are the summed columns, in the order of a row.
var counters = []string{"pts", "bts", "ptc", "btc", "flows"}

// A column of the groups that an answer is made of.
type column struct {
	dim  query.Dims // 0 = the bucket
	name string
	zero string // stands for it where it is not kept apart
}

var columns = []column{
	{0, "bucket", "0"},
	{query.Client, "client", zeroAddress}, {query.Server, "server", zeroAddress},
	{query.Proto, "proto", "0"}, {query.Port, "port", "0"},
	{query.App, "master", "0"}, {query.App, "app", "0"}, {query.VLAN, "vlan", "0"}, {query.Observer, "observer", "0"},
}

// of returns the source's SQL for a column of a group.
func (p *part) of(name string, q *query.Query) string {
	switch name {
	case "client":
		return p.client
	case "server":
		return p.server
	case "proto":
		return p.proto
	case "port":
		return p.port
	case "master":
		return p.master
	case "app":
		return p.app
	case "vlan":
		return p.vlan
	case "observer":
		return p.observer
	case "hour":
		return p.hour
	case "bucket":
		return fmt.Sprintf("((%s) DIV %d) * %d", p.lastOrHour(), int64(q.Step), int64(q.Step))
	}
	panic("BUG: mariadb: no column " + name)
}

// lastOrHour is the time that a bucket is made of.
func (p *part) lastOrHour() string {
	if p.seconds == "`hour`" {
		return "`hour` * 1000000000"
	}
	return p.last
}

// statement returns the SQL that answers q, with the columns that scan reads.
func (p *plan) statement(q *query.Query) (text string, args []any) {
	dims := q.Dims()
	kept := keptColumns(q, dims)
	group := kept
	if !p.plain {
		group = keptColumns(q, query.Edge|dims)
		group = append(group, "hour", "observer")
	}
	var sources []string
	named := dims.Has(query.Observer)
	for i := range p.parts {
		text, more := p.parts[i].statement(q, group, named)
		sources = append(sources, text)
		args = append(args, more...)
	}
	from := "(" + strings.Join(sources, "\nUNION ALL ") + ") AS parts"
	if !p.plain {
		cell := keptColumns(q, query.Edge|dims)
		cell = append(cell, "hour")
		from = "(" + aggregate(from, cell, "MAX", named) + ") AS cells"
	}
	if !p.plain || !p.disjoint(dims) {
		from = "(" + aggregate(from, kept, "SUM", named) + ")"
	}
	from = strings.TrimSuffix(from, " AS parts")
	text = "SELECT " + strings.Join(answerColumns(q, dims, p.joined), ", ") + "\nFROM " + from + " AS answer"
	observer := "COALESCE(observer_name, '')"
	if named && p.joined {
		// The alias is not "observers": the tables' own prefix may be that.
		text += "\nLEFT JOIN " + observersTable + " AS seen ON seen.id = answer.observer"
		observer = "COALESCE(seen.name, observer_name, '')"
	}
	text += "\nORDER BY " + orderBy(q.Sort)
	if q.Step != 0 {
		text = strings.TrimSuffix(text, orderBy(q.Sort)) + "bucket, " + orderBy(q.Sort)
	}
	for _, name := range kept {
		switch name {
		case "bucket":
		case "observer":
			text += ", BINARY " + observer
		default:
			text += ", " + name
		}
	}
	if q.Limit > 0 {
		text += fmt.Sprintf("\nLIMIT %d", q.Limit)
	}
	return text, args
}

// disjoint reports whether no two parts have rows of one group: a table of each
// family, where rows keep both addresses.
func (p *plan) disjoint(dims query.Dims) bool {
	four, six := 0, 0
	for _, part := range p.parts {
		if part.four {
			four++
		}
		if part.six {
			six++
		}
	}
	return len(p.parts) == 1 || dims.Has(query.Client|query.Server) && four <= 1 && six <= 1 && four+six == len(p.parts)
}

// observersTable is replaced by the name of the table.
const observersTable = "{observers}"

// keptColumns returns the names of what is kept apart.
func keptColumns(q *query.Query, dims query.Dims) (kept []string) {
	for _, c := range columns {
		if c.dim == 0 && q.Step != 0 || c.dim != 0 && dims.Has(c.dim) {
			kept = append(kept, c.name)
		}
	}
	return kept
}

// statement returns the SELECT that sums a source by the columns of group.
func (p *part) statement(q *query.Query, group []string, named bool) (text string, args []any) {
	var inner, outer []string
	for _, name := range group {
		inner = append(inner, p.of(name, q)+" AS "+name)
		if p.four && (name == "client" || name == "server") {
			// Grouped as numbers, which is quicker, then made 16 bytes.
			outer = append(outer, "CONCAT(x'00000000000000000000ffff', UNHEX(LPAD(HEX("+name+"), 8, '0'))) AS "+name)
			continue
		}
		outer = append(outer, name)
	}
	add := func(name, inside, outside string) {
		inner = append(inner, inside+" AS "+name)
		outer = append(outer, outside+" AS "+name)
	}
	add("guess", "MIN("+p.guess+")", "guess")
	add("evidence", "MAX("+p.evidence+")", "evidence")
	add("first_ns", "MIN("+p.first+")", "first_ns")
	add("last_ns", "MAX("+p.last+")", "last_ns")
	toServer := counterSQL{"pts", "bts"}
	if p.totals {
		toServer = counterSQL{"pts - ptc", "bts - btc"}
	}
	add("pts", "SUM("+p.toServer.packets+")", toServer.packets)
	add("bts", "SUM("+p.toServer.bytes+")", toServer.bytes)
	add("ptc", "SUM("+p.toClient.packets+")", "ptc")
	add("btc", "SUM("+p.toClient.bytes+")", "btc")
	add("flows", "SUM("+p.flows+")", "flows")
	if named {
		name := "NULL"
		if p.observerName != "" {
			name = "MIN(" + p.observerName + ")"
		}
		add("observer_name", name, "observer_name")
	}

	where, args := p.dialect.SQL(forFamily(q.Filter, p.four))
	conditions := []string{"(" + where + ")", p.where}
	if p.seconds == "`hour`" {
		conditions = append(conditions, hourConditions(p.span)...)
	} else {
		conditions = append(conditions, p.timeConditions()...)
	}
	text = "SELECT " + strings.Join(inner, ", ") + " FROM " + p.table +
		" WHERE " + strings.Join(conditions, " AND ") + " GROUP BY " + ordinals(len(group))
	return "SELECT " + strings.Join(outer, ", ") + " FROM (" + text + ") AS part", args
}

// timeConditions names the seconds first, which choose partitions and a range
// of the key, and then the nanoseconds.
func (p *part) timeConditions() (conditions []string) {
	if p.span.Start != 0 {
		conditions = append(conditions, fmt.Sprintf("LAST_SWITCHED >= %d AND %s >= %d", switched(p.span.Start), p.last, p.span.Start))
	}
	if p.span.End != 0 {
		conditions = append(conditions, fmt.Sprintf("LAST_SWITCHED <= %d AND %s < %d", switched(p.span.End), p.last, p.span.End))
	}
	return conditions
}

// hourConditions chooses whole hours.
func hourConditions(span flow.Span) (conditions []string) {
	if span.Start != 0 {
		conditions = append(conditions, fmt.Sprintf("`hour` >= %d", span.Start/second))
	}
	if span.End != 0 {
		conditions = append(conditions, fmt.Sprintf("`hour` < %d", span.End/second))
	}
	return conditions
}

// ordinals returns "1, 2, 3": a name could be a column's as well as an alias.
func ordinals(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(i+1))
	}
	return strings.Join(all, ", ")
}

// aggregate groups from by columns.
func aggregate(from string, group []string, function string, named bool) string {
	list := append(group[:len(group):len(group)], "MIN(guess) AS guess", "MAX(evidence) AS evidence",
		"MIN(first_ns) AS first_ns", "MAX(last_ns) AS last_ns")
	for _, c := range counters {
		list = append(list, function+"("+c+") AS "+c)
	}
	if named {
		list = append(list, "MIN(observer_name) AS observer_name")
	}
	return "SELECT " + strings.Join(list, ", ") + "\nFROM " + from + "\nGROUP BY " + ordinals(len(group))
}

// answerColumns are the columns of a row in the order of scan.
func answerColumns(q *query.Query, dims query.Dims, joined bool) (list []string) {
	for _, c := range columns {
		switch {
		case c.dim == 0 && q.Step != 0 || c.dim != 0 && c.dim != query.Observer && dims.Has(c.dim):
			list = append(list, c.name)
		case c.dim != query.Observer:
			list = append(list, c.zero+" AS "+c.name)
		case !dims.Has(query.Observer):
			list = append(list, "'' AS observer_text")
		case joined:
			list = append(list, "COALESCE(seen.name, observer_name, '') AS observer_text")
		default:
			list = append(list, "COALESCE(observer_name, '') AS observer_text")
		}
	}
	for _, c := range counters {
		list = append(list, fmt.Sprintf("CAST(LEAST(%s, %d) AS UNSIGNED) AS %s_kept", c, uint64(math.MaxUint64), c))
	}
	return append(list, "guess", "evidence", "first_ns", "last_ns")
}

func orderBy(o query.Order) string {
	switch o {
	case query.ByPackets:
		return "pts + ptc DESC"
	case query.ByFlows:
		return "GREATEST(flows, 1) DESC"
	case query.ByLast:
		return "last_ns DESC"
	case query.ByFirst:
		return "first_ns"
	}
	return "bts + btc DESC"
}
