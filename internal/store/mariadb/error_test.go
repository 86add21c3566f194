package mariadb_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mariadbtest "github.com/portolan/portolan/e2e/mariadb"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store/mariadb"
)

// refused opens a store, which must fail with a text and a hint.
func refused(t *testing.T, c mariadb.Config, text, hint string) {
	t.Helper()
	s, err := mariadb.Open(t.Context(), c)
	if err == nil {
		s.Close()
		t.Fatalf("want an error with %q", text)
	}
	hintedError(t, err, text, hint)
}

func hintedError(t *testing.T, err error, text, hint string) {
	t.Helper()
	var hinted *mariadb.Error
	if !errors.As(err, &hinted) {
		t.Fatalf("got %v, want an *Error", err)
	}
	if !strings.Contains(err.Error(), text) || !strings.Contains(hinted.Hint, hint) || strings.Contains(err.Error()+hinted.Hint, "secret") {
		t.Errorf("got %q, hint %q; want %q, hint %q", err, hinted.Hint, text, hint)
	}
}

// user creates a user who may log in by TCP and by socket.
func user(t *testing.T, srv *server, name string, more ...string) {
	t.Helper()
	db := srv.db(t, "")
	for _, host := range []string{"localhost", "127.0.0.1"} {
		account := "'" + name + "'@'" + host + "'"
		exec1(t, db, "CREATE USER "+account+" IDENTIFIED BY 'secret'")
		t.Cleanup(func() {
			db := srv.db(t, "")
			db.ExecContext(context.Background(), "DROP USER "+account)
		})
		for _, text := range more {
			exec1(t, db, strings.ReplaceAll(text, "%", account))
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	srv := need(t)
	database := srv.database(t)
	exec1(t, srv.db(t, ""), "CREATE DATABASE IF NOT EXISTS forbidden")
	tcp := mariadb.Config{Host: "127.0.0.1", Port: srv.Port, User: "limited", Password: "secret", Database: database}
	user(t, srv, "limited", "GRANT ALL PRIVILEGES ON "+database+".* TO %")
	user(t, srv, "reader", "GRANT SELECT ON "+database+".* TO %")

	change := func(f func(*mariadb.Config)) mariadb.Config {
		c := tcp
		f(&c)
		return c
	}
	t.Run("no database", func(t *testing.T) {
		c := srv.config("nowhere")
		refused(t, c, "Unknown database 'nowhere'", "CREATE DATABASE `nowhere` CHARACTER SET utf8mb4;\n"+
			"CREATE USER IF NOT EXISTS 'root'@'localhost' IDENTIFIED BY 'PASSWORD';\nGRANT ALL PRIVILEGES ON `nowhere`.* TO 'root'@'localhost';")
	})
	t.Run("wrong password", func(t *testing.T) {
		refused(t, change(func(c *mariadb.Config) { c.Password = "secrets" }), "Access denied for user 'limited'", "CREATE USER IF NOT EXISTS 'limited'@'localhost'")
	})
	t.Run("another's database", func(t *testing.T) {
		refused(t, change(func(c *mariadb.Config) { c.Database = "forbidden" }), "Access denied", "GRANT ALL PRIVILEGES ON `forbidden`.* TO 'limited'@'localhost';")
	})
	t.Run("may only read", func(t *testing.T) {
		refused(t, change(func(c *mariadb.Config) { c.User = "reader" }), "command denied", "GRANT ALL PRIVILEGES ON")
	})
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := uint16(l.Addr().(*net.TCPAddr).Port)
		l.Close()
		refused(t, change(func(c *mariadb.Config) { c.Port = port }), "connection refused", "systemctl status mariadb")
	})
	t.Run("no socket", func(t *testing.T) {
		refused(t, mariadb.Config{Socket: "/nonexistent/socket", Database: "d"}, "no such file", "/run/mysqld/mysqld.sock")
	})
	t.Run("no host", func(t *testing.T) {
		refused(t, change(func(c *mariadb.Config) { c.Host = "nowhere.invalid" }), "nowhere.invalid", "name of the host")
	})
	t.Run("a server of another kind", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				conn.Write([]byte("SSH-2.0-OpenSSH_9.2\r\n"))
				conn.Close()
			}
		}()
		_, err = mariadb.Open(t.Context(), change(func(c *mariadb.Config) { c.Port = uint16(l.Addr().(*net.TCPAddr).Port) }))
		if err == nil {
			t.Error("want an error")
		}
	})
	t.Run("read-only server", func(t *testing.T) {
		s := open(t, tcp)
		db := srv.db(t, "")
		exec1(t, db, "SET GLOBAL read_only = 1")
		defer db.ExecContext(context.Background(), "SET GLOBAL read_only = 0")
		if err := s.WriteFlows(t.Context(), &flow.Batch{Records: []flow.Record{record("10.0.0.1:1", "10.0.0.2:2")}}); err != nil {
			t.Fatal(err)
		}
		hintedError(t, s.Flush(t.Context()), "read-only", "SET GLOBAL read_only = 0")
		exec1(t, db, "SET GLOBAL read_only = 0")
		if err := s.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if rows := top(t, s, query.Query{}); len(rows) != 1 || rows[0].Flows != 1 {
			t.Errorf("afterwards: %+v", rows)
		}
	})
	t.Run("a reader needs no more than SELECT", func(t *testing.T) {
		s := open(t, change(func(c *mariadb.Config) { c.User, c.ReadOnly = "reader", true }))
		if rows := top(t, s, query.Query{By: query.Observer}); len(rows) != 1 {
			t.Errorf("got %+v", rows)
		}
		if _, err := s.Status(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("records that were not written", func(t *testing.T) {
		name := srv.database(t)
		s := open(t, srv.config(name))
		if err := s.WriteFlows(t.Context(), &flow.Batch{Records: make([]flow.Record, 3)}); err != nil {
			t.Fatal(err)
		}
		exec1(t, srv.db(t, ""), "DROP DATABASE "+name)
		if err := s.Close(); err == nil || !strings.Contains(err.Error(), "3 records were not written") {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestInitCreatesTheDatabase(t *testing.T) {
	srv := need(t)
	c := srv.config("made")
	t.Cleanup(func() { srv.db(t, "").ExecContext(context.Background(), "DROP DATABASE made") })
	for range 2 {
		if err := mariadb.Init(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	c.ReadOnly = true
	open(t, c)
}

// certificates writes an authority and a server's certificate for 127.0.0.1.
func certificates(t *testing.T, dir string) (ca, cert, key string) {
	t.Helper()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sign := func(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) []byte {
		template.SerialNumber = big.NewInt(time.Now().UnixNano())
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	caKey, serverKey := newKey(), newKey()
	authority := &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	authority.Subject.CommonName = "lab"
	caDER := sign(authority, authority, caKey, caKey)
	leaf := &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	leaf.Subject.CommonName = "server"
	keyDER, err := x509.MarshalECPrivateKey(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	return write("ca.pem", "CERTIFICATE", caDER), write("cert.pem", "CERTIFICATE", sign(leaf, authority, serverKey, caKey)),
		write("key.pem", "EC PRIVATE KEY", keyDER)
}

func TestTLS(t *testing.T) {
	need(t)
	dir, err := os.MkdirTemp(mariadbtest.QuickDir(), "portolan-tls-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ca, cert, key := certificates(t, dir)
	otherCA, _, _ := certificates(t, t.TempDir())
	srv, err := newServer(dir)
	if err == nil {
		err = srv.Start("--ssl-cert="+cert, "--ssl-key="+key)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Kill)
	database := srv.database(t)
	user(t, srv, "careful", "GRANT ALL PRIVILEGES ON "+database+".* TO %", "ALTER USER % REQUIRE SSL")
	address := fmt.Sprintf("mariadb://careful:secret@127.0.0.1:%d/%s", srv.Port, database)
	config := func(options string) mariadb.Config {
		c, err := mariadb.Parse(address + options)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, options := range []string{"?tls=true&ca=" + ca, "?tls=skip-verify", "?tls=preferred"} {
		s := open(t, config(options))
		write(t, s, record("10.0.0.1:1", "10.0.0.2:2"))
	}
	refused(t, config(""), "Access denied", "")
	refused(t, config("?tls=true"), "unknown authority", "tls=true&ca=FILE")
	refused(t, config("?tls=true&ca="+otherCA), "unknown authority", "tls=true&ca=FILE")
	c := config("?tls=true&ca=" + ca)
	c.Host = "localhost"
	refused(t, c, "wanted to match localhost", "tls=skip-verify")
	if _, err := mariadb.Open(t.Context(), config("?tls=true&ca="+key)); err == nil || !strings.Contains(err.Error(), "no certificate in PEM") {
		t.Errorf("a key as ca: %v", err)
	}
	plain := need(t)
	user(t, plain, "careless", "GRANT ALL PRIVILEGES ON *.* TO %")
	refused(t, mariadb.Config{Host: "127.0.0.1", Port: plain.Port, User: "careless", Password: "secret", Database: plain.database(t), TLS: mariadb.VerifiedTLS},
		"TLS", "the server offers no encryption")
}

// TestAbandonedQuestionEnds cancels a question that keeps the server busy,
// which must not work on for nobody. (A server that only waits finds out by
// itself.)
func TestAbandonedQuestionEnds(t *testing.T) {
	srv := need(t)
	c := srv.config(srv.database(t))
	c.ReadOnly = true
	db := srv.db(t, c.Database)
	exec1(t, db, `CREATE VIEW flowsv4 AS SELECT 1 AS IP_SRC_ADDR, 2 AS IP_DST_ADDR, 3 AS L4_DST_PORT, 6 AS PROTOCOL,
		BENCHMARK(200000000, MD5('x')) AS LAST_SWITCHED`)
	s := open(t, c)
	working := func() (n int) {
		err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM information_schema.PROCESSLIST
			WHERE DB = ? AND ID <> CONNECTION_ID() AND COMMAND <> 'Sleep' AND INFO LIKE '%LAST_SWITCHED%'`, c.Database).Scan(&n)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		var last error
		for _, err := range s.Top(ctx, query.Query{}) {
			last = err
		}
		done <- last
	}()
	until(t, "the server works", func() bool { return working() == 1 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Top: got %v, want context.Canceled", err)
	}
	until(t, "the server has ended it", func() bool { return working() == 0 })
}

// until looks some times a second, for ten seconds, whether what a server does
// has happened.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for range 500 {
		if happened() {
			return
		}
		pause(20 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}
