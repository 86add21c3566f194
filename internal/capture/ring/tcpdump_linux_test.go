package ring

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/portolan/portolan/internal/capture"
	"github.com/portolan/portolan/internal/packet"
)

// TestLikeTcpdump captures beside tcpdump, with the same filter.
func TestLikeTcpdump(t *testing.T) {
	veth(t, "va", "vb")
	if _, err := exec.LookPath("tcpdump"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if os.Getenv(asUser) != "" {
		t.Skip("tcpdump wants to become another user: run as root")
	}
	var frames [][]byte
	for _, tags := range [][]uint16{nil, {0x8100, 10}, {0x8100, 20}, {0x88a8, 100, 0x8100, 10}} {
		for _, port := range []uint16{53, 80} {
			for i := range byte(2) {
				frames = append(frames, ether(macB, tags, 0x0800, udp4(0x0a000001+uint32(i), 0x0a000003, port, 1000, 40)),
					ether([]byte{1, 0, 0x5e, 0, 0, i}, tags, 0x86dd, udp6(1, i, 2000, port, 100)))
			}
		}
		frames = append(frames, ether([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, tags, 0x0806, make([]byte, 46)))
	}
	for _, filter := range []string{
		"", "ip", "ip6", "arp", "udp", "tcp", "port 53", "udp src port 80", "host 10.0.0.1", "net 10.0.0.0/24 and not port 53", "ether multicast", "broadcast",
		"vlan", "not vlan", "vlan 10", "vlan 20 and port 53", "vlan and ip6", "vlan 10 or vlan 100", "vlan 100 and vlan 10", "vlan and arp", "vlan and ether multicast",
		"greater 140", "ip[8] = 64", "port 53 and not vlan",
	} {
		path := filepath.Join(t.TempDir(), "tcpdump")
		cmd := exec.Command("tcpdump", "-n", "-i", "vb", "-Q", "in", "--immediate-mode", "-s", "2048", "-U", "-w", path, "--", filter)
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(stderr); lines.Scan() && !strings.Contains(lines.Text(), "listening on"); {
		}
		r := start(t, Config{Interface: "vb", Direction: In, Promiscuous: true, Filter: filter})
		newSender(t, "va").send(t, frames...)
		var got [][]byte
		for _, f := range drain(t, r) {
			got = append(got, whole(f))
		}
		// It forgets what it has not read yet when it is told to end.
		for end := time.Now().Add(3 * time.Second); len(written(t, path)) < len(got) && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(30 * time.Millisecond) // there might be more
		if err := cmd.Process.Signal(unix.SIGINT); err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(stderr) // how many it got, and lost
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(written(t, path), got); diff != "" {
			t.Errorf("%q: tcpdump and we differ: %s\nit says: %s\nwe: %+v", filter, diff, said, r.Stats())
		}
	}
}

// whole returns a frame with the tag that had been taken off; its EtherType is
// not known, nor is its priority.
func whole(f frame) []byte {
	if int(f.Wire) == len(f.data) {
		return f.data
	}
	tag := []byte{0x81, 0, byte(f.VLAN >> 8), byte(f.VLAN)}
	return append(append(bytes.Clone(f.data[:12]), tag...), f.data[12:]...)
}

// written returns the frames of a capture, outer tags of IEEE 802.1Q.
func written(t *testing.T, path string) [][]byte {
	t.Helper()
	f, err := capture.Open(path)
	if errors.Is(err, capture.ErrEmpty) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out [][]byte
	for batch := make([]packet.Frame, 64); ; {
		n, err := f.ReadBatch(batch)
		for _, f := range batch[:n] {
			data := bytes.Clone(f.Data)
			if data[12] == 0x88 && data[13] == 0xa8 {
				data[12], data[13] = 0x81, 0
			}
			out = append(out, data)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // it is being written
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
