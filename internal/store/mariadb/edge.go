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

const (
	edgeColumns = "`hour`, client, server, server_port, proto, app_master, app, vlan, observer_id, app_guess, evidence, " +
		"packets_to_server, bytes_to_server, packets_to_client, bytes_to_client, flows, first_time, last_time"
	edgeColumnCount = 18
	edgesPerInsert  = 1000
)

// edgeUpdate adds a row to the one that is there. Sums stay at the largest
// number rather than overflow.
var edgeUpdate = func() string {
	set := []string{
		"app_guess = app_guess AND VALUES(app_guess)", "evidence = GREATEST(evidence, VALUES(evidence))",
		"first_time = LEAST(first_time, VALUES(first_time))", "last_time = GREATEST(last_time, VALUES(last_time))",
	}
	for _, c := range []string{"packets_to_server", "bytes_to_server", "packets_to_client", "bytes_to_client", "flows"} {
		set = append(set, c+" = "+c+" + LEAST(VALUES("+c+"), 18446744073709551615 - "+c+")")
	}
	return " ON DUPLICATE KEY UPDATE " + strings.Join(set, ", ")
}()

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

// write adds the roll-up to the tables.
func (u *rollUp) write(ctx context.Context, q queryer, n *names) error {
	for chunk := range slices.Chunk(u.sorted(), edgesPerInsert) {
		args := make([]any, 0, len(chunk)*edgeColumnCount)
		for _, e := range chunk {
			args = append(args, e.hour, e.client[:], e.server[:], e.port, uint8(e.proto), e.master, e.app, e.vlan, e.observer,
				e.guess, uint8(e.evidence), e.toServer.Packets, e.toServer.Bytes, e.toClient.Packets, e.toClient.Bytes,
				e.flows, e.first, e.last)
		}
		text := "INSERT INTO " + n.edges + " (" + edgeColumns + ") VALUES " + marks(edgeColumnCount, len(chunk)) + edgeUpdate
		if _, err := q.ExecContext(ctx, text, args...); err != nil {
			return err
		}
	}
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
