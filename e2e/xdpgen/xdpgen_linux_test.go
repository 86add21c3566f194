//go:build e2e

package xdpgen

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/portolan/portolan/internal/capture/ring"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

// inLab is set in the process that runs the tests, which has a network
// namespace of its own.
const inLab = "PORTOLAN_TEST_LAB"

func TestMain(m *testing.M) {
	if os.Getenv(inLab) != "" || os.Geteuid() != 0 {
		os.Exit(m.Run())
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inLab+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	cmd.Run() //nolint:errcheck // its exit status says all
	os.Exit(cmd.ProcessState.ExitCode())
}

// veth makes a pair of interfaces, vb the one where frames arrive.
func veth(t *testing.T) {
	t.Helper()
	if os.Getenv(inLab) == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("needs root")
		}
		t.Skip("needs root")
	}
	for _, path := range []string{"all", "default"} { // nothing else is to speak
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+path+"/disable_ipv6", []byte("1"), 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range []string{"link add name va type veth peer name vb", "link set va up", "link set vb up"} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", args, err, out)
		}
	}
	t.Cleanup(func() { exec.Command("ip", "link", "del", "va").Run() }) //nolint:errcheck // the namespace ends anyway
}

// TestLoad loads rings of several sizes: every frame is either delivered or
// known to be lost.
func TestLoad(t *testing.T) {
	veth(t)
	const frames = 1_000_000
	for _, c := range []struct {
		name    string
		cfg     ring.Config
		workers int
		lossy   bool
	}{
		{"default", ring.Config{}, 1, false},
		{"two workers", ring.Config{}, 2, false},
		{"small", ring.Config{BlockSize: 4096, Blocks: 4}, 1, true},
		{"small, two workers", ring.Config{BlockSize: 8192, Blocks: 2}, 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.Interface, c.cfg.Direction = "vb", ring.In
			rings, err := ring.OpenGroup(c.cfg, c.workers)
			if err != nil {
				t.Fatal(err)
			}
			var readers sync.WaitGroup
			delivered, owners := make([]uint64, len(rings)), make([]map[packet.Tuple]bool, len(rings))
			for i, r := range rings {
				owners[i] = map[packet.Tuple]bool{}
				readers.Go(func() {
					batch, h := make([]packet.Frame, 64), packet.Headers{}
					for {
						n, err := r.ReadBatch(batch)
						for j := range batch[:n] {
							h.Decode(&batch[j])
							if h.Reason != packet.None || h.Proto() != flow.UDP || h.Bytes != 46 {
								t.Errorf("%v: %d bytes", h.Reason, h.Bytes)
							}
							owners[i][h.Tuple] = true
						}
						delivered[i] += uint64(n)
						if errors.Is(err, io.EOF) {
							return
						}
						if err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			result, err := Run(Config{Interface: "vb", Frames: frames, Flows: 1000})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rings {
				if err := r.Stop(); err != nil {
					t.Error(err)
				}
			}
			readers.Wait()
			var sum ring.Stats
			for i, r := range rings {
				s := r.Stats()
				if s.Packets != s.Delivered+s.Drops || s.Delivered != delivered[i] {
					t.Errorf("got %d: %+v", delivered[i], s)
				}
				sum.Packets, sum.Delivered, sum.Drops, sum.Freezes = sum.Packets+s.Packets, sum.Delivered+s.Delivered, sum.Drops+s.Drops, sum.Freezes+s.Freezes
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
			if result.Sent != frames || sum.Packets != frames {
				t.Errorf("sent %d, the rings' kernel saw %d: %+v", result.Sent, sum.Packets, sum)
			}
			if len(owners) == 2 {
				for tuple := range owners[0] {
					if owners[1][tuple] {
						t.Errorf("%v has two workers", tuple)
					}
				}
			}
			if c.lossy && (sum.Drops == 0 || sum.Freezes == 0) {
				t.Errorf("nothing lost: %+v", sum)
			}
			t.Log(fmt.Sprintf("%.2f million frames/s: %d delivered, %d dropped, full %d times",
				float64(frames)/1e6/result.Took.Seconds(), sum.Delivered, sum.Drops, sum.Freezes), result.Took.Round(time.Millisecond))
		})
	}
}

func TestErrors(t *testing.T) {
	for _, cfg := range []Config{{Len: 41}, {Len: 3001}, {Flows: 1<<24 + 1}, {Interface: "nosuch0"}} {
		if _, err := Run(cfg); err == nil {
			t.Errorf("%+v: no error", cfg)
		}
	}
}
