package mariadb_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	mariadbtest "github.com/portolan/portolan/e2e/mariadb"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store/mariadb"
)

// A ledger of what a test wrote.
type written struct {
	records, packets uint64
}

// batch makes n records with identifiers from *next on, of many edges.
func (w *written) batch(n int) []flow.Record {
	records := make([]flow.Record, n)
	for i := range records {
		w.records++
		client := fmt.Sprintf("10.0.%d.%d:1000", w.records%7, w.records%200)
		server := "10.1.0.1:443"
		if w.records%9 == 0 {
			client, server = fmt.Sprintf("[2001:db8::%d]:1000", w.records%200), "[2001:db8::1]:443"
		}
		records[i] = record(client, server, func(r *flow.Record) {
			r.ID = w.records
			r.End = noon + int64(w.records)*int64(time.Minute) // a day every 1440 records
			r.Start = r.End
		})
		w.packets += records[i].Packets()
	}
	return records
}

// check compares all tables with what was written.
func (w *written) check(t *testing.T, s *mariadb.Store, db *sql.DB) {
	t.Helper()
	stats, err := s.Stats(t.Context())
	if err != nil || stats.Records != w.records {
		t.Errorf("stats: %+v, %v; want %d records", stats, err, w.records)
	}
	var rows, distinct uint64
	err = db.QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(DISTINCT flow_id) FROM
		(SELECT flow_id FROM flowsv4 UNION ALL SELECT flow_id FROM flowsv6) AS f`).Scan(&rows, &distinct)
	if err != nil || rows != w.records || distinct != w.records {
		t.Errorf("%d rows of %d records, %v; want %d of %[4]d", rows, distinct, err, w.records)
	}
	for name, q := range map[string]query.Query{
		"roll-up": {},
		"rows":    {Filter: query.Count{Field: query.Packets, Op: query.Greater}},
	} {
		var packets uint64
		for _, r := range top(t, s, q) {
			packets += r.Packets()
		}
		if packets != w.packets {
			t.Errorf("%s: %d packets, want %d", name, packets, w.packets)
		}
	}
}

// TestServerIsKilled kills a server while records are written, starts it
// again, and goes on. Nothing is lost, nothing counts twice.
func TestServerIsKilled(t *testing.T) {
	need(t)
	const kills = 12
	dir, err := os.MkdirTemp(mariadbtest.QuickDir(), "portolan-kill-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	srv, err := newServer(dir)
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Kill)
	database := srv.database(t)
	c := srv.config(database)
	c.FlushRows = 700
	s := open(t, c)

	var w written
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	failed := 0
	writer.Go(func() {
		again := func(f func() error) {
			for f() != nil {
				failed++
				if failed > 1000 {
					t.Error("the server never came back")
					return
				}
			}
		}
		for ctx.Err() == nil {
			b := flow.Batch{Records: w.batch(250)}
			again(func() error { return s.WriteFlows(t.Context(), &b) })
		}
		again(func() error { return s.Flush(t.Context()) })
	})
	random := rand.New(rand.NewPCG(1, 2))
	for range kills {
		pause(time.Duration(20+random.IntN(300)) * time.Millisecond)
		srv.Kill()
		if err := srv.Start(); err != nil {
			t.Error(err)
			break
		}
	}
	pause(50 * time.Millisecond)
	stop()
	writer.Wait()
	w.check(t, s, srv.db(t, database))
	var units int
	if err := srv.db(t, database).QueryRow("SELECT COUNT(*) FROM portolan_units").Scan(&units); err != nil {
		t.Error(err)
	}
	t.Logf("%d records in %d units, %d calls failed, server killed %d times", w.records, units, failed, kills)
	if w.records < 1000 {
		t.Errorf("only %d records were written", w.records)
	}
}

// pause lets a server that is no goroutine of ours work.
func pause(d time.Duration) { <-time.After(d) }

// A cutter is a proxy that ends connections when the client commits: every
// other time before the server hears of it, and after that.
type cutter struct {
	listener net.Listener
	backend  string
	mu       sync.Mutex
	commits  int
	cuts     int // made
	most     int
}

func (p *cutter) run() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", p.backend)
		if err != nil {
			client.Close()
			continue
		}
		go func() {
			io.Copy(client, server)
			client.Close()
		}()
		go p.forward(client, server)
	}
}

func (p *cutter) forward(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		cut, after := p.cut(buffer[:n])
		if cut && !after {
			return
		}
		if cut {
			client.Close() // the answer finds nobody
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
		if cut {
			server.SetReadDeadline(time.Now().Add(time.Second))
			io.Copy(io.Discard, server)
			return
		}
	}
}

// cut decides about packets, of which the last may be: a length of 7, a
// number, COM_QUERY, the text.
func (p *cutter) cut(packet []byte) (cut, after bool) {
	if !bytes.HasSuffix(packet, []byte("\x07\x00\x00\x00\x03COMMIT")) {
		return false, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commits++
	if p.cuts == p.most || p.commits%3 == 0 {
		return false, false
	}
	p.cuts++
	return true, p.cuts%2 == 0
}

// TestConnectionIsLostAtCommit cuts connections where nobody can know whether
// the server has committed.
func TestConnectionIsLostAtCommit(t *testing.T) {
	srv := need(t)
	database := srv.database(t)
	socket := filepath.Join(srv.Dir, "cutter")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p := &cutter{listener: listener, backend: srv.Socket(), most: 20}
	go p.run()
	c := srv.config(database)
	c.Socket = socket
	c.FlushRows = 50
	s := open(t, c)
	var w written
	for range 30 {
		write(t, s, w.batch(50)...)
	}
	if p.cuts != p.most {
		t.Errorf("%d connections were cut, want %d", p.cuts, p.most)
	}
	w.check(t, s, srv.db(t, database))
}
