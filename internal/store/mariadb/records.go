package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
)

var _ store.Recorder = (*Store)(nil)

const (
	// pageRows and pageTexts bound what is read at a time, and so the memory
	// that it takes: the server does not wait for a slow reader.
	pageRows  = 4096
	pageTexts = 16 << 20 // bytes
)

// Records yields the rows of the flow tables, table after table, in the order
// of their keys. What ntopng wrote has the direction and the counters that Top
// tells, and the table's idx as ID.
func (s *Store) Records(ctx context.Context, span flow.Span) iter.Seq2[flow.Record, error] {
	return func(yield func(flow.Record, error) bool) {
		err := s.ready(ctx)
		if err != nil {
			yield(flow.Record{}, err)
			return
		}
		for _, l := range s.listings(span) {
			going, err := s.records(ctx, &l, func(r flow.Record) bool { return yield(r, nil) })
			if !going {
				return
			}
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(flow.Record{}, s.config.explain(err))
				return
			}
		}
	}
}

// A listing reads the rows of one source in the order of a key.
type listing struct {
	columns []string // SQL, in the order of scanRecord; the key is behind them
	from    string
	where   []string
	key     []string // SQL of whole numbers; none = the table has no key, and comes in one piece
}

// listings returns what has to be read for the records of span.
func (s *Store) listings(span flow.Span) (all []listing) {
	for i := range s.tables {
		t := &s.tables[i]
		if t.ours() && s.own {
			all = append(all, ownListing(&s.names, t, &s.server, span))
		}
		if t.foreign() {
			all = append(all, foreignListing(t, &s.server, span))
		}
	}
	return all
}

// ownListing reads what Portolan wrote.
func ownListing(n *names, t *flowTable, c *capabilities, span flow.Span) listing {
	own := ownSource(n, t, c)
	l := listing{
		columns: append(own.identity("L4_SRC_PORT"), "COALESCE(info_long, INFO, '')", "COALESCE(seen.name, '')", "start_time", "end_time",
			own.toServer.packets, own.toServer.bytes, own.toClient.packets, own.toClient.bytes,
			"evidence", "cause", "flow_id", "slice", "sampling", "server_rtt", "client_rtt", "flags_to_server", "flags_to_client",
			"retransmits", "out_of_order", "zero_windows", "resets",
			"COALESCE(tls_version, 0)", "COALESCE(ja4, '')", "COALESCE(software, '')"),
		from:  own.table + " LEFT JOIN " + n.observers + " AS seen ON seen.id = observer_id",
		where: append([]string{own.where}, (&part{own, span}).timeConditions()...),
		key:   []string{"LAST_SWITCHED", "idx"},
	}
	if t.foreign() { // its keys are ntopng's
		l.key = []string{"idx"}
	}
	return l
}

