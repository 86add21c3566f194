package mariadb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"

	mariadbtest "github.com/portolan/portolan/e2e/mariadb"
	"github.com/portolan/portolan/internal/store/mariadb"
)

// A server is a mariadbd of our own.
type server struct{ *mariadbtest.Server }

func newServer(dir string) (*server, error) {
	s, err := mariadbtest.New(dir)
	return &server{s}, err
}

// shared is the server of all tests but those that kill one or need other
// settings. It is nil if mariadbd is not installed.
var shared *server

func TestMain(m *testing.M) {
	status := 1
	func() {
		dir, err := os.MkdirTemp(mariadbtest.QuickDir(), "portolan-mariadb-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		defer os.RemoveAll(dir)
		shared, err = newServer(dir)
		if err == nil {
			// A crash of the machine is not what these tests are about.
			err = shared.Start(mariadbtest.Quick...)
		}
		switch {
		case errors.Is(err, exec.ErrNotFound):
			shared = nil
		case err != nil:
			fmt.Fprintln(os.Stderr, "start mariadbd:", err)
			return
		default:
			defer shared.Kill()
		}
		status = m.Run()
	}()
	os.Exit(status)
}

// config names a database of the server, which may not be there, as root.
func (s *server) config(database string) mariadb.Config {
	return mariadb.Config{Socket: s.Socket(), User: "root", Database: database}
}

// db returns a pool of connections of root without a database.
func (s *server) db(t testing.TB, database string) *sql.DB {
	t.Helper()
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.DBName, c.Logger = "unix", s.Socket(), "root", database, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

var databases atomic.Int64

// database creates an empty database, and drops it when the test ends.
func (s *server) database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", databases.Add(1))
	db := s.db(t, "")
	exec1(t, db, "CREATE DATABASE "+name)
	t.Cleanup(func() {
		db := s.db(t, "")
		db.ExecContext(context.Background(), "DROP DATABASE "+name)
	})
	return name
}

// need returns the shared server.
func need(t testing.TB) *server {
	t.Helper()
	if shared == nil {
		mariadbtest.Need(t, exec.ErrNotFound)
	}
	return shared
}

func exec1(t testing.TB, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%.200s: %v", text, err)
	}
}

// open opens a store in a database, and closes it when the test ends.
func open(t testing.TB, c mariadb.Config) *mariadb.Store {
	t.Helper()
	s, err := mariadb.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
