package memory

import (
	"context"
	"slices"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

// A sums holds the counters of query.Row.
type sums struct {
	toServer, toClient flow.Counters
	flows              uint64
}

func (s *sums) add(o sums) {
	s.toServer = s.toServer.Add(o.toServer)
	s.toClient = s.toClient.Add(o.toClient)
	s.flows += o.flows
}

// raise lifts each counter of s to that of o.
func (s *sums) raise(o sums) {
	s.toServer.Packets = max(s.toServer.Packets, o.toServer.Packets)
	s.toServer.Bytes = max(s.toServer.Bytes, o.toServer.Bytes)
	s.toClient.Packets = max(s.toClient.Packets, o.toClient.Packets)
	s.toClient.Bytes = max(s.toClient.Bytes, o.toClient.Bytes)
	s.flows = max(s.flows, o.flows)
}

// A rowKey is what tells rows apart.
type rowKey struct {
	bucket         int64
	client, server [16]byte
	port           uint16
	proto          flow.Proto
	master, app    uint16
	vlan           uint16
	observer       string
}

// A cellKey is an edge in an hour. Sums over cells are a row.
type cellKey struct {
	edge rowKey // observer is empty if observers are not kept apart
	hour int64
}

// An observedKey is a cell as one observer saw it.
type observedKey struct {
	cell     cellKey
	observer string
}

// contextInterval is how many records are read between looks at the context.
const contextInterval = 1 << 14

// answer returns the rows that q asks for.
func answer(ctx context.Context, records []flow.Record, q *query.Query) ([]query.Row, error) {
	dims := q.Dims()
	observed := map[observedKey]sums{}
	rows := map[rowKey]*query.Row{}
	for i := range records {
		if i%contextInterval == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r := &records[i]
		if !q.Span.Contains(r.End) || q.Filter != nil && !q.Filter.Matches(r) {
			continue
		}
		edge := edgeOf(r, q)
		key := observedKey{cellKey{edge, floor(r.End, time.Hour)}, r.Observer}
		s := observed[key]
		s.add(sumsOf(r))
		observed[key] = s
		see(rows, edge.keep(dims), r)
	}

	cells := make(map[cellKey]sums, len(observed))
	for key, s := range observed {
		most := cells[key.cell]
		most.raise(s)
		cells[key.cell] = most
	}
	for key, s := range cells {
		row := rows[key.edge.keep(dims)]
		row.ToServer = row.ToServer.Add(s.toServer)
		row.ToClient = row.ToClient.Add(s.toClient)
		row.Flows += s.flows
	}
	return inOrder(rows, q), nil
}

// sumsOf returns what r counts.
func sumsOf(r *flow.Record) sums {
	s := sums{toServer: r.ToServer, toClient: r.ToClient}
	if r.Slice == 0 {
		s.flows = 1
	}
	return s
}

// edgeOf returns the edge of r, with the VLAN and the observer if q keeps them
// apart.
func edgeOf(r *flow.Record, q *query.Query) rowKey {
	k := rowKey{
		client: r.Client, server: r.Server, port: r.ServerPort, proto: r.Proto,
		master: r.App.Master, app: r.App.App,
	}
	if q.Step != 0 {
		k.bucket = floor(r.End, q.Step)
	}
	if q.Dims().Has(query.VLAN) {
		k.vlan = r.VLAN
	}
	if q.Dims().Has(query.Observer) {
		k.observer = r.Observer
	}
	return k
}

// keep returns k with the columns that are not in dims zero.
func (k rowKey) keep(dims query.Dims) rowKey {
	kept := rowKey{bucket: k.bucket}
	if dims.Has(query.Client) {
		kept.client = k.client
	}
	if dims.Has(query.Server) {
		kept.server = k.server
	}
	if dims.Has(query.Port) {
		kept.port = k.port
	}
	if dims.Has(query.Proto) {
		kept.proto = k.proto
	}
	if dims.Has(query.App) {
		kept.master, kept.app = k.master, k.app
	}
	if dims.Has(query.VLAN) {
		kept.vlan = k.vlan
	}
	if dims.Has(query.Observer) {
		kept.observer = k.observer
	}
	return kept
}

// see takes into the row of key what is not summed.
func see(rows map[rowKey]*query.Row, key rowKey, r *flow.Record) {
	row := rows[key]
	if row == nil {
		row = &query.Row{
			Bucket: key.bucket, Client: key.client, Server: key.server, Port: key.port, Proto: key.proto,
			App:  flow.App{Master: key.master, App: key.app, Guess: true},
			VLAN: key.vlan, Observer: key.observer,
			First: r.Start, Last: r.End,
		}
		rows[key] = row
	}
	row.First = min(row.First, r.Start)
	row.Last = max(row.Last, r.End)
	row.Evidence = max(row.Evidence, r.Evidence)
	row.App.Guess = row.App.Guess && r.App.Guess
}

// inOrder returns the rows of the answer to q.
func inOrder(rows map[rowKey]*query.Row, q *query.Query) []query.Row {
	answer := make([]query.Row, 0, len(rows))
	for _, row := range rows {
		row.Flows = max(row.Flows, 1)
		row.App.Guess = row.App.Guess && q.Dims().Has(query.App)
		answer = append(answer, *row)
	}
	slices.SortFunc(answer, func(a, b query.Row) int { return q.Compare(&a, &b) })
	if q.Limit > 0 && q.Limit < len(answer) {
		answer = answer[:q.Limit]
	}
	return answer
}

// floor returns the largest multiple of step, counted from 1970, that is not
// after t.
func floor(t int64, step time.Duration) int64 {
	rest := t % int64(step)
	if rest < 0 {
		rest += int64(step)
	}
	return t - rest
}
