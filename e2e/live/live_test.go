//go:build e2e

// Package live runs "portolan run" on real interfaces, in network namespaces
// that the tests make.
package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/e2e/lab"
	"github.com/portolan/portolan/internal/daemon"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store/parquet"
)

// binary is portolan, built by TestMain.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getuid() != 0 {
		fmt.Fprintln(os.Stderr, "live: needs root for network namespaces")
		if os.Getenv("CI") != "" {
			return 1
		}
		return 0
	}
	dir, err := os.MkdirTemp("", "portolan-live-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv("XDG_DATA_HOME", dir); err != nil { // for what waits on the disk
		panic(err)
	}
	binary = filepath.Join(dir, "portolan")
	args := []string{"build", "-o", binary}
	if exec.Command("pkg-config", "--exists", "libndpi").Run() == nil {
		args = append(args, "-tags", "ndpi")
	}
	build := exec.Command("go", append(args, "../../cmd/portolan")...)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// do runs a command that must succeed, and returns what it printed.
func do(t *testing.T, name string, args ...string) string {
	t.Helper()
	var errs bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, &errs)
	}
	return string(out)
}

// A process is one that was started and is to be stopped.
type process struct {
	*exec.Cmd
	out bytes.Buffer
}

func start(t *testing.T, namespace, name string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command("ip", append([]string{"netns", "exec", namespace, name}, args...)...)}
	p.Stdout, p.Stderr = &p.out, &p.out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill() }) //nolint:errcheck // it may have ended
	return p
}

// stop sends a signal and waits; it fails the test if the process takes longer
// than five seconds.
func (p *process) stop(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		t.Errorf("%v: %v\n%s", p.Args, err, &p.out)
	}
	done := make(chan error, 1)
	go func() { done <- p.Wait() }()
	select {
	case err := <-done:
		if err != nil && signal != syscall.SIGKILL {
			t.Errorf("%v: %v\n%s", p.Args, err, &p.out)
		}
	case <-time.After(5 * time.Second):
		t.Errorf("%v does not end within five seconds\n%s", p.Args, &p.out)
	}
}

// An edge is a line of "top --json".
type edge struct {
	Client          string `json:"client"`
	Server          string `json:"server"`
	Port            uint16 `json:"port"`
	Proto           string `json:"proto"`
	BytesToServer   uint64 `json:"bytes_to_server"`
	BytesToClient   uint64 `json:"bytes_to_client"`
	PacketsToServer uint64 `json:"packets_to_server"`
	PacketsToClient uint64 `json:"packets_to_client"`
}

// top returns the edges of a store, summed over applications.
func top(t *testing.T, store string) []edge {
	t.Helper()
	return edges(t, do(t, binary, "top", "--store", store, "--json", "-n", "0"))
}

// topIn is top of a store that can be reached from a namespace.
func topIn(t *testing.T, namespace, store string) []edge {
	t.Helper()
	return edges(t, do(t, "ip", "netns", "exec", namespace, binary, "top", "--store", store, "--json", "-n", "0"))
}

func edges(t *testing.T, lines string) []edge {
	t.Helper()
	sums := map[edge]edge{}
	dec := json.NewDecoder(strings.NewReader(lines))
	for {
		var e edge
		if err := dec.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		add(sums, e)
	}
	return sorted(sums)
}

func add(sums map[edge]edge, e edge) {
	key := edge{Client: e.Client, Server: e.Server, Port: e.Port, Proto: e.Proto}
	s := sums[key]
	key.BytesToServer, key.BytesToClient = s.BytesToServer+e.BytesToServer, s.BytesToClient+e.BytesToClient
	key.PacketsToServer, key.PacketsToClient = s.PacketsToServer+e.PacketsToServer, s.PacketsToClient+e.PacketsToClient
	sums[edge{Client: e.Client, Server: e.Server, Port: e.Port, Proto: e.Proto}] = key
}

func sorted(sums map[edge]edge) []edge {
	var all []edge
	for _, e := range sums {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b edge) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return all
}

// TestLab captures the lab while it runs, with tcpdump beside: what was stored
// is the same as what the file gives, and the truth. The truth counts what is on
// the wire, so that it says nothing about packets which cards are to segment.
func TestLab(t *testing.T) {
	t.Run("one worker", func(t *testing.T) { captureLab(t, "1", "off") })
	t.Run("two workers, offload", func(t *testing.T) { captureLab(t, "2", "on") })
}

