package clickhouse

import (
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	chtest "github.com/portolan/portolan/e2e/clickhouse"
)

// A proxy stands between a store and its server, and can lose answers.
type proxy struct {
	net.Listener
	server string
	armed  atomic.Bool // answers are lost once a connection has sent patience bytes

	mu    sync.Mutex
	conns []net.Conn
}

// patience is more than the head of an INSERT, and less than its rows.
const patience = 4 << 10

// newProxy starts a proxy, which speaks TLS to clients if it is given how.
func newProxy(t *testing.T, server string, secure *tls.Config) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	p := &proxy{Listener: l, server: server}
	t.Cleanup(func() {
		l.Close()
		p.cut()
	})
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.pass(client)
		}
	}()
	return p
}

func (p *proxy) pass(client net.Conn) {
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		client.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	var asked atomic.Int64 // bytes while the proxy is armed
	go relay(server, client, func(n int) bool {
		if p.armed.Load() {
			asked.Add(int64(n))
		}
		return true
	})
	relay(client, server, func(int) bool { return asked.Load() < patience })
}

// relay copies, but for what pass refuses.
func relay(to, from net.Conn, pass func(n int) bool) {
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if pass(n) {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// TestLostAnswer loses the answer to a write that the server has done: the
// store writes again, and nothing counts twice.
func TestLostAnswer(t *testing.T) {
	const size = 5000
	server := chtest.Start(t)
	dsn := newDatabase(server, "&retry=60s")
	p := newProxy(t, server.Addr, nil)
	s := open(t, strings.Replace(dsn, server.Addr, p.Addr().String(), 1))
	defer s.Close()
	direct := open(t, dsn)
	defer direct.Close()
	for i := range uint64(3) {
		p.armed.Store(true)
		written := make(chan error, 1)
		go func() { written <- write(t.Context(), s, records(i*size, size)) }()
		for sumsOf(t, direct).Days < (i+1)*size { // that table is written last
			time.Sleep(10 * time.Millisecond)
		}
		select {
		case err := <-written:
			t.Fatalf("the answer was not lost: %v", err)
		default:
		}
		p.armed.Store(false)
		p.cut()
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all((i+1)*size), sumsOf(t, direct)); diff != "" {
			t.Fatalf("after lost answer %d (-want +got):\n%s", i+1, diff)
		}
	}
}

// TestWriteOnce writes under one name twice, from two stores.
func TestWriteOnce(t *testing.T) {
	dsn := newDatabase(chtest.Start(t), "")
	for range 2 {
		s := open(t, dsn)
		for _, name := range []string{"a", "it's b", "a"} {
			if err := s.WriteOnce(t.Context(), name, records(0, 100)); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(totals{200, 100, 200, 200, 200}, sumsOf(t, s)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
