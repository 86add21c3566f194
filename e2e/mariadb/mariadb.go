// Package mariadb runs a real MariaDB for tests, with its data in a folder of
// their own.
package mariadb

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// A Server is a mariadbd. Its user root has no password.
type Server struct {
	Dir  string
	Port uint16 // on 127.0.0.1

	// Namespace is the network namespace that it runs in; "" = ours.
	Namespace string

	args   []string
	cmd    *exec.Cmd
	output bytes.Buffer
	done   chan error
}

// Quick are arguments of a server whose data need not outlive the machine.
var Quick = []string{"--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--sync-frm=0"}

// startTimeout is how long a server may take to accept connections.
const startTimeout = 30 * time.Second

// New makes the folder of a server that does not run yet; dir is short, since
// the path of a socket is. The error wraps exec.ErrNotFound if MariaDB is not
// installed.
func New(dir string) (*Server, error) {
	install, err := lookPath("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir}
	args := []string{"--no-defaults", "--datadir=" + s.path("data"), "--auth-root-authentication-method=normal",
		"--skip-test-db", "--skip-name-resolve", "--force"} // the machine's name need not be known
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	if out, err := exec.Command(install, args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", install, err, out)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.Port = uint16(listener.Addr().(*net.TCPAddr).Port)
	return s, listener.Close()
}

// Run starts a server that ends with the test. Without MariaDB the test is
// skipped; with CI set, it fails.
func Run(t testing.TB) *Server {
	t.Helper()
	dir, err := os.MkdirTemp(QuickDir(), "portolan-mariadb-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) //nolint:errcheck // it is in a folder for what is left
	s, err := New(dir)
	if err == nil {
		err = s.Start(Quick...)
	}
	Need(t, err)
	t.Cleanup(s.Kill)
	return s
}

// Need ends a test for which no server could be started: it is skipped if
// MariaDB is not installed, unless CI is set.
func Need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") == "":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

// QuickDir returns a folder in memory, if there is one: creating tables and
// partitions waits for a disk many times. "" = there is none.
func QuickDir() string {
	const dir, enough = "/dev/shm", 1 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err == nil && fs.Bavail*uint64(fs.Bsize) >= enough {
		return dir
	}
	return ""
}

// lookPath finds a program, also where only root looks.
func lookPath(name string) (string, error) {
	for _, dir := range []string{"", "/usr/sbin", "/usr/local/sbin", "/usr/libexec"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: %w", name, exec.ErrNotFound)
}

func (s *Server) path(name string) string { return filepath.Join(s.Dir, name) }

// Socket returns the path of the server's unix socket.
func (s *Server) Socket() string { return s.path("socket") }

// Start runs the server, and waits until it takes connections. Without args
// those of the last start count.
func (s *Server) Start(args ...string) error {
	program, err := lookPath("mariadbd")
	if err != nil {
		return err
	}
	if args != nil {
		s.args = args
	}
	all := append([]string{
		program, "--no-defaults", "--datadir=" + s.path("data"), "--socket=" + s.Socket(), "--port=" + strconv.Itoa(int(s.Port)),
		"--bind-address=127.0.0.1", "--pid-file=" + s.path("pid"), "--skip-name-resolve",
		"--tmpdir=" + s.Dir, // a server that starts deletes what others have in theirs
		"--innodb-buffer-pool-size=64M", "--innodb-log-file-size=64M", "--skip-log-bin",
	}, s.args...)
	if os.Geteuid() == 0 {
		all = append(all, "--user=root")
	}
	if s.Namespace != "" {
		all = append([]string{"ip", "netns", "exec", s.Namespace}, all...)
	}
	s.output.Reset()
	s.cmd = exec.Command(all[0], all[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // none outlives the tests
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.done = make(chan error, 1)
	go func() { s.done <- s.cmd.Wait() }()
	return s.await()
}

// await waits until the server takes connections.
func (s *Server) await() error {
	deadline := time.After(startTimeout)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-s.done:
			s.done <- err
			return fmt.Errorf("mariadbd ended: %w\n%s", err, s.output.String())
		case <-deadline:
			s.Kill()
			return fmt.Errorf("mariadbd takes no connections:\n%s", s.output.String())
		case <-tick.C:
		}
		if conn, err := net.Dial("unix", s.Socket()); err == nil {
			return conn.Close()
		}
	}
}

// Kill ends the server at once, as a crash does.
func (s *Server) Kill() { s.End(syscall.SIGKILL) }

// End sends the server a signal, and waits until it is gone.
func (s *Server) End(signal syscall.Signal) {
	s.cmd.Process.Signal(signal) //nolint:errcheck // it may have ended
	err := <-s.done
	s.done <- err // for those who end it again
}
