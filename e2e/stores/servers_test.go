// Package stores_test compares what the stores answer when the same captures
// are read into each of them: a folder, a real MariaDB, a real ClickHouse.
package stores_test

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/go-sql-driver/mysql"

	"github.com/portolan/portolan/e2e/clickhouse"
	"github.com/portolan/portolan/e2e/mariadb"
	"github.com/portolan/portolan/internal/cli"
)

const (
	lab  = "../../testdata/lab/home.pcapng"
	seed = "../../testdata/seed/seed.pcap"
)

// A site is a store with a user who has a home of their own.
type site struct {
	name, address, home string

	// db connects to the database once the store is there; nil = it is a folder.
	db func(t testing.TB) *sql.DB
}

// run runs a command line on the store, which must end with status, and
// returns what it prints.
func (s *site) run(t testing.TB, status int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	env := cli.Env{Out: &out, Err: &errs, Version: "test", Getenv: func(name string) string {
		if name == "HOME" {
			return s.home
		}
		return ""
	}}
	all := append([]string{"--store", s.address}, args...)
	if got := cli.Run(t.Context(), all, env); got != status {
		t.Fatalf("%s: portolan %s: status %d, want %d\n%s", s.name, strings.Join(args, " "), got, status, errs.String())
	}
	return out.String()
}

// sites returns an empty store of each kind, the servers' in a database of
// that name.
func sites(t testing.TB, database string) []*site {
	t.Helper()
	folder := &site{name: "folder", address: filepath.Join(t.TempDir(), "store"), home: t.TempDir()}
	return []*site{folder, inMariaDB(t, database), inClickHouse(t, database)}
}

// inMariaDB returns a store in a server of its own.
func inMariaDB(t testing.TB, database string) *site {
	t.Helper()
	socket := mariadb.Run(t).Socket()
	db := func(t testing.TB, database string) *sql.DB {
		t.Helper()
		c := mysql.NewConfig()
		c.Net, c.Addr, c.User, c.DBName, c.Logger = "unix", socket, "root", database, &mysql.NopLogger{}
		connector, err := mysql.NewConnector(c)
		if err != nil {
			t.Fatal(err)
		}
		db := sql.OpenDB(connector)
		t.Cleanup(func() { db.Close() })
		return db
	}
	if _, err := db(t, "").ExecContext(t.Context(), "CREATE DATABASE "+database); err != nil {
		t.Fatal(err)
	}
	return &site{"MariaDB", "mariadb://root@localhost/" + database + "?socket=" + socket, t.TempDir(),
		func(t testing.TB) *sql.DB { return db(t, database) }}
}

// inClickHouse returns a store in a server of its own.
func inClickHouse(t testing.TB, database string) *site {
	t.Helper()
	addr := clickhouse.Start(t).Addr
	return &site{"ClickHouse", "clickhouse://" + addr + "/" + database + "?create=true&sync=false", t.TempDir(),
		func(t testing.TB) *sql.DB {
			db := driver.OpenDB(&driver.Options{Addr: []string{addr}, Auth: driver.Auth{Database: database}})
			t.Cleanup(func() { db.Close() })
			return db
		}}
}