// foreignListing reads what ntopng wrote.
func foreignListing(t *flowTable, c *capabilities, span flow.Span) listing {
	ntopng := foreignSource(t, c)
	port, info, id := "0", "''", "0"
	if t.columns["L4_SRC_PORT"] {
		port = "COALESCE(L4_SRC_PORT, 0)"
	}
	if t.columns["INFO"] {
		info = "CONVERT(COALESCE(INFO, '') USING utf8mb4)"
	}
	var key []string
	if t.columns["IDX"] {
		key, id = []string{"idx"}, "GREATEST(idx, 0)"
	}
	count := func(expression string) string { return "CAST(GREATEST(" + expression + ", 0) AS UNSIGNED)" }
	rest := func(total, part string) string {
		return "GREATEST(" + count(total) + ", " + count(part) + ") - " + count(part)
	}
	l := listing{
		columns: append(ntopng.identity(port), info, ntopng.observerName, ntopng.first, ntopng.last,
			rest(ntopng.toServer.packets, ntopng.toClient.packets), rest(ntopng.toServer.bytes, ntopng.toClient.bytes),
			count(ntopng.toClient.packets), count(ntopng.toClient.bytes),
			ntopng.evidence, "0", id, "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "''", "''"),
		from: ntopng.table, key: key,
		where: append([]string{ntopng.where}, (&part{ntopng, span}).timeConditions()...),
	}
	if span.Start == 0 { // a row without a time counts as one of 1970, as for Top
		l.where = []string{ntopng.where}
		if span.End != 0 {
			l.where = append(l.where, fmt.Sprintf("%s < %d", ntopng.last, span.End))
		}
	}
	return l
}

// identity returns the first columns of scanRecord; addresses have 16 bytes.
func (s *source) identity(clientPort string) []string {
	client, server := s.client, s.server
	if s.four {
		client, server = octets4(client), octets4(server)
	}
	return []string{client, server, clientPort, s.port, s.proto, s.vlan, s.master, s.app, s.guess}
}

// records gives each record to yield until that returns false.
func (s *Store) records(ctx context.Context, l *listing, yield func(flow.Record) bool) (going bool, err error) {
	var after []int64 // the key of the last record; none = begin
	for try := 1; ; {
		page, last, done, err := s.page(ctx, l, after)
		if err != nil {
			if ctx.Err() == nil && again(err) && try < tries && wait(ctx, firstPause<<(try-1)) == nil {
				try++
				continue
			}
			return true, err
		}
		for _, r := range page {
			if !yield(r) {
				return false, nil
			}
		}
		if done {
			return true, nil
		}
		after, try = last, 1
	}
}

// statement returns the SQL of the page behind a key.
func (l *listing) statement(after []int64) string {
	where := l.where
	switch {
	case len(after) == 1:
		where = append(where[:len(where):len(where)], fmt.Sprintf("%s > %d", l.key[0], after[0]))
	case len(after) == 2:
		where = append(where[:len(where):len(where)], fmt.Sprintf("%s >= %d AND (%s > %d OR %s > %d)",
			l.key[0], after[0], l.key[0], after[0], l.key[1], after[1]))
	}
	text := "SELECT " + strings.Join(append(l.columns[:len(l.columns):len(l.columns)], l.key...), ", ") + "\nFROM " + l.from +
		"\nWHERE " + strings.Join(where, " AND ")
	if len(l.key) == 0 {
		return text + "\nORDER BY " + ordinals(len(l.columns))
	}
	return text + "\nORDER BY " + strings.Join(l.key, ", ") + fmt.Sprintf("\nLIMIT %d", pageRows)
}

// page reads the records behind a key, and says at which key the next begin.
func (s *Store) page(ctx context.Context, l *listing, after []int64) (page []flow.Record, last []int64, done bool, err error) {
	rows, err := s.db.QueryContext(ctx, l.statement(after))
	if err != nil {
		return nil, nil, false, err
	}
	defer rows.Close()
	last = make([]int64, len(l.key))
	read, texts := 0, 0
	for rows.Next() {
		r, err := scanRecord(rows, last)
		if err != nil {
			return nil, nil, false, err
		}
		page = append(page, r)
		read++
		if texts += textBytes(&r); texts >= pageTexts && len(l.key) > 0 {
			return page, last, false, nil
		}
	}
	return page, last, len(l.key) == 0 || read < pageRows, rows.Err()
}

// textBytes returns the size of r's texts.
func textBytes(r *flow.Record) int {
	n := len(r.Info) + len(r.Observer)
	if r.Details != nil {
		n += len(r.Details.JA4) + len(r.Details.Software)
	}
	return n
}

// scanRecord reads a row of a listing, and its key.
func scanRecord(rows *sql.Rows, key []int64) (r flow.Record, err error) {
	var d flow.Details
	var client, server []byte
	var proto, evidence, cause uint8
	var serverRTT, clientRTT int64
	to := []any{&client, &server, &r.ClientPort, &r.ServerPort, &proto, &r.VLAN, &r.App.Master, &r.App.App, &r.App.Guess,
		&r.Info, &r.Observer, &r.Start, &r.End,
		&r.ToServer.Packets, &r.ToServer.Bytes, &r.ToClient.Packets, &r.ToClient.Bytes,
		&evidence, &cause, &r.ID, &r.Slice, &r.Sampling, &serverRTT, &clientRTT,
		&r.TCP.FlagsToServer, &r.TCP.FlagsToClient, &r.TCP.Retransmits, &r.TCP.OutOfOrder, &r.TCP.ZeroWindows, &r.TCP.Resets,
		&d.TLSVersion, &d.JA4, &d.Software}
	for i := range key {
		to = append(to, &key[i])
	}
	err = rows.Scan(to...)
	copy(r.Client[:], client)
	copy(r.Server[:], server)
	r.Proto, r.Evidence, r.Cause = flow.Proto(proto), flow.Evidence(evidence), flow.Cause(cause)
	r.TCP.ServerRTT, r.TCP.ClientRTT = time.Duration(serverRTT), time.Duration(clientRTT)
	if d != (flow.Details{}) {
		r.Details = &d
	}
	return r, err
}

// octets4 returns the SQL for the 16 bytes of an IPv4 address that is a number.
func octets4(number string) string {
	return "CONCAT(x'00000000000000000000ffff', UNHEX(LPAD(HEX(" + number + "), 8, '0')))"
}
