package mariadb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/mariadb"
	"github.com/portolan/portolan/internal/store/storetest"
)

// kept is what a row keeps of a record, beside ntopng's columns.
type kept struct {
	Start, End                 int64
	PacketsToServer, ToClient  uint64
	Master, App                uint16
	Guess                      bool
	Info                       string
	Observer                   string
	Evidence, Cause            uint8
	ID                         uint64
	Slice, Sampling            uint32
	ServerRTT, ClientRTT       int64
	FlagsToServer, FlagsClient uint8
	Retransmits, OutOfOrder    uint32
	ZeroWindows, Resets        uint32
	TLSVersion                 *uint16
	JA4, Software              *string
}

func readKept(t *testing.T, db *sql.DB, table string) (all []kept) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT start_time, end_time, packets_to_server, packets_to_client, app_master, app, app_guess,
		COALESCE(info_long, INFO), o.name, evidence, cause, flow_id, slice, sampling, server_rtt, client_rtt, flags_to_server, flags_to_client,
		retransmits, out_of_order, zero_windows, resets, tls_version, ja4, software
		FROM `+table+` JOIN portolan_observers o ON o.id = observer_id ORDER BY idx`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var k kept
		if err := rows.Scan(&k.Start, &k.End, &k.PacketsToServer, &k.ToClient, &k.Master, &k.App, &k.Guess, &k.Info, &k.Observer,
			&k.Evidence, &k.Cause, &k.ID, &k.Slice, &k.Sampling, &k.ServerRTT, &k.ClientRTT, &k.FlagsToServer, &k.FlagsClient,
			&k.Retransmits, &k.OutOfOrder, &k.ZeroWindows, &k.Resets, &k.TLSVersion, &k.JA4, &k.Software); err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// both runs f on a server that takes LOAD DATA LOCAL, and on one that forbids it.
func both(t *testing.T, f func(t *testing.T, srv *server)) {
	srv := need(t)
	t.Run("load", func(t *testing.T) { f(t, srv) })
	t.Run("insert", func(t *testing.T) {
		db := srv.db(t, "")
		exec1(t, db, "SET GLOBAL local_infile = 0")
		t.Cleanup(func() { db.ExecContext(context.Background(), "SET GLOBAL local_infile = 1") })
		f(t, srv)
	})
}

func TestEveryFieldIsKept(t *testing.T) {
	both(t, func(t *testing.T, srv *server) {
		database := srv.database(t)
		s := open(t, srv.config(database))
		full := record("10.0.0.1:1", "10.0.0.2:2", func(r *flow.Record) {
			r.ID, r.Slice, r.Sampling = 1<<64-1, 1<<32-1, 1<<32-2
			r.Start, r.End = noon+1, noon+2
			r.ToServer, r.ToClient = flow.Counters{Packets: 1 << 63, Bytes: 1 << 63}, flow.Counters{Packets: 4, Bytes: 5}
			r.TCP = flow.TCPFacts{ServerRTT: 6, ClientRTT: 7, FlagsToServer: 255, FlagsToClient: 254,
				Retransmits: 1<<32 - 1, OutOfOrder: 9, ZeroWindows: 10, Resets: 11}
			r.App = flow.App{Master: 65535, App: 65534, Guess: true}
			r.Evidence, r.Cause = 255, 254
			r.Details = &flow.Details{TLSVersion: 0x0304, JA4: "t13d1516h2_8daaf6152771_02713d6af862", Software: "nginx/1.22.1"}
		})
		six := record("[2001:db8::1]:1", "[2001:db8::2]:2", func(r *flow.Record) { r.Details = &flow.Details{Software: "SSH-2.0-x"} })
		write(t, s, full, six)

		tls, ja4, software, ssh := uint16(0x0304), "t13d1516h2_8daaf6152771_02713d6af862", "nginx/1.22.1", "SSH-2.0-x"
		want := []kept{{
			noon + 1, noon + 2, 1<<63 - 1, 4, 65535, 65534, true, "www.example.com", "eth0", 255, 254, 1<<64 - 1, 1<<32 - 1, 1<<32 - 2,
			6, 7, 255, 254, 1<<32 - 1, 9, 10, 11, &tls, &ja4, &software,
		}}
		db := srv.db(t, database)
		if diff := cmp.Diff(want, readKept(t, db, "flowsv4")); diff != "" {
			t.Errorf("flowsv4 (-want +got):\n%s", diff)
		}
		want = []kept{{
			Start: noon - int64(time.Second), End: noon, PacketsToServer: 1, ToClient: 2, Master: 91, App: 126,
			Info: "www.example.com", Observer: "eth0", Evidence: 80, Cause: 3, ID: 7, Software: &ssh,
		}}
		if diff := cmp.Diff(want, readKept(t, db, "flowsv6")); diff != "" {
			t.Errorf("flowsv6 (-want +got):\n%s", diff)
		}
	})
}

// hostile are texts that break out of quotes, columns or lines, if anything can.
var hostile = []string{
	"", "'", `"`, "`", `\`, `\\`, `\'`, `\N`, `\n`, `\0`, "\x00", "\x1a", "\n", "\r\n", "\t", "a\tb\nc", "'; DROP TABLE flowsv4; -- ",
	"' OR 1=1 #", "%s%n", "?", "?,?", "${x}", "\U0001F600", "e\u0301", "\u202e", "\ufffd", "trail ", " lead", "NULL",
	"\xff", "a\xc3\x28b", "\xf0\x9f\x98", strings.Repeat("x", 255), strings.Repeat("é", 255), strings.Repeat("é", 256),
	strings.Repeat("\U0001F600", 300), strings.Repeat("y", 64<<10), strings.Repeat("\\", 64<<10), strings.Repeat("'", 64<<10),
}

