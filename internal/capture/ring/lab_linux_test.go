package ring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/portolan/portolan/internal/packet"
)

// inLab is set in the process that runs the tests: it has a network namespace
// of its own, which ends with it.
const inLab = "PORTOLAN_TEST_LAB"

// asUser is set if it is root only within that namespace.
const asUser = "PORTOLAN_TEST_USER"

func TestMain(m *testing.M) {
	if os.Getenv(inLab) != "" {
		if err := furnish(); err != nil {
			fmt.Fprintln(os.Stderr, "lab:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inLab+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.Env = append(cmd.Env, asUser+"=1")
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	err := cmd.Run()
	if _, ran := errors.AsType[*exec.ExitError](err); err != nil && !ran {
		fmt.Fprintln(os.Stderr, "no network namespace:", err)
		if os.Getenv("CI") != "" {
			os.Exit(1)
		}
		os.Exit(m.Run()) // what needs the lab is skipped
	}
	os.Exit(cmd.ProcessState.ExitCode())
}

// furnish makes the namespace fit for tests.
func furnish() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := unix.Mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		return fmt.Errorf("sysfs: %w", err)
	}
	for _, path := range []string{"all", "default"} {
		// Nothing speaks but what a test sends.
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+path+"/disable_ipv6", []byte("1"), 0); err != nil {
			return err
		}
	}
	return nil
}

func needLab(t testing.TB) {
	t.Helper()
	if os.Getenv(inLab) == "" {
		t.Skip("needs a network namespace: run as root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// ip runs iproute2's command.
func ip(t testing.TB, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

// veth makes a pair of interfaces: what is sent on one arrives on the other.
func veth(t testing.TB, a, b string) {
	t.Helper()
	needLab(t)
	ip(t, "link add name "+a+" type veth peer name "+b)
	t.Cleanup(func() { exec.Command("ip", "link", "del", a).Run() }) //nolint:errcheck // some tests delete it themselves
	ip(t, "link set "+a+" mtu 9000 up")
	ip(t, "link set "+b+" mtu 9000")
	up(t, b, a)
}

// up sets an interface up, and waits until it and its peer take frames.
func up(t testing.TB, dev, peer string) {
	t.Helper()
	ip(t, "link set "+dev+" up")
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		a, _ := os.ReadFile("/sys/class/net/" + dev + "/operstate")
		b, _ := os.ReadFile("/sys/class/net/" + peer + "/operstate")
		if string(a) == "up\n" && string(b) == "up\n" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is %q, %s is %q", dev, a, peer, b)
		}
	}
}

// start opens a ring, small unless cfg says otherwise.
func start(t testing.TB, cfg Config) *Ring {
	t.Helper()
	r, err := Open(small(cfg))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() }) //nolint:errcheck // tested elsewhere
	return r
}

func small(cfg Config) Config {
	if cfg.Blocks == 0 {
		cfg.Blocks, cfg.BlockSize = 16, 256<<10
	}
	return cfg
}

// A sender sends frames as they are.
type sender struct {
	fd int
	to unix.SockaddrLinklayer
}

func newSender(t testing.TB, dev string) *sender {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	l := linkNamed(t, dev)
	s := &sender{fd, unix.SockaddrLinklayer{Ifindex: l.index}}
	if err := unix.Bind(fd, &s.to); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *sender) send(t testing.TB, frames ...[]byte) {
	t.Helper()
	for _, f := range frames {
		for {
			err := unix.Sendto(s.fd, f, 0, &s.to)
			if errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil {
				t.Fatalf("send %d bytes: %v", len(f), err)
			}
			break
		}
	}
}

func linkNamed(t testing.TB, name string) link {
	t.Helper()
	all, err := links(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if l.name == name {
			return l
		}
	}
	t.Fatalf("no interface %s", name)
	return link{}
}

// A frame is what a test keeps of a packet.Frame.
type frame struct {
	data []byte
	packet.Frame
}

// drain stops the ring and returns all it captured.
func drain(t testing.TB, r *Ring) []frame {
	t.Helper()
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	var out []frame
	batch := make([]packet.Frame, 64)
	for {
		n, err := r.ReadBatch(batch)
		for _, f := range batch[:n] {
			out = append(out, frame{append([]byte(nil), f.Data...), f})
		}
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// await reads until n frames came, and returns them.
func await(t testing.TB, r *Ring, n int) []frame {
	t.Helper()
	var out []frame
	batch := make([]packet.Frame, 64)
	for end := time.Now().Add(5 * time.Second); len(out) < n; {
		if time.Now().After(end) {
			t.Fatalf("%d of %d frames came", len(out), n)
		}
		got, err := r.ReadBatch(batch)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range batch[:got] {
			out = append(out, frame{append([]byte(nil), f.Data...), f})
		}
	}
	return out
}

var (
	macA = []byte{2, 0, 0, 0, 0, 0xa}
	macB = []byte{2, 0, 0, 0, 0, 0xb}
)

// ether makes a frame from its parts; tags are EtherType and TCI each.
func ether(dst []byte, tags []uint16, kind uint16, payload []byte) []byte {
	f := append(append([]byte(nil), dst...), macA...)
	for _, tag := range tags {
		f = binary.BigEndian.AppendUint16(f, tag)
	}
	f = binary.BigEndian.AppendUint16(f, kind)
	return append(f, payload...)
}

// udp4 makes an IPv4 packet whose payload has n bytes.
func udp4(src, dst uint32, sport, dport uint16, n int) []byte {
	p := make([]byte, 28+n)
	p[0], p[8], p[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	binary.BigEndian.PutUint32(p[12:], src)
	binary.BigEndian.PutUint32(p[16:], dst)
	binary.BigEndian.PutUint16(p[20:], sport)
	binary.BigEndian.PutUint16(p[22:], dport)
	binary.BigEndian.PutUint16(p[24:], uint16(8+n))
	return p
}

// udp6 makes an IPv6 packet whose payload has n bytes.
func udp6(src, dst byte, sport, dport uint16, n int) []byte {
	p := make([]byte, 48+n)
	p[0], p[6], p[7] = 0x60, 17, 64
	binary.BigEndian.PutUint16(p[4:], uint16(8+n))
	p[8], p[23], p[24], p[39] = 0xfd, src, 0xfd, dst
	binary.BigEndian.PutUint16(p[40:], sport)
	binary.BigEndian.PutUint16(p[42:], dport)
	binary.BigEndian.PutUint16(p[44:], uint16(8+n))
	return p
}
