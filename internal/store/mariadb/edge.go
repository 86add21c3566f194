package mariadb

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/portolan/portolan/internal/flow"
)

// An edgeKey is what tells rows of the roll-up apart.
type edgeKey struct {
	hour           int64 // its start, seconds since 1970
	client, server [16]byte
	port           uint16
	proto          flow.Proto
	master, app    uint16
	vlan           uint16
	observer       uint32
}

func (k *edgeKey) compare(o *edgeKey) int {
	return cmp.Or(
		cmp.Compare(k.hour, o.hour), bytes.Compare(k.client[:], o.client[:]), bytes.Compare(k.server[:], o.server[:]),
		cmp.Compare(k.port, o.port), cmp.Compare(k.proto, o.proto), cmp.Compare(k.master, o.master),
		cmp.Compare(k.app, o.app), cmp.Compare(k.vlan, o.vlan), cmp.Compare(k.observer, o.observer),
	)
}

// An edge is a row of the roll-up.
type edge struct {
	edgeKey
	guess              bool
	evidence           flow.Evidence
	toServer, toClient flow.Counters
	flows              uint64
	first, last        int64
}

// A rollUp sums the records of a unit.
type rollUp struct {
	edges map[edgeKey]*edge
	days  map[int64]*daySum
}

// A daySum says what the flow tables hold of a day.
type daySum struct {
	records     uint64
	first, last int64
}

func newRollUp(n int) *rollUp {
	return &rollUp{edges: make(map[edgeKey]*edge, n/2), days: map[int64]*daySum{}}
}

func (u *rollUp) add(r *flow.Record, observer uint32) {
	key := edgeKey{
		hour: floor(r.End, hour) / second, client: r.Client, server: r.Server, port: r.ServerPort, proto: r.Proto,
		master: r.App.Master, app: r.App.App, vlan: r.VLAN, observer: observer,
	}
	e := u.edges[key]
	if e == nil {
		e = &edge{edgeKey: key, guess: true, first: math.MaxInt64, last: math.MinInt64}
		u.edges[key] = e
	}
	e.guess = e.guess && r.App.Guess
	e.evidence = max(e.evidence, r.Evidence)
	e.toServer, e.toClient = plus(e.toServer, r.ToServer), plus(e.toClient, r.ToClient)
	if r.Slice == 0 {
		e.flows++
	}
	e.first, e.last = min(e.first, r.Start), max(e.last, r.End)

	start := floor(switched(r.End), daySeconds)
	d := u.days[start]
	if d == nil {
		d = &daySum{first: math.MaxInt64, last: math.MinInt64}
		u.days[start] = d
	}
	d.records++
	d.first, d.last = min(d.first, r.Start), max(d.last, r.End)
}

// plus adds, and stays at the largest number rather than overflow.
func plus(a, b flow.Counters) flow.Counters {
	b = bounded(b)
	return flow.Counters{
		Packets: a.Packets + min(b.Packets, math.MaxUint64-a.Packets),
		Bytes:   a.Bytes + min(b.Bytes, math.MaxUint64-a.Bytes),
	}
}

// floor returns the largest multiple of step that is not after t.
func floor(t, step int64) int64 {
	rest := t % step
	if rest < 0 {
		rest += step
	}
	return t - rest
}

// flowDays returns the days of the records' ends as LAST_SWITCHED tells, in
// order; edgeDays those of the hours.
func (u *rollUp) flowDays() []int64 {
	var days []int64
	for d := range u.days {
		days = append(days, d)
	}
	slices.Sort(days)
	return days
}

func (u *rollUp) edgeDays() []int64 {
	var days []int64
	for k := range u.edges {
		if d := floor(k.hour, daySeconds); !slices.Contains(days, d) {
			days = append(days, d)
		}
	}
	slices.Sort(days)
	return days
}

// edgeColumns are the columns of the roll-up, in the order of appendEdge.
var edgeColumns = []string{
	"`hour`", "client", "server", "server_port", "proto", "app_master", "app", "vlan", "observer_id", "app_guess", "evidence",
	"packets_to_server", "bytes_to_server", "packets_to_client", "bytes_to_client", "flows", "first_time", "last_time",
}

