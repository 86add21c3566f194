//go:build e2e

package live

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/portolan/portolan/internal/daemon"
)

// A database is a MariaDB server of our own, which listens on 127.0.0.1 of a
// namespace, and has a database "flows" of a user "p" with the password "p".
type database struct {
	namespace, dir string
	process        *process
}

const databaseURL = "mariadb://p:p@127.0.0.1:3306/flows"

// program finds one, also where only root looks.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name, "/usr/libexec/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// newDatabase makes the folder of a server that does not run yet.
func newDatabase(t *testing.T, namespace string) *database {
	t.Helper()
	d := &database{namespace: namespace, dir: t.TempDir()}
	do(t, program(t, "mariadb-install-db"), "--no-defaults", "--user=root", "--datadir="+d.path("data"),
		"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
	const init = "CREATE DATABASE IF NOT EXISTS flows;\nCREATE USER IF NOT EXISTS p@'%' IDENTIFIED BY 'p';\nGRANT ALL ON flows.* TO p@'%';\n"
	if err := os.WriteFile(d.path("init.sql"), []byte(init), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *database) path(name string) string { return filepath.Join(d.dir, name) }

// start runs the server, and waits until it takes connections.
func (d *database) start(t *testing.T) {
	t.Helper()
	d.process = start(t, d.namespace, program(t, "mariadbd"), "--no-defaults", "--user=root", "--datadir="+d.path("data"),
		"--socket="+d.path("socket"), "--pid-file="+d.path("pid"), "--init-file="+d.path("init.sql"),
		"--bind-address=127.0.0.1", "--port=3306", "--skip-name-resolve", "--skip-log-bin", "--innodb-buffer-pool-size=32M")
	for range 300 {
		if conn, err := net.Dial("unix", d.path("socket")); err == nil {
			conn.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("mariadbd takes no connections within 30 seconds")
}

// end sends the server a signal, and waits until it is gone.
func (d *database) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := d.process.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := d.process.Wait(); err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || !exit.Sys().(syscall.WaitStatus).Signaled() {
			t.Errorf("mariadbd: %v\n%s", err, &d.process.out)
		}
	}
}

// await asks the daemon until a condition is true, 60 seconds at the most.
func await(t *testing.T, namespace, what string, is func(*daemon.Status) bool) daemon.Status {
	t.Helper()
	begin := time.Now()
	for {
		s := status(t, namespace)
		if is(&s) {
			t.Logf("%s after %s: %+v", what, time.Since(begin).Round(100*time.Millisecond), s.Queue)
			return s
		}
		if time.Since(begin) > time.Minute {
			t.Fatalf("%s: not within a minute: %+v", what, s.Queue)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// TestDatabaseGoes starts with a database that is down, lets it come, stops it
// and kills it: flows wait on the disk meanwhile, and each arrives once.
func TestDatabaseGoes(t *testing.T) {
	one, two := pair(t)
	db := newDatabase(t, two)
	home := t.TempDir()
	p := start(t, two, binary, "run", "-i", "v2", "--store", databaseURL, "--data-dir", home, "--workers", "1", "--active-timeout", "1s")
	status(t, two) // it captures
	var sent uint64
	ping := func() {
		const n = 30
		do(t, "ip", "netns", "exec", one, "ping", "-q", "-i", "0.1", "-c", fmt.Sprint(n), "10.7.0.2")
		sent += 2 * n
	}
	trouble := func(s *daemon.Status) bool { return s.Queue.Trouble != "" }
	spilled := func(s *daemon.Status) bool { return s.Queue.OnDisk > 0 }
	arrived := func(s *daemon.Status) bool {
		return s.Queue.Trouble == "" && s.Queue.OnDisk == 0 && s.Queue.InMemory == 0 && s.Queue.Written == s.Queue.Taken && s.Queue.Taken > 0
	}

	ping()
	await(t, two, "down from the start", spilled)
	db.start(t)
	await(t, two, "the first start", arrived)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		ping()
		db.end(t, signal)
		ping() // until the store fails, flows wait in memory
		await(t, two, fmt.Sprintf("trouble when %v", signal), trouble)
		ping()
		await(t, two, fmt.Sprintf("on the disk when %v", signal), spilled)
		db.start(t)
		await(t, two, "the next start", arrived)
	}
	ping()
	p.stop(t, syscall.SIGTERM)

	var stored, flows uint64
	for _, e := range topIn(t, two, databaseURL) {
		flows++
		if e.Proto == "icmp" {
			stored += e.PacketsToServer + e.PacketsToClient
		}
	}
	if stored != sent {
		t.Errorf("%d packets of pings are stored, %d were sent\n%s", stored, sent, &p.out)
	}
	t.Logf("%d packets of pings, %d edges", stored, flows)
	db.end(t, syscall.SIGTERM)
}
