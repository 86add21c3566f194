package clickhouse

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/portolan/portolan/internal/query"
)

// A question is a statement that grows. Input stands in its parameters only.
type question struct {
	database string
	q        *query.Query
	several  []int64 // days of several observers, as starts in ns; sorted
	args     []any
}

// param adds a parameter and returns its mark.
func (n *question) param(kind string, value any) string {
	n.args = append(n.args, named(len(n.args)+1, value))
	return fmt.Sprintf("{p%d:%s}", len(n.args), kind)
}

// moment returns the expression of a time.
func (n *question) moment(t int64) string {
	return "fromUnixTimestamp64Nano(" + n.param("Int64", t) + ", 'UTC')"
}

// Names of what no table has as a column: a row's step, and the hour or day of
// a cell.
const (
	bucketColumn = "k_bucket"
	hourColumn   = "k_hour"
)

// sums are the columns that add up, and how: within one observer, and over the
// observers of an edge and hour. The names are none of a table's, so that no
// condition means them.
var sums = []struct {
	name, ofFlows, ofEdges string
	within, over           string
}{
	{"n_packets_to_server", "packets_to_server", "packets_to_server", "sum", "max"},
	{"n_bytes_to_server", "bytes_to_server", "bytes_to_server", "sum", "max"},
	{"n_packets_to_client", "packets_to_client", "packets_to_client", "sum", "max"},
	{"n_bytes_to_client", "bytes_to_client", "bytes_to_client", "sum", "max"},
	{"n_flows", "toUInt64(slice = 0)", "flows", "sum", "max"},
	{"n_first", "toUnixTimestamp64Nano(start_time)", "toUnixTimestamp64Nano(first_time)", "min", "min"},
	{"n_last", "toUnixTimestamp64Nano(end_time)", "toUnixTimestamp64Nano(last_time)", "max", "max"},
	{"n_evidence", "evidence", "evidence", "max", "max"},
	{"n_guess", "toUInt8(app_guess)", "app_guess", "min", "min"},
}

// dims are the columns that rows can be kept apart by.
var dims = []struct {
	dim     query.Dims
	columns []string
}{
	{query.Client, []string{"client"}},
	{query.Server, []string{"server"}},
	{query.Proto, []string{"proto"}},
	{query.Port, []string{"server_port"}},
	{query.App, []string{"app_master", "app"}},
	{query.VLAN, []string{"vlan"}},
	{query.Observer, []string{"observer"}},
}

// columnsOf returns the columns of d, in the order in which rows are sorted.
func columnsOf(d query.Dims) (all []string) {
	for _, x := range dims {
		if d.Has(x.dim) {
			all = append(all, x.columns...)
		}
	}
	return all
}

// statement returns the SELECT that answers. Its columns are those that scan
// expects.
func (n *question) statement() string {
	keys := append(n.bucket(), columnsOf(n.q.Dims())...)
	var text string
	if n.plain() {
		pieces := n.pieces(keys)
		text = pieces[0]
		if len(pieces) > 1 {
			text = regroup(keys, join(pieces), withinObserver)
		}
	} else {
		// Within an observer, then over the observers of an edge and hour, then by columns.
		edge := append(n.bucket(), columnsOf(query.Edge|n.q.Dims()&query.VLAN)...)
		cell := append([]string{hourColumn}, edge...)
		seen := append(slices.Clone(cell), "observer")
		text = regroup(keys, regroup(cell, join(n.pieces(seen)), overObservers), withinObserver)
	}
	text += "\nORDER BY " + strings.Join(n.order(), ", ")
	if n.q.Limit > 0 {
		text += "\nLIMIT " + n.param("UInt64", uint64(n.q.Limit))
	}
	return text
}

// plain reports whether sums over all records are right: no edge has several
// observers, or they are kept apart.
func (n *question) plain() bool {
	if n.q.Dims().Has(query.Observer) {
		return true
	}
	for _, d := range n.several {
		if d+day > n.q.Span.Start && (n.q.Span.End == 0 || d < n.q.Span.End) {
			return false
		}
	}
	return true
}

func (n *question) bucket() []string {
	if n.q.Step == 0 {
		return nil
	}
	return []string{bucketColumn}
}

const (
	withinObserver = iota
	overObservers
)

// regroup sums up what stands in from, by keys.
func regroup(keys []string, from string, how int) string {
	columns := append([]string{}, keys...)
	for _, s := range sums {
		function := s.within
		if how == overObservers {
			function = s.over
		}
		columns = append(columns, function+"("+s.name+") AS m_"+s.name)
	}
	text := "SELECT " + strings.Join(columns, ", ") + "\nFROM (" + indent(from) + ")"
	if len(keys) > 0 {
		text += "\nGROUP BY " + strings.Join(keys, ", ")
	}
	// The names of sums again, one level up.
	columns = append([]string{}, keys...)
	for _, s := range sums {
		columns = append(columns, "m_"+s.name+" AS "+s.name)
	}
	return "SELECT " + strings.Join(columns, ", ") + "\nFROM (" + indent(text) + ")"
}

func indent(text string) string { return "\n\t" + strings.ReplaceAll(text, "\n", "\n\t") + "\n" }

func join(pieces []string) string { return strings.Join(pieces, "\nUNION ALL\n") }

func (n *question) order() []string {
	by := map[query.Order]string{
		query.ByBytes:   "n_bytes_to_server + n_bytes_to_client DESC",
		query.ByPackets: "n_packets_to_server + n_packets_to_client DESC",
		query.ByFlows:   "greatest(n_flows, 1) DESC",
		query.ByLast:    "n_last DESC",
		query.ByFirst:   "n_first",
	}
	return append(append(n.bucket(), by[n.q.Sort]), columnsOf(n.q.Dims())...)
}