func captureLab(t *testing.T, workers, offload string) {
	dir := t.TempDir()
	name := fmt.Sprintf("ptll%d-%s", os.Getpid(), workers) // other checkouts may run theirs
	env := append(os.Environ(), "LAB="+name, "SECONDS_OF_TRAFFIC=20", "OFFLOAD="+offload)
	net := func(args ...string) {
		t.Helper()
		cmd := exec.Command("bash", append([]string{"../lab/net.sh"}, args...)...)
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("net.sh %v: %v\n%s", args, err, out)
		}
	}
	t.Cleanup(func() { net("down") })
	net("up")
	bridge := name + "-br"
	live, file, pcap := filepath.Join(dir, "live"), filepath.Join(dir, "file"), filepath.Join(dir, "lab.pcap")
	dump := start(t, bridge, "tcpdump", "-i", "mirror0", "-w", pcap, "-B", "65536", "--time-stamp-precision=nano", "-Z", "root")
	p := start(t, bridge, binary, "run", "-i", "mirror0", "--store", live, "--workers", workers, "--listen", "off", "--data-dir", dir)
	time.Sleep(2 * time.Second) // both listen
	net("start")
	net("traffic")
	net("stop")
	time.Sleep(2 * time.Second) // the last segments of what was stopped
	p.stop(t, syscall.SIGTERM)
	dump.stop(t, syscall.SIGTERM)
	truthFile := filepath.Join(dir, "truth.tsv")
	net("truth", truthFile)

	got := top(t, live)
	do(t, binary, "read", "--store", file, "--observer", "mirror0", pcap)
	if d := cmp.Diff(top(t, file), got); d != "" {
		t.Errorf("the file (-) and live (+) differ:\n%s", d)
	}
	if offload == "on" {
		t.Logf("%d edges", len(got))
		if len(got) < 50 {
			t.Error("too few to say anything")
		}
		return
	}
	truth, err := lab.ReadTruth(truthFile)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[edge]edge{}
	for _, c := range truth {
		k := c.Key
		add(sums, edge{
			k.ClientAddrPort().Addr().String(), k.ServerAddrPort().Addr().String(), k.ServerPort, k.Proto.String(),
			c.ToServer.Bytes, c.ToClient.Bytes, c.ToServer.Packets, c.ToClient.Packets,
		})
	}
	if d := cmp.Diff(sorted(sums), got); d != "" {
		t.Errorf("the truth (-) and live (+) differ:\n%s", d)
	}
	conversations := map[string][2]flow.Counters{}
	for _, c := range truth {
		conversations[conversation(c.Key)] = [2]flow.Counters{c.ToServer, c.ToClient}
	}
	if d := cmp.Diff(conversations, stored(t, live)); d != "" {
		t.Errorf("the conversations of the truth (-) and of live (+) differ:\n%s", d)
	}
	t.Logf("%d conversations, %d edges", len(truth), len(got))
}

func conversation(k flow.Key) string {
	return fmt.Sprintf("%v %v -> %v", k.Proto, k.ClientAddrPort(), k.ServerAddrPort())
}

