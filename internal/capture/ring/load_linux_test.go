package ring

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/portolan/portolan/internal/packet"
)

// refused is how many frames the receiving kernel's queue did not take: they
// never come to where a ring listens.
func refused(t testing.TB, dev string) uint64 {
	t.Helper()
	text, err := os.ReadFile("/sys/class/net/" + dev + "/statistics/tx_dropped")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestOverload fills a ring that is far too small: what is lost is known to
// the frame.
func TestOverload(t *testing.T) {
	veth(t, "va", "vb")
	const sent = 30000
	for name, pause := range map[string]time.Duration{"reader asleep": time.Hour, "reader slow": 200 * time.Microsecond, "reader fast": 0} {
		t.Run(name, func(t *testing.T) {
			r := start(t, Config{Interface: "vb", BlockSize: 4096, Blocks: 4})
			before := refused(t, "va")
			delivered, done := uint64(0), make(chan error, 1)
			go func() {
				batch := make([]packet.Frame, 64)
				for wait := pause; ; {
					if stopping, _ := r.state(); wait < time.Hour || stopping {
						n, err := r.ReadBatch(batch)
						delivered += uint64(n)
						if err != nil {
							done <- err
							return
						}
					}
					time.Sleep(min(wait, time.Millisecond))
				}
			}()
			s := newSender(t, "va")
			for i := range sent {
				s.send(t, ether(macB, nil, 0x0800, udp4(1, 2, uint16(i), 53, 18)))
			}
			if err := r.Stop(); err != nil {
				t.Fatal(err)
			}
			if err := <-done; !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			st := r.Stats()
			if st.Packets != sent-(refused(t, "va")-before) || st.Packets != delivered+st.Drops || st.Delivered != delivered {
				t.Errorf("sent %d, refused before %d, got %d: %+v", sent, refused(t, "va")-before, delivered, st)
			}
			if pause > 0 && (st.Drops == 0 || st.Freezes == 0) {
				t.Errorf("nothing lost: %+v", st)
			}
			t.Logf("%+v", st)
		})
	}
}

// flowsOf returns frames of n conversations, both directions, IPv4 and IPv6.
func flowsOf(n int) [][]byte {
	var out [][]byte
	for i := range n {
		a, b, sport := 0x0a000000|uint32(i*7919), 0x0a640000|uint32(i), uint16(1024+i*31)
		out = append(out, ether(macB, nil, 0x0800, udp4(a, b, sport, 443, 18)), ether(macB, nil, 0x0800, udp4(b, a, 443, sport, 18)))
		x, y := byte(i), byte(i>>8)
		out = append(out, ether(macB, nil, 0x86dd, udp6(x, y, sport, 53, 18)), ether(macB, nil, 0x86dd, udp6(y, x, 53, sport, 18)))
	}
	return out
}

func TestWorkersShareByConversation(t *testing.T) {
	veth(t, "va", "vb")
	const flows, times = 500, 5
	rings, err := OpenGroup(Config{Interface: "vb", Blocks: 16}, 2)
	if err != nil {
		t.Fatal(err)
	}
	where, counts := make([]map[packet.Tuple]int, 2), make([]int, 2)
	var wg sync.WaitGroup
	for i, r := range rings {
		where[i] = map[packet.Tuple]int{}
		wg.Go(func() {
			defer r.Close() //nolint:errcheck // tested elsewhere
			batch := make([]packet.Frame, 64)
			for {
				n, err := r.ReadBatch(batch)
				for j := range batch[:n] {
					var h packet.Headers
					if h.Decode(&batch[j]); h.Reason != packet.None {
						t.Errorf("%v", h.Reason)
					}
					where[i][h.Tuple]++
				}
				counts[i] += n
				if err != nil {
					return
				}
			}
		})
	}
	s, frames := newSender(t, "va"), flowsOf(flows)
	before := refused(t, "va")
	for range times {
		s.send(t, frames...)
	}
	for _, r := range rings {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if refused(t, "va") != before {
		t.Skip("this machine's queue lost frames")
	}
	a, b := rings[0].Stats(), rings[1].Stats()
	if counts[0]+counts[1] != times*len(frames) || a.Drops+b.Drops != 0 || a.Packets+b.Packets != uint64(times*len(frames)) {
		t.Errorf("sent %d, got %v: %+v, %+v", times*len(frames), counts, a, b)
	}
	if counts[0] < len(frames) || counts[1] < len(frames) {
		t.Errorf("badly shared: %v", counts)
	}
	both := 0
	for tuple, n := range where[0] {
		if m := where[1][tuple]; m > 0 {
			t.Errorf("conversation of %d frames has %d more elsewhere", n, m)
		}
		both++
	}
	if both += len(where[1]); both != 2*flows {
		t.Errorf("%d conversations, sent %d", both, 2*flows)
	}
}

func TestWorkersKnowTheDirection(t *testing.T) {
	veth(t, "va", "vb")
	ip(t, "link set lo up")
	for _, c := range []struct {
		dev    string
		dir    Direction
		filter string
		want   []byte // who sent them
	}{
		{"vb", Both, "", []byte{1, 2}}, {"vb", In, "", []byte{1}}, {"vb", Out, "udp", []byte{2}},
		{"lo", Both, "", []byte{3}}, {"lo", Out, "", []byte{3}},
	} {
		rings, err := OpenGroup(small(Config{Interface: c.dev, Direction: c.dir, Filter: c.filter}), 2)
		if err != nil {
			t.Fatal(err)
		}
		for i, dev := range []string{"va", "vb", "lo"} {
			newSender(t, dev).send(t, ether(macB, nil, 0x0800, udp4(uint32(i)+1, 9, 3, 4, 20)))
		}
		var got []byte
		for _, r := range rings {
			for _, f := range drain(t, r) {
				got = append(got, f.data[29])
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s, direction %d: frames of %v, want %v", c.dev, c.dir, got, c.want)
		}
	}
}

func TestFragmentsStayTogether(t *testing.T) {
	veth(t, "va", "vb")
	rings, err := OpenGroup(small(Config{Interface: "vb"}), 2)
	if err != nil {
		t.Fatal(err)
	}
	s := newSender(t, "va")
	const datagrams = 100
	for i := range datagrams {
		for j := range 3 {
			p := udp4(0x0a000000|uint32(i), 0x0a640000, 1000, 2000, 16)
			binary.BigEndian.PutUint16(p[4:], uint16(i))
			offset := uint16(j * 3) // of 24 bytes each
			if j < 2 {
				offset |= 0x2000 // more follow
			}
			binary.BigEndian.PutUint16(p[6:], offset)
			s.send(t, ether(macB, nil, 0x0800, p))
		}
	}
	var sum int
	for _, r := range rings {
		parts := map[uint16]int{}
		for _, f := range drain(t, r) {
			parts[binary.BigEndian.Uint16(f.data[18:])]++
			sum++
		}
		for id, n := range parts {
			if n != 3 {
				t.Errorf("%d of 3 fragments of datagram %d", n, id)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if sum != 3*datagrams {
		t.Errorf("%d of %d fragments", sum, 3*datagrams)
	}
}

func TestWorkersGoOnAfterDown(t *testing.T) {
	veth(t, "va", "vb")
	rings, err := OpenGroup(small(Config{Interface: "vb", Idle: 5 * time.Millisecond}), 2)
	if err != nil {
		t.Fatal(err)
	}
	ip(t, "link set vb down")
	for _, r := range rings {
		if n, err := r.ReadBatch(make([]packet.Frame, 4)); n != 0 || err != nil || !r.Stats().Down {
			t.Errorf("%d, %v, %+v", n, err, r.Stats())
		}
	}
	up(t, "vb", "va")
	frames := flowsOf(100)
	newSender(t, "va").send(t, frames...)
	var sum int
	for _, r := range rings {
		got := len(drain(t, r))
		if got == 0 {
			t.Error("a worker gets nothing")
		}
		sum += got
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if sum != len(frames) {
		t.Errorf("%d of %d frames", sum, len(frames))
	}
}

// TestBigSegments captures TCP that the kernel has not cut into packets yet,
// in segments beyond the 64 KiB that IP can say.
func TestBigSegments(t *testing.T) {
	needLab(t)
	ip(t, "link set lo up")
	ip(t, "link set lo gso_max_size 180000 gro_max_size 180000")
	disable := func(value string) error {
		return os.WriteFile("/proc/sys/net/ipv6/conf/lo/disable_ipv6", []byte(value), 0)
	}
	if err := disable("0"); err != nil {
		t.Skip(err) // a kernel without IPv6
	}
	t.Cleanup(func() { disable("1") }) //nolint:errcheck // the lab ends soon
	r := start(t, Config{Interface: "lo", Filter: "ip6", Blocks: 64, BlockSize: 1 << 20})
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const size = 32 << 20
	sent := make(chan error, 1)
	go func() {
		c, err := net.Dial("tcp6", l.Addr().String())
		if err == nil {
			_, err = c.Write(make([]byte, size))
			err = errors.Join(err, c.Close())
		}
		sent <- err
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, c); n != size || err != nil {
		t.Fatal(n, err)
	}
	if err := errors.Join(<-sent, c.Close()); err != nil {
		t.Fatal(err)
	}
	var segments, largest, frames int
	for _, f := range drain(t, r) {
		f.Frame.Data = f.data
		if len(f.data) != int(f.Wire) {
			t.Fatalf("%d of %d bytes", len(f.data), f.Wire)
		}
		largest = max(largest, len(f.data))
		var h packet.Headers
		if h.Decode(&f.Frame); h.Reason != packet.None {
			t.Fatalf("frame of %d bytes: %v", f.Wire, h.Reason)
		}
		segments += int(h.Segment)
		frames++
	}
	if largest <= 1<<16 || segments < size || r.Stats().Drops > 0 {
		t.Errorf("%d bytes sent in %d frames: segments %d, the largest frame %d: %+v", size, frames, segments, largest, r.Stats())
	}
	t.Logf("%d frames, the largest of %d bytes", frames, largest)
}

func TestNothingIsAllocated(t *testing.T) {
	veth(t, "va", "vb")
	r := start(t, Config{Interface: "vb"})
	s := newSender(t, "va")
	f := ether(macB, []uint16{0x8100, 5}, 0x0800, udp4(1, 2, 3, 4, 18))
	for range 64 * 60 {
		s.send(t, f)
	}
	batch, got := make([]packet.Frame, 64), 0
	if n := testing.AllocsPerRun(50, func() {
		n, err := r.ReadBatch(batch)
		if err != nil {
			t.Error(err)
		}
		got += n
	}); n != 0 || got < 50*32 {
		t.Errorf("%v allocations for a batch, %d frames read", n, got)
	}
}

// withCapabilities runs f on a thread that has these and no others.
func withCapabilities(t *testing.T, f func(), capabilities ...uint) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends
		var data [2]unix.CapUserData
		for _, c := range capabilities {
			data[c/32].Effective |= 1 << (c % 32)
			data[c/32].Permitted |= 1 << (c % 32)
		}
		if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0]); err != nil {
			t.Error(err)
			return
		}
		f()
	})
	wg.Wait()
}

func TestPermission(t *testing.T) {
	veth(t, "va", "vb")
	withCapabilities(t, func() {
		_, err := Open(Config{Interface: "vb"})
		e, ok := errors.AsType[*Error](err)
		if !ok || !errors.Is(err, os.ErrPermission) || err.Error() != "capture vb: operation not permitted" ||
			!strings.HasPrefix(e.Hint, "sudo setcap cap_net_raw+ep /") {
			t.Errorf("%v, hint %q", err, e.Hint)
		}
	})
	// What the hint says is enough.
	withCapabilities(t, func() {
		rings, err := OpenGroup(small(Config{Interface: "vb", Promiscuous: true, Filter: "ip", Direction: In}), 2)
		if err != nil {
			t.Error(err)
			return
		}
		for _, r := range rings {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}, unix.CAP_NET_RAW)
}