func TestHostileTexts(t *testing.T) {
	both(t, func(t *testing.T, srv *server) {
		database := srv.database(t)
		s := open(t, srv.config(database))
		var records []flow.Record
		for i, text := range hostile {
			records = append(records, record("10.0.0.1:1", "10.0.0.2:2", func(r *flow.Record) {
				r.Info, r.Observer, r.ID = text, text, uint64(i)
				r.Details = &flow.Details{JA4: text, Software: text}
			}))
		}
		write(t, s, records...)
		rows := readKept(t, srv.db(t, database), "flowsv4")
		if len(rows) != len(hostile) {
			t.Fatalf("%d rows, want %d", len(rows), len(hostile))
		}
		for i, text := range hostile {
			want := query.Text(text)
			got := []string{rows[i].Info, rows[i].Observer}
			wants := []string{want, want}
			if text != "" {
				got, wants = append(got, *rows[i].JA4, *rows[i].Software), append(wants, want, want)
			}
			if diff := cmp.Diff(wants, got); diff != "" {
				t.Errorf("%.40q (-want +got):\n%.400s", text, diff)
			}
		}
		stats, err := s.Stats(t.Context())
		if err != nil || stats.Records != uint64(len(hostile)) {
			t.Errorf("got %+v, %v", stats, err)
		}
	})
}

// TestContractWithInsert runs the contract where LOAD DATA is forbidden.
func TestContractWithInsert(t *testing.T) {
	srv := need(t)
	db := srv.db(t, "")
	exec1(t, db, "SET GLOBAL local_infile = 0")
	t.Cleanup(func() { db.ExecContext(context.Background(), "SET GLOBAL local_infile = 1") })
	storetest.Differential(t, fresh)
}

