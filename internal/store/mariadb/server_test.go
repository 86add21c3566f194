package mariadb_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/portolan/portolan/internal/store/mariadb"
)

// A server is a mariadbd of our own, with its data in a folder that goes away.
type server struct {
	dir    string
	port   uint16
	args   []string
	cmd    *exec.Cmd
	output bytes.Buffer
	done   chan error
}

// shared is the server of all tests but those that kill one or need other
// settings. It is nil if mariadbd is not installed.
var shared *server

func TestMain(m *testing.M) {
	status := 1
	func() {
		dir, err := os.MkdirTemp(quickDir(), "portolan-mariadb-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		defer os.RemoveAll(dir)
		shared, err = newServer(dir)
		if err == nil {
			// A crash of the machine is not what these tests are about.
			err = shared.start("--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--sync-frm=0")
		}
		switch {
		case errors.Is(err, exec.ErrNotFound):
			shared = nil
		case err != nil:
			fmt.Fprintln(os.Stderr, "start mariadbd:", err)
			return
		default:
			defer shared.kill()
		}
		status = m.Run()
	}()
	os.Exit(status)
}

// quickDir returns a folder in memory, if there is one: creating tables and
// partitions waits for a disk many times.
func quickDir() string {
	const dir, enough = "/dev/shm", 1 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err == nil && fs.Bavail*uint64(fs.Bsize) >= enough {
		return dir
	}
	return ""
}

// newServer makes the folder of a server that is not yet running.
func newServer(dir string) (*server, error) {
	install, err := lookPath("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir}
	out, err := exec.Command(install, "--no-defaults", "--datadir="+s.data(), "--auth-root-authentication-method=normal",
		"--skip-test-db", "--skip-name-resolve").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", install, err, out)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.port = uint16(listener.Addr().(*net.TCPAddr).Port)
	return s, listener.Close()
}

// lookPath finds a program, also where only root looks.
func lookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

func (s *server) data() string   { return filepath.Join(s.dir, "data") }
func (s *server) socket() string { return filepath.Join(s.dir, "socket") }

// start runs the server, and waits until it takes connections.
func (s *server) start(args ...string) error {
	path, err := lookPath("mariadbd")
	if err != nil {
		return err
	}
	if args != nil {
		s.args = args
	}
	all := append([]string{
		"--no-defaults", "--datadir=" + s.data(), "--socket=" + s.socket(), "--port=" + strconv.Itoa(int(s.port)),
		"--bind-address=127.0.0.1", "--pid-file=" + filepath.Join(s.dir, "pid"), "--skip-name-resolve",
		"--innodb-buffer-pool-size=64M", "--innodb-log-file-size=64M", "--skip-log-bin",
	}, s.args...)
	if os.Geteuid() == 0 {
		all = append(all, "--user=root")
	}
	s.output.Reset()
	s.cmd = exec.Command(path, all...)
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // none outlives the tests
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.done = make(chan error, 1)
	go func() { s.done <- s.cmd.Wait() }()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-s.done:
			return fmt.Errorf("%s ended: %w\n%s", path, err, s.output.String())
		case <-deadline:
			s.kill()
			return fmt.Errorf("%s takes no connections:\n%s", path, s.output.String())
		case <-tick.C:
		}
		conn, err := net.Dial("unix", s.socket())
		if err == nil {
			conn.Close()
			return nil
		}
	}
}

// kill ends the server at once, as a crash does.
func (s *server) kill() {
	s.cmd.Process.Signal(syscall.SIGKILL)
	<-s.done
}

// config names a database of the server, which may not be there, as root.
func (s *server) config(database string) mariadb.Config {
	return mariadb.Config{Socket: s.socket(), User: "root", Database: database}
}

// db returns a pool of connections of root without a database.
func (s *server) db(t testing.TB, database string) *sql.DB {
	t.Helper()
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.DBName, c.Logger = "unix", s.socket(), "root", database, &mysql.NopLogger{}
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
	if shared != nil {
		return shared
	}
	if os.Getenv("CI") != "" {
		t.Fatal("mariadbd is not installed")
	}
	t.Skip("mariadbd is not installed")
	return nil
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
