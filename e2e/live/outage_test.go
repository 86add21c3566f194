//go:build e2e

package live

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/portolan/portolan/e2e/mariadb"
	"github.com/portolan/portolan/internal/daemon"
)

const databaseURL = "mariadb://p:p@127.0.0.1:3306/flows"

// newDatabase makes a MariaDB server that does not run yet, listens on 127.0.0.1
// of a namespace, and has a database "flows" of a user "p" with the password
// "p".
func newDatabase(t *testing.T, namespace string) *mariadb.Server {
	t.Helper()
	s, err := mariadb.New(t.TempDir())
	mariadb.Need(t, err)
	s.Namespace, s.Port = namespace, 3306
	return s
}

// startDatabase runs the server.
func startDatabase(t *testing.T, s *mariadb.Server) {
	t.Helper()
	init := filepath.Join(s.Dir, "init.sql")
	const text = "CREATE DATABASE IF NOT EXISTS flows;\nCREATE USER IF NOT EXISTS p@'%' IDENTIFIED BY 'p';\nGRANT ALL ON flows.* TO p@'%';\n"
	if err := os.WriteFile(init, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Start("--init-file=" + init); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
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
	startDatabase(t, db)
	await(t, two, "the first start", arrived)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		ping()
		db.End(signal)
		ping() // until the store fails, flows wait in memory
		await(t, two, fmt.Sprintf("trouble when %v", signal), trouble)
		ping()
		await(t, two, fmt.Sprintf("on the disk when %v", signal), spilled)
		startDatabase(t, db)
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
	db.End(syscall.SIGTERM)
}