func TestWriteOnce(t *testing.T) {
	srv := need(t)
	database := srv.database(t)
	a, b := open(t, srv.config(database)), open(t, srv.config(database))
	batch := &flow.Batch{Records: []flow.Record{record("10.0.0.1:1", "10.0.0.2:2"), record("[::1]:1", "[::1]:2")}}
	for _, s := range []*mariadb.Store{a, a, b} {
		if err := s.WriteOnce(t.Context(), "file-1", batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.WriteOnce(t.Context(), "file-2", batch); err != nil {
		t.Fatal(err)
	}
	stats, err := a.Stats(t.Context())
	if err != nil || stats.Records != 4 {
		t.Errorf("got %+v, %v; want 4 records", stats, err)
	}
	var packets uint64
	for _, r := range top(t, b, query.Query{}) {
		packets += r.Packets()
	}
	if packets != 12 {
		t.Errorf("%d packets, want 12", packets)
	}
	// Names are kept when other writes are forgotten.
	if _, err := a.Prune(t.Context(), store.Policy{}, time.Now().Add(1000*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := a.WriteOnce(t.Context(), "file-1", batch); err != nil {
		t.Fatal(err)
	}
	if stats, err := a.Stats(t.Context()); err != nil || stats.Records != 4 {
		t.Errorf("after Prune: got %+v, %v; want 4 records", stats, err)
	}
}

// TestRollUpAgreesWithRows asks each question of the roll-up and, with a filter
// that changes nothing, of the rows.
func TestRollUpAgreesWithRows(t *testing.T) {
	srv := need(t)
	s := open(t, srv.config(srv.database(t)))
	var records []flow.Record
	for i := range 3000 {
		client := fmt.Sprintf("10.0.%d.%d:5000", i%3, i%17)
		server := fmt.Sprintf("10.1.0.%d:%d", i%7, 80+i%5)
		if i%5 == 0 {
			client, server = fmt.Sprintf("[2001:db8::%d]:5000", i%17), fmt.Sprintf("[2001:db8:1::%d]:443", i%7)
		}
		records = append(records, record(client, server, func(r *flow.Record) {
			r.End = noon + int64(i)*int64(30*time.Second)
			r.Start = r.End - int64(i)
			r.Slice, r.Observer = uint32(i%4), []string{"a", "b", "c"}[i%3]
			r.ToServer, r.ToClient = flow.Counters{Packets: uint64(i), Bytes: uint64(i * i)}, flow.Counters{Packets: 1, Bytes: uint64(i)}
		}))
	}
	write(t, s, records...)
	rows := query.Count{Field: query.Bytes, Op: query.GreaterEq}
	at := func(d time.Duration) int64 { return noon + int64(d) }
	for _, q := range []query.Query{
		{}, {By: query.Server | query.Port}, {By: query.Observer}, {By: query.Edge | query.VLAN, Limit: 10},
		{Step: time.Hour, By: query.Server}, {Step: 24 * time.Hour},
		{Span: flow.Span{Start: at(-time.Hour), End: at(48 * time.Hour)}},
		{Span: flow.Span{Start: at(90 * time.Minute), End: at(5*time.Hour + 1)}},
		{Span: flow.Span{Start: at(time.Hour), End: at(4 * time.Hour)}, By: query.Proto},
		{Span: flow.Span{Start: at(100 * time.Minute), End: at(110 * time.Minute)}},
		{Span: flow.Span{Start: at(7 * time.Hour)}}, {Span: flow.Span{End: at(7*time.Hour + 7)}},
	} {
		rolled := top(t, s, q)
		q.Filter = rows
		if diff := cmp.Diff(top(t, s, q), rolled); diff != "" || len(rolled) == 0 {
			t.Errorf("%+v: %d rows (-rows +roll-up):\n%.1000s", q, len(rolled), diff)
		}
	}
}

func TestFlushesByRowsAndAge(t *testing.T) {
	srv := need(t)
	c := srv.config(srv.database(t))
	c.FlushRows = 10
	s := open(t, c)
	one := record("10.0.0.1:1", "10.0.0.2:2")
	records := func() uint64 {
		stats, err := s.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return stats.Records
	}
	for i, want := range []uint64{0, 0, 0, 9, 9} { // three at a time
		if err := s.WriteFlows(t.Context(), &flow.Batch{Records: []flow.Record{one, one, one}}); err != nil {
			t.Fatal(err)
		}
		if got := records(); got != want {
			t.Errorf("after batch %d: %d records, want %d", i+1, got, want)
		}
	}
	// A batch larger than FlushRows is written in pieces.
	big := make([]flow.Record, 25)
	for i := range big {
		big[i] = one
	}
	write(t, s, big...)
	if got := records(); got != 15+25 {
		t.Errorf("%d records, want 40", got)
	}
}

func TestReadOnly(t *testing.T) {
	srv := need(t)
	c := srv.config(srv.database(t))
	c.ReadOnly = true
	if _, err := mariadb.Open(t.Context(), c); !errors.Is(err, store.ErrNotStore) {
		t.Errorf("an empty database: got %v, want ErrNotStore", err)
	}
	writer := srv.config(c.Database)
	write(t, open(t, writer), record("10.0.0.1:1", "10.0.0.2:2"))
	s := open(t, c)
	if rows := top(t, s, query.Query{}); len(rows) != 1 {
		t.Errorf("got %d rows", len(rows))
	}
	if err := s.WriteFlows(t.Context(), &flow.Batch{}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("WriteFlows: got %v, want ErrReadOnly", err)
	}
	if _, err := s.Prune(t.Context(), store.Policy{}, time.Now()); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Prune: got %v, want ErrReadOnly", err)
	}
}

// TestNamesAreFoundWithoutCase looks for every letter that has a case, by the
// lower case that the filter language promises.
func TestNamesAreFoundWithoutCase(t *testing.T) {
	srv := need(t)
	database := srv.database(t)
	var one string
	err := srv.db(t, database).QueryRowContext(t.Context(), "SELECT LOWER(CONVERT('A' USING utf8mb4) COLLATE utf8mb4_uca1400_ai_ci)").Scan(&one)
	if err != nil {
		t.Skip("a MariaDB before 10.10 does not know every letter")
	}
	s := open(t, srv.config(database))
	var records []flow.Record
	var folded []string
	var text strings.Builder
	for r := range rune(0x20000) {
		if unicode.ToLower(r) != r {
			text.WriteRune(r)
		}
		if text.Len() > 200 {
			records = append(records, record("10.0.0.1:1", "10.0.0.2:2", func(r *flow.Record) { r.Info = text.String() }))
			folded = append(folded, query.Fold(text.String()))
			text.Reset()
		}
	}
	write(t, s, records...)
	for _, text := range folded {
		if rows := top(t, s, query.Query{Filter: query.NameHas{Text: text}}); len(rows) != 1 || rows[0].Flows != 1 {
			t.Errorf("%s: got %+v", text, rows)
		}
	}
}

// TestTwoWriters lets two stores write the same edges at the same time.
func TestTwoWriters(t *testing.T) {
	srv := need(t)
	database := srv.database(t)
	const units, size = 15, 400
	var group sync.WaitGroup
	for i := range 2 {
		c := srv.config(database)
		c.FlushRows = size
		s := open(t, c)
		group.Go(func() {
			random := mathrand.New(mathrand.NewPCG(uint64(i), 0))
			for range units {
				b := flow.Batch{Records: make([]flow.Record, size)}
				for j := range b.Records {
					b.Records[j] = record(fmt.Sprintf("10.0.0.%d:1", random.IntN(50)), fmt.Sprintf("10.1.0.%d:443", random.IntN(50)))
				}
				if err := errors.Join(s.WriteFlows(t.Context(), &b), s.Flush(t.Context())); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	s := open(t, srv.config(database))
	stats, err := s.Stats(t.Context())
	if err != nil || stats.Records != 2*units*size {
		t.Errorf("got %+v, %v", stats, err)
	}
	var flows uint64
	for _, r := range top(t, s, query.Query{}) {
		flows += r.Flows
	}
	if flows != 2*units*size {
		t.Errorf("%d conversations, want %d", flows, 2*units*size)
	}
}