// pieces returns the SELECTs whose rows together are those of the question,
// each summed by keys: of whole days, of whole hours, of records.
func (n *question) pieces(keys []string) (all []string) {
	span := n.q.Span
	start, end := span.Start, span.End
	if end == 0 {
		end = math.MaxInt64
	}
	hours, days := [2]int64{}, [2]int64{}
	if step := int64(n.q.Step); query.OnEdges(n.q.Filter) && step%hour == 0 && start < math.MaxInt64-day {
		hours = whole(start, end, hour)
		if step%day == 0 {
			days = whole(start, end, day)
		}
	}
	if hours[0] >= hours[1] {
		return []string{n.piece("flows", keys, n.between("end_time", start, end))}
	}
	for _, part := range [][2]int64{{start, hours[0]}, {hours[1], end}} {
		if part[0] < part[1] {
			all = append(all, n.piece("flows", keys, n.between("end_time", part[0], part[1])))
		}
	}
	if days[0] >= days[1] {
		return append(all, n.piece("edges_hour", keys, n.between("from_time", hours[0], hours[1])))
	}
	several := n.several
	if n.q.Dims().Has(query.Observer) {
		several = nil // sums of each observer: days will do
	}
	within := n.between("from_time", days[0], days[1])
	if len(several) > 0 {
		within += " AND toUnixTimestamp64Nano(from_time) NOT IN " + n.param("Array(Int64)", several)
	}
	all = append(all, n.piece("edges_day", keys, within))
	var rest []string
	for _, part := range [][2]int64{{hours[0], days[0]}, {days[1], hours[1]}} {
		if part[0] < part[1] {
			rest = append(rest, "("+n.between("from_time", part[0], part[1])+")")
		}
	}
	if len(several) > 0 {
		rest = append(rest, fmt.Sprintf("(%s AND intDiv(toUnixTimestamp64Nano(from_time), %d) * %d IN %s)",
			n.between("from_time", days[0], days[1]), day, day, n.param("Array(Int64)", several)))
	}
	if len(rest) > 0 {
		all = append(all, n.piece("edges_hour", keys, "("+strings.Join(rest, " OR ")+")"))
	}
	return all
}

// whole returns the span of whole steps within start and end. Its end is that
// of time if end is.
func whole(start, end, step int64) [2]int64 {
	if end == math.MaxInt64 {
		return [2]int64{ceil(start, step), end}
	}
	return [2]int64{ceil(start, step), floor(end, step)}
}

// between returns the condition that a column lies in a span, without its end.
func (n *question) between(column string, start, end int64) string {
	var all []string
	if start > 0 {
		all = append(all, column+" >= "+n.moment(start))
	}
	if end != math.MaxInt64 {
		all = append(all, column+" < "+n.moment(end))
	}
	if column == "end_time" && len(all) > 0 { // the column that the table is sorted by
		if start > 0 {
			all = append(all, "from_time >= "+n.moment(floor(start, hour)))
		}
		if end != math.MaxInt64 {
			all = append(all, "from_time < "+n.moment(end))
		}
	}
	if len(all) == 0 {
		return "1 = 1"
	}
	return strings.Join(all, " AND ")
}

// piece returns the SELECT of one table.
func (n *question) piece(table string, keys []string, where string) string {
	end := "from_time"
	if table == "flows" {
		end = "end_time"
	}
	var columns, groups []string
	for _, k := range keys {
		switch k {
		case bucketColumn:
			step := strconv.FormatInt(int64(n.q.Step), 10)
			groups = append(groups, "intDiv(toUnixTimestamp64Nano("+end+"), "+step+") * "+step)
			columns = append(columns, groups[len(groups)-1]+" AS "+k)
		case hourColumn:
			groups = append(groups, "from_time")
			columns = append(columns, "from_time AS "+k)
		default:
			groups = append(groups, k)
			columns = append(columns, k)
		}
	}
	for _, s := range sums {
		of := s.ofEdges
		if table == "flows" {
			of = s.ofFlows
		}
		columns = append(columns, s.within+"("+of+") AS "+s.name)
	}
	text := "SELECT " + strings.Join(columns, ", ") + "\nFROM " + n.database + "." + table + "\nWHERE " + where
	if n.q.Filter != nil {
		text += " AND " + n.filter()
	}
	if len(groups) > 0 {
		text += "\nGROUP BY " + strings.Join(groups, ", ")
	}
	return text
}

// filter returns the condition of the filter, with parameters of their types.
func (n *question) filter() string {
	first := len(n.args)
	d := query.ClickHouse
	d.Param = func(i int) string { return fmt.Sprintf("{p%d:\x00}", first+i) }
	d.Address = func(a [16]byte) any { return a }
	d.Contains = func(_, param string) string {
		return "position(if(info_folded = '', info, info_folded), " + param + ") > 0"
	}
	where, args := d.SQL(n.q.Filter)
	// Input is in the arguments alone, so every NUL is one of ours.
	for _, arg := range args {
		kind := ""
		switch a := arg.(type) {
		case int64:
			kind = n.param("Int64", a)
		case string:
			kind = n.param("String", a)
		case [16]byte:
			kind = n.param("IPv6", address16(a))
		default:
			panic(fmt.Sprintf("BUG: a filter's parameter of type %T", arg))
		}
		where = strings.Replace(where, fmt.Sprintf("{p%d:\x00}", len(n.args)), kind, 1)
	}
	return where
}