// stored returns the conversations of a store: packets and bytes to the server,
// and to the client.
func stored(t *testing.T, folder string) map[string][2]flow.Counters {
	t.Helper()
	s, err := parquet.OpenReadOnly(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sums := map[string][2]flow.Counters{}
	for r, err := range s.Records(t.Context(), flow.Span{End: math.MaxInt64}) {
		if err != nil {
			t.Fatal(err)
		}
		name := conversation(r.Key)
		sums[name] = [2]flow.Counters{sums[name][0].Add(r.ToServer), sums[name][1].Add(r.ToClient)}
	}
	return sums
}

// pair makes two namespaces with a cable between them, 10.7.0.1 and 10.7.0.2,
// and returns their names. The interfaces are called v1 and v2.
func pair(t *testing.T) (one, two string) {
	t.Helper()
	one, two = fmt.Sprintf("ptlv%d-1", os.Getpid()), fmt.Sprintf("ptlv%d-2", os.Getpid())
	for i, ns := range []string{one, two} {
		do(t, "ip", "netns", "add", ns)
		t.Cleanup(func() { exec.Command("ip", "netns", "del", ns).Run() }) //nolint:errcheck // the next test would say
		do(t, "ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
		if i == 1 {
			do(t, "ip", "-n", one, "link", "add", "v1", "type", "veth", "peer", "name", "v2", "netns", two)
		}
	}
	for n, ns := range map[string]string{"1": one, "2": two} {
		do(t, "ip", "-n", ns, "addr", "add", "10.7.0."+n+"/24", "dev", "v"+n)
		do(t, "ip", "-n", ns, "link", "set", "v"+n, "up")
		do(t, "ip", "-n", ns, "link", "set", "lo", "up")
	}
	return one, two
}

// status asks the daemon in a namespace, until it answers. It exits with 3 when
// something was lost.
func status(t *testing.T, namespace string) daemon.Status {
	t.Helper()
	var out []byte
	for range 50 {
		out, _ = exec.Command("ip", "netns", "exec", namespace, binary, "status", "--json").Output()
		var s daemon.Status
		if json.Unmarshal(out, &s) == nil {
			return s
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("no daemon answers: %s", out)
	return daemon.Status{}
}

func balance(t *testing.T, s *daemon.Source) {
	t.Helper()
	known := s.Decoded + s.NotIP + s.Unsampled
	for _, n := range s.Undecoded {
		known += n
	}
	if s.Kernel != s.Drops+s.Frames || s.Frames != known {
		t.Errorf("packets are missing: kernel %d, drops %d, frames %d, known %d", s.Kernel, s.Drops, s.Frames, known)
	}
}

// TestKilled kills a daemon in mid-capture: what was flushed is there, and the
// next one says how long nothing was captured.
func TestKilled(t *testing.T) {
	one, two := pair(t)
	store := filepath.Join(t.TempDir(), "store")
	// Slices of a second, so that some are flushed before the end.
	args := []string{"run", "-i", "v2", "--store", store, "--workers", "1", "--active-timeout", "1s"}
	p := start(t, two, binary, args...)
	status(t, two) // it captures
	do(t, "ip", "netns", "exec", one, "ping", "-q", "-i", "0.1", "-c", "120", "10.7.0.2")
	time.Sleep(500 * time.Millisecond) // the counts of a worker are a moment old
	before := status(t, two)
	balance(t, &before.Sources[0])
	p.stop(t, syscall.SIGKILL)
	flushed := top(t, store)
	if len(flushed) == 0 {
		t.Fatal("nothing was flushed in twelve seconds")
	}
	time.Sleep(time.Second)

	p = start(t, two, binary, args...)
	status(t, two) // it captures
	p.stop(t, syscall.SIGTERM)
	out := do(t, binary, "store", "status", "--store", store)
	if !strings.Contains(out, "1 gaps at capture: portolan was killed") {
		t.Errorf("the gap is not among the losses:\n%s", out)
	}
	if got := top(t, store); len(got) < len(flushed) || got[0].PacketsToServer < flushed[0].PacketsToServer {
		t.Errorf("flushed %+v, after the restart %+v", flushed, got)
	}
}

// TestInterfaceGoes sets an interface down and up, and makes it anew.
func TestInterfaceGoes(t *testing.T) {
	one, two := pair(t)
	store := filepath.Join(t.TempDir(), "store")
	p := start(t, two, binary, "run", "-i", "v2", "--store", store, "--workers", "1")
	status(t, two) // it captures
	ping := func() { do(t, "ip", "netns", "exec", one, "ping", "-q", "-i", "0.05", "-c", "10", "10.7.0.2") }
	ping()
	do(t, "ip", "-n", two, "link", "set", "v2", "down")
	time.Sleep(500 * time.Millisecond)
	do(t, "ip", "-n", two, "link", "set", "v2", "up")
	time.Sleep(500 * time.Millisecond)
	ping()
	do(t, "ip", "-n", two, "link", "del", "v2")
	time.Sleep(500 * time.Millisecond)
	if s := status(t, two).Sources[0]; s.State != "gone" {
		t.Errorf("the interface is %s, want gone", s.State)
	}
	do(t, "ip", "-n", one, "link", "add", "v1", "type", "veth", "peer", "name", "v2", "netns", two)
	for n, ns := range map[string]string{"1": one, "2": two} {
		do(t, "ip", "-n", ns, "addr", "add", "10.7.0."+n+"/24", "dev", "v"+n)
		do(t, "ip", "-n", ns, "link", "set", "v"+n, "up")
	}
	time.Sleep(2500 * time.Millisecond) // it is looked for every second
	ping()
	time.Sleep(500 * time.Millisecond)
	s := status(t, two).Sources[0]
	balance(t, &s)
	if s.State != "up" || s.Downs == 0 {
		t.Errorf("the interface is %s, and was down %d times", s.State, s.Downs)
	}
	p.stop(t, syscall.SIGTERM)
	var pings uint64
	for _, e := range top(t, store) {
		if e.Proto == "icmp" {
			pings += e.PacketsToServer + e.PacketsToClient
		}
	}
	if pings != 60 {
		t.Errorf("%d packets of pings are stored, want 60\n%s", pings, &p.out)
	}
}

// TestOverload sends faster than a tiny ring can be read: what was lost is
// counted, shown and stored, and the rest adds up.
func TestOverload(t *testing.T) {
	one, two := pair(t)
	store := filepath.Join(t.TempDir(), "store")
	p := start(t, two, binary, "run", "-i", "v2", "--store", store, "--workers", "1",
		"--ring-block-size", "64KiB", "--ring-blocks", "4")
	pid := fmt.Sprint(status(t, two).PID)
	passed := func() (n uint64) {
		for _, name := range []string{"rx_packets", "tx_packets"} {
			var one uint64
			if _, err := fmt.Sscan(do(t, "ip", "netns", "exec", two, "cat", "/sys/class/net/v2/statistics/"+name), &one); err != nil {
				t.Fatal(err)
			}
			n += one
		}
		return n
	}
	before := passed()
	do(t, "kill", "-STOP", pid) // nobody reads the ring
	do(t, "ip", "netns", "exec", one, "ping", "-q", "-f", "-c", "20000", "-s", "1000", "10.7.0.2")
	do(t, "kill", "-CONT", pid)
	time.Sleep(time.Second)
	s := status(t, two)
	source := &s.Sources[0]
	balance(t, source)
	if sent := passed() - before; source.Drops == 0 || source.Kernel != sent || sent < 40_000 {
		t.Errorf("of %d packets the kernel saw %d and dropped %d", sent, source.Kernel, source.Drops)
	}
	shown, err := exec.Command("ip", "netns", "exec", two, binary, "status").CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 3 {
		t.Errorf("status ends with %v, want exit status 3:\n%s", err, shown)
	}
	metrics := do(t, "ip", "netns", "exec", two, "curl", "-s", "http://127.0.0.1:9119/metrics")
	if want := fmt.Sprintf(`portolan_dropped_packets_total{interface="v2",where="ring"} %d`, source.Drops); !strings.Contains(metrics, want) {
		t.Errorf("the metrics lack %s", want)
	}
	p.stop(t, syscall.SIGTERM)
	out := do(t, binary, "store", "status", "--store", store)
	if !strings.Contains(out, "packets at capture: kernel ring full") {
		t.Errorf("the drops are not among the losses:\n%s", out)
	}
	var stored uint64
	for _, e := range top(t, store) {
		stored += e.PacketsToServer + e.PacketsToClient
	}
	t.Logf("kernel %d, drops %d, frames %d, decoded %d, not IP %d; stored %d", source.Kernel, source.Drops, source.Frames,
		source.Decoded, source.NotIP, stored)
	if stored != source.Decoded {
		t.Errorf("%d packets are stored, %d were decoded", stored, source.Decoded)
	}
}

func TestMistakes(t *testing.T) {
	_, two := pair(t)
	store := filepath.Join(t.TempDir(), "store")
	conf := filepath.Join(t.TempDir(), "ntopng.conf")
	if err := os.WriteFile(conf, []byte("-i=v2\n--nosuch-option=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, two, binary, "run", "-i", "v2", "--store", store, "--listen", "off")
	time.Sleep(time.Second)
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"no such interface", []string{"run", "-i", "nosuch0", "--store", store + "2"}, "v2"},
		{"unknown option", []string{"run", conf, "--store", store + "2"}, "ntopng.conf:2"},
		{"two daemons", []string{"run", "-i", "v2", "--store", store, "--listen", "off"}, "another process writes"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		out, err := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", two, binary}, tc.args...)...).CombinedOutput()
		cancel()
		if err == nil || !strings.Contains(string(out), tc.want) || !strings.Contains(string(out), "portolan: ") {
			t.Errorf("%s: %v, want an error with %q:\n%s", tc.name, err, tc.want, out)
		}
	}
	p.stop(t, syscall.SIGTERM)
}