// appendEdge gives c the values of edgeColumns.
func appendEdge(c cells, e *edge) {
	c.int(e.hour)
	c.octets(e.client[:])
	c.octets(e.server[:])
	c.uint(uint64(e.port))
	c.uint(uint64(e.proto))
	c.uint(uint64(e.master))
	c.uint(uint64(e.app))
	c.uint(uint64(e.vlan))
	c.uint(uint64(e.observer))
	c.uint(bit(e.guess))
	c.uint(uint64(e.evidence))
	c.uint(e.toServer.Packets)
	c.uint(e.toServer.Bytes)
	c.uint(e.toClient.Packets)
	c.uint(e.toClient.Bytes)
	c.uint(e.flows)
	c.int(e.first)
	c.int(e.last)
	c.end()
}

// edgeUpdate adds a row to the one that is there. Sums stay at the largest
// number rather than overflow.
func edgeUpdate(n *names) string {
	var set []string
	add := func(column, value string) {
		old := n.edges + "." + column
		set = append(set, old+" = "+strings.NewReplacer("old", old, "new", "VALUES("+column+")").Replace(value))
	}
	add("app_guess", "old AND new")
	add("evidence", "GREATEST(old, new)")
	add("first_time", "LEAST(old, new)")
	add("last_time", "GREATEST(old, new)")
	for _, c := range []string{"packets_to_server", "bytes_to_server", "packets_to_client", "bytes_to_client", "flows"} {
		add(c, "old + LEAST(new, 18446744073709551615 - old)")
	}
	return " ON DUPLICATE KEY UPDATE " + strings.Join(set, ", ")
}

// sorted returns the edges in the order of the table's key, so that two
// writers never wait for each other.
func (u *rollUp) sorted() []*edge {
	edges := make([]*edge, 0, len(u.edges))
	for _, e := range u.edges {
		edges = append(edges, e)
	}
	slices.SortFunc(edges, func(a, b *edge) int { return a.compare(&b.edgeKey) })
	return edges
}

// write adds the roll-up to the tables: by way of a temporary table, which is
// quicker than INSERT, where the server takes LOAD DATA.
func (u *rollUp) write(ctx context.Context, q queryer, n *names, loads bool) error {
	target := target{n.edges, edgeColumns, edgeUpdate(n)}
	if !loads {
		return insert(ctx, q, target, func(c cells, full func() error) error {
			for _, e := range u.sorted() {
				appendEdge(c, e)
				if err := full(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	stage := quoteName(n.side + "stage")
	list := strings.Join(edgeColumns, ", ")
	var text tsv
	for _, e := range u.sorted() {
		appendEdge(&text, e)
	}
	for _, statement := range []string{
		"CREATE TEMPORARY TABLE IF NOT EXISTS " + stage + " ENGINE=MEMORY SELECT " + list + " FROM " + n.edges + " LIMIT 0",
		"DELETE FROM " + stage,
	} {
		if _, err := q.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := load(ctx, q, stage, edgeColumns, &text); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, "INSERT INTO "+n.edges+" ("+list+") SELECT "+list+" FROM "+stage+target.tail)
	if err != nil {
		return err
	}
	return nil
}

// writeDays counts the records of each day.
func (u *rollUp) writeDays(ctx context.Context, q queryer, n *names) error {
	for _, start := range u.flowDays() {
		d := u.days[start]
		_, err := q.ExecContext(ctx, "INSERT INTO "+n.days+" (`day`, records, first_time, last_time) VALUES (?, ?, ?, ?)"+
			" ON DUPLICATE KEY UPDATE records = records + VALUES(records),"+
			" first_time = LEAST(first_time, VALUES(first_time)), last_time = GREATEST(last_time, VALUES(last_time))",
			start, d.records, d.first, d.last)
		if err != nil {
			return err
		}
	}
	return nil
}

// marks returns "(?, ?), (?, ?)": rows of parameters.
func marks(columns, rows int) string {
	row := "(" + strings.Repeat("?, ", columns-1) + "?)"
	return strings.Repeat(row+", ", rows-1) + row
}
