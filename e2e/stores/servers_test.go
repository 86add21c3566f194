// Package stores_test compares what the stores answer when the same captures
// are read into each of them: a folder, a real MariaDB, a real ClickHouse.
package stores_test

import (
	"bytes"
	"database/sql"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/go-sql-driver/mysql"

	"github.com/portolan/portolan/e2e/clickhouse"
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
	socket := startMariaDB(t)
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

// startMariaDB starts a server that ends with the test, and returns its socket.
// Where none is installed the test is skipped; with CI set, it fails.
func startMariaDB(t testing.TB) string {
	t.Helper()
	install, daemon := program(t, "mariadb-install-db"), program(t, "mariadbd")
	dir, err := os.MkdirTemp(quickDir(), "portolan-stores-") // short: a socket's path is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	data, socket := filepath.Join(dir, "data"), filepath.Join(dir, "socket")
	if out, err := exec.Command(install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal",
		"--skip-test-db", "--skip-name-resolve").CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", install, err, out)
	}
	args := []string{"--no-defaults", "--datadir=" + data, "--socket=" + socket, "--pid-file=" + filepath.Join(dir, "pid"),
		"--skip-networking", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--sync-frm=0"}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	var said bytes.Buffer
	process := exec.Command(daemon, args...)
	process.Stdout, process.Stderr = &said, &said
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // none outlives the tests
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	t.Cleanup(func() {
		process.Process.Kill()
		<-ended
	})
	deadline := time.After(30 * time.Second)
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
			return socket
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", daemon, err, said.String())
		case <-deadline:
			t.Fatalf("%s takes no connections", daemon)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// quickDir returns a folder in memory, if there is one with a GiB of room.
func quickDir() string {
	const dir, enough = "/dev/shm", 1 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err == nil && fs.Bavail*uint64(fs.Bsize) >= enough {
		return dir
	}
	return ""
}

// program returns the path of a program, also where only root looks.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec"} {
		if err == nil {
			return path
		}
		path, err = exec.LookPath(filepath.Join(dir, name))
	}
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") != "":
		t.Fatalf("%s is not installed", name)
	case !errors.Is(err, exec.ErrNotFound) && !errors.Is(err, os.ErrNotExist):
		t.Fatal(err)
	}
	t.Skipf("%s is not installed", name)
	return ""
}
