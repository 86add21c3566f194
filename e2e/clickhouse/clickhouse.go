// Package clickhouse runs a real ClickHouse for tests: the one that npm package
// @chdb/lib-linux-x64-gnu holds as a library, started in a process of its own,
// on the loopback interface. It has no users and no Keeper. As of 26.7 it ends
// (SIGABRT) when it refuses a connection, because of an unknown database, say;
// refused statements are no trouble.
package clickhouse

import (
	_ "embed"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

//go:embed starter/starter.c
var starterSource []byte

// startTimeout is how long a server may take to accept connections.
const startTimeout = 30 * time.Second

// A Server is a ClickHouse that listens on the loopback interface. It stops
// when its test ends, and also if the test's process is killed.
type Server struct {
	Addr string // host:port of the native protocol

	dir, library string
	process      *exec.Cmd
	stdin        io.Closer // the server runs until this is closed
}

// Start starts a server with an empty folder. Without the library the test is
// skipped; with CI set, it fails.
func Start(t testing.TB) *Server {
	t.Helper()
	return start(t, "", freeAddrs(t, 1))[0]
}

// StartCluster starts n servers that know each other as the shards of a
// cluster of that name.
func StartCluster(t testing.TB, name string, n int) []*Server {
	t.Helper()
	return start(t, name, freeAddrs(t, n))
}

func start(t testing.TB, cluster string, addrs []string) []*Server {
	t.Helper()
	library := find(t)
	var servers []*Server
	for _, addr := range addrs {
		s := &Server{Addr: addr, dir: t.TempDir(), library: library}
		if err := s.prepare(cluster, addrs); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Kill)
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		servers = append(servers, s)
	}
	return servers
}

// find returns the path of the library.
func find(t testing.TB) string {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the library is for Linux on x86-64 only")
	}
	_, here, _, _ := runtime.Caller(0)
	path := filepath.Join(filepath.Dir(here), "node_modules", "@chdb", "lib-linux-x64-gnu", "libchdb.so")
	if _, err := os.Stat(path); err != nil {
		missing(t, "no ClickHouse: npm ci --ignore-scripts --prefix e2e/clickhouse installs it (%v)", err)
	}
	if _, err := exec.LookPath("cc"); err != nil {
		missing(t, "no C compiler, which the starter of ClickHouse needs: %v", err)
	}
	return path
}

func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// freeAddrs returns n addresses that nobody listened on a moment ago.
func freeAddrs(t testing.TB, n int) (addrs []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

// prepare writes the configuration, and compiles the starter.
func (s *Server) prepare(cluster string, addrs []string) error {
	var shards strings.Builder
	for _, addr := range addrs {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return err
		}
		fmt.Fprintf(&shards, "<shard><internal_replication>true</internal_replication>"+
			"<replica><host>%s</host><port>%s</port></replica></shard>\n", host, port)
	}
	config := "<max_server_memory_usage>2000000000</max_server_memory_usage>\n"
	if cluster != "" {
		config += fmt.Sprintf("<remote_servers><%[1]s>\n%[2]s</%[1]s></remote_servers>\n", cluster, shards.String())
	}
	if err := os.WriteFile(s.path("config.xml"), []byte("<clickhouse>\n"+config+"</clickhouse>\n"), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(s.path("starter.c"), starterSource, 0o600); err != nil {
		return err
	}
	if out, err := exec.Command("cc", "-o", s.path("starter"), s.path("starter.c"), "-ldl").CombinedOutput(); err != nil {
		return fmt.Errorf("cc starter.c: %w\n%s", err, out)
	}
	return nil
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// Start starts the server again, with what its folder holds. It returns when
// the server accepts connections.
func (s *Server) Start() error {
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(s.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.process = exec.Command(s.path("starter"), s.library,
		"--config-file="+s.path("config.xml"), "--path="+s.path("data"),
		"--listen_host=127.0.0.1", "--tcp_port="+port,
		"--query=SYSTEM START LISTEN TCP; SELECT * FROM file('/dev/stdin', 'LineAsString') FORMAT Null")
	s.process.Dir = s.dir
	s.process.Stdout, s.process.Stderr = log, log
	if s.stdin, err = s.process.StdinPipe(); err != nil {
		return err
	}
	if err := s.process.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
		if err == nil {
			conn.Close()
			return nil
		}
		if time.Now().After(deadline) {
			said := s.Log()
			s.Kill()
			return fmt.Errorf("clickhouse on %s: %w\n%s", s.Addr, err, said)
		}
	}
}

// Kill ends the server as a crash does (SIGKILL), and waits until it is gone.
// A server that does not run stays so.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	s.process.Process.Kill()
	s.stdin.Close()
	s.process.Wait()
	s.process = nil
}

// Log returns what the server wrote to its terminal.
func (s *Server) Log() string {
	said, _ := os.ReadFile(s.path("log"))
	return string(said)
}
