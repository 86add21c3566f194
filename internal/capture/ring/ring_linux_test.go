package ring

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/portolan/portolan/internal/packet"
)

func TestFramesAreThoseSent(t *testing.T) {
	veth(t, "va", "vb")
	r := start(t, Config{Interface: "vb", Iface: 3, Blocks: 16, BlockSize: 1 << 20})
	var sent [][]byte
	for i := range 5000 {
		sent = append(sent, ether(macB, nil, 0x0800, udp4(0x0a000001, 0x0a000002, uint16(i), 53, 18+i%1400)))
	}
	before := time.Now().Add(-time.Millisecond).UnixNano()
	newSender(t, "va").send(t, sent...)
	got := drain(t, r)
	if len(got) != len(sent) {
		t.Fatalf("%d of %d frames", len(got), len(sent))
	}
	last := before
	for i, f := range got {
		if !bytes.Equal(f.data, sent[i]) || int(f.Wire) != len(sent[i]) || f.Iface != 3 || f.Link != packet.LinkEthernet || f.VLAN != 0 {
			t.Fatalf("frame %d is %+v, sent %d bytes", i, f.Frame, len(sent[i]))
		}
		if f.Time < last || f.Time > time.Now().UnixNano() {
			t.Fatalf("frame %d is of %d, the one before of %d", i, f.Time, last)
		}
		last = f.Time
	}
	want := Stats{Packets: 5000, Delivered: 5000}
	if diff := cmp.Diff(want, r.Stats()); diff != "" {
		t.Error(diff)
	}
	if _, err := r.ReadBatch(make([]packet.Frame, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, r.Stats()); diff != "" {
		t.Errorf("after Close: %s", diff)
	}
	if _, err := r.ReadBatch(make([]packet.Frame, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestTagsAreRestored(t *testing.T) {
	veth(t, "va", "vb")
	v4, v6 := udp4(1, 2, 1000, 53, 40), udp6(1, 2, 1000, 53, 40)
	for _, c := range []struct {
		name  string
		frame []byte
		vlan  uint16 // of the frame
		found uint16 // by the decoder
	}{
		{"none", ether(macB, nil, 0x0800, v4), 0, 0},
		{"one", ether(macB, []uint16{0x8100, 0x600a}, 0x0800, v4), 10, 10},
		{"priority only", ether(macB, []uint16{0x8100, 0xe000}, 0x86dd, v6), 0, 0},
		{"service tag", ether(macB, []uint16{0x88a8, 100}, 0x86dd, v6), 100, 100},
		{"two", ether(macB, []uint16{0x88a8, 100, 0x8100, 7}, 0x0800, v4), 100, 100},
		{"priority outside", ether(macB, []uint16{0x8100, 0x2000, 0x8100, 7}, 0x0800, v4), 0, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, out := start(t, Config{Interface: "vb"}), start(t, Config{Interface: "va"})
			newSender(t, "va").send(t, c.frame)
			for _, r := range []*Ring{r, out} {
				got := drain(t, r)
				if len(got) != 1 {
					t.Fatalf("%d frames", len(got))
				}
				if s := r.Stats(); s.Card != 0 { // nobody here wants these, yet they came
					t.Errorf("%+v", s)
				}
				f := got[0]
				if int(f.Wire) != len(c.frame) {
					t.Errorf("%d bytes on the wire, sent %d", f.Wire, len(c.frame))
				}
				if r != out && f.VLAN != c.vlan {
					t.Errorf("VLAN %d, want %d", f.VLAN, c.vlan)
				}
				f.Frame.Data = f.data
				var h packet.Headers
				h.Decode(&f.Frame)
				if h.Reason != packet.None || h.Tuple.VLAN() != c.found {
					t.Errorf("decoded as VLAN %d, %v; want %d", h.Tuple.VLAN(), h.Reason, c.found)
				}
			}
		})
	}
}

func TestSnap(t *testing.T) {
	veth(t, "va", "vb")
	r := start(t, Config{Interface: "vb", SnapLen: 96})
	newSender(t, "va").send(t, ether(macB, nil, 0x86dd, udp6(1, 2, 3, 4, 1000)), ether(macB, nil, 0x0800, udp4(1, 2, 3, 4, 20)))
	got := drain(t, r)
	if len(got) != 2 || len(got[0].data) != 96 || got[0].Wire != 1062 || len(got[1].data) != 62 || got[1].Wire != 62 {
		t.Errorf("got %+v", got)
	}
}

// TestFrameLargerThanABlock is about a frame of which a block holds a part.
func TestFrameLargerThanABlock(t *testing.T) {
	veth(t, "va", "vb")
	r := start(t, Config{Interface: "vb", BlockSize: 4096, Blocks: 8})
	f := ether(macB, nil, 0x0800, udp4(1, 2, 3, 4, 8900))
	newSender(t, "va").send(t, f, f)
	got := drain(t, r)
	if len(got) != 2 {
		t.Fatalf("%d frames", len(got))
	}
	for _, g := range got {
		if n := len(g.data); n < 3900 || n > 4096 || !bytes.Equal(g.data, f[:n]) || int(g.Wire) != len(f) {
			t.Errorf("%d of %d bytes, sent %d", n, g.Wire, len(f))
		}
	}
}

func TestJumbo(t *testing.T) {
	veth(t, "va", "vb")
	r := start(t, Config{Interface: "vb"})
	f := ether(macB, nil, 0x0800, udp4(1, 2, 3, 4, 8900))
	newSender(t, "va").send(t, f)
	if got := drain(t, r); len(got) != 1 || !bytes.Equal(got[0].data, f) {
		t.Errorf("got %d frames", len(got))
	}
}

// TestTunnel captures where there is no link header.
func TestTunnel(t *testing.T) {
	needLab(t)
	tun, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("no tunnel devices: ", err)
	}
	defer unix.Close(tun)
	req, err := unix.NewIfreq("tn")
	if err != nil {
		t.Fatal(err)
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(tun, unix.TUNSETIFF, req); err != nil {
		t.Fatal(err)
	}
	ip(t, "link set tn up")
	for filter, want := range map[string]int{"": 2, "ip": 1, "port 53": 2, "ip6 and dst port 53": 1} {
		r := start(t, Config{Interface: "tn", Filter: filter})
		for _, p := range [][]byte{udp4(1, 2, 1000, 53, 20), udp6(1, 2, 1000, 53, 20)} {
			if _, err := unix.Write(tun, p); err != nil {
				t.Fatal(err)
			}
		}
		got := drain(t, r)
		if len(got) != want || r.Link() != packet.LinkRaw {
			t.Errorf("%q: %d frames, want %d", filter, len(got), want)
		}
		for _, f := range got {
			f.Frame.Data = f.data
			var h packet.Headers
			if h.Decode(&f.Frame); h.Reason != packet.None || int(h.Bytes) != int(f.Wire) {
				t.Errorf("%q: %v, %d IP bytes of %d", filter, h.Reason, h.Bytes, f.Wire)
			}
		}
	}
}

func TestDirection(t *testing.T) {
	veth(t, "va", "vb")
	for dir, want := range map[Direction][]byte{Both: {1, 2}, In: {1}, Out: {2}} {
		r := start(t, Config{Interface: "vb", Direction: dir, Promiscuous: true, Filter: "udp"})
		newSender(t, "va").send(t, ether(macB, nil, 0x0800, udp4(1, 2, 3, 4, 20)), ether(macB, nil, 0x0806, make([]byte, 46)))
		newSender(t, "vb").send(t, ether(macB, nil, 0x0800, udp4(2, 1, 3, 4, 20)), ether(macB, nil, 0x0806, make([]byte, 46)))
		var from []byte
		for _, f := range drain(t, r) {
			from = append(from, f.data[29])
		}
		if !bytes.Equal(from, want) {
			t.Errorf("direction %d: frames of %v, want %v", dir, from, want)
		}
	}
}

func TestLoopbackFramesComeOnce(t *testing.T) {
	needLab(t)
	ip(t, "link set lo up")
	for _, dir := range []Direction{Both, In, Out} {
		r := start(t, Config{Interface: "lo", Direction: dir})
		newSender(t, "lo").send(t, ether(make([]byte, 6), nil, 0x0800, udp4(0x7f000001, 0x7f000001, 3, 4, 20)))
		if got := drain(t, r); len(got) != 1 {
			t.Errorf("direction %d: %d frames, sent 1", dir, len(got))
		}
	}
}

func TestPromiscuous(t *testing.T) {
	veth(t, "va", "vb")
	for _, on := range []bool{false, true} {
		r := start(t, Config{Interface: "vb", Promiscuous: on})
		if got := linkNamed(t, "vb").promiscs; (got == 1) != on {
			t.Errorf("asked for %v: %d users want it promiscuous", on, got)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if got := linkNamed(t, "vb").promiscs; got != 0 {
			t.Errorf("after Close %d users want it promiscuous", got)
		}
	}
}

func TestFilterIsTheKernels(t *testing.T) {
	veth(t, "va", "vb")
	tagged := func(vid uint16, dport uint16) []byte {
		return ether(macB, []uint16{0x8100, vid}, 0x0800, udp4(1, 2, 1000, dport, 20))
	}
	frames := [][]byte{
		ether(macB, nil, 0x0800, udp4(1, 2, 1000, 53, 20)), ether(macB, nil, 0x86dd, udp6(1, 2, 1000, 53, 20)),
		ether(macB, nil, 0x0800, udp4(1, 2, 1000, 80, 20)), tagged(10, 53), tagged(10, 80), tagged(20, 53),
	}
	for filter, want := range map[string]int{
		"": 6, "port 53": 4, "ip6": 1, "tcp": 0, "vlan": 3, "not vlan": 3, "vlan 10": 2, "vlan 10 and port 53": 1,
		"port 53 and not vlan": 2, "vlan and udp dst port 53": 2, "ether host 02:00:00:00:00:0b": 6, "len > 66 and vlan": 0,
	} {
		r := start(t, Config{Interface: "vb", Filter: filter, Direction: In})
		newSender(t, "va").send(t, frames...)
		if got := drain(t, r); len(got) != want {
			t.Errorf("%q: %d frames, want %d", filter, len(got), want)
		}
		if s := r.Stats(); s.Packets != uint64(want) {
			t.Errorf("%q: the kernel handed over %d frames, want %d", filter, s.Packets, want)
		}
	}
}

func TestCloseEndsAWait(t *testing.T) {
	veth(t, "va", "vb")
	for name, end := range map[string]struct {
		by   func(*Ring) error
		want error
	}{"Close": {(*Ring).Close, os.ErrClosed}, "Stop": {(*Ring).Stop, io.EOF}} {
		r := start(t, Config{Interface: "vb", Idle: time.Hour})
		ended := make(chan error)
		go func() {
			_, err := r.ReadBatch(make([]packet.Frame, 64))
			ended <- err
		}()
		// The reader is to be in its wait; if it is not yet, the test is
		// only weaker.
		time.Sleep(20 * time.Millisecond)
		from := time.Now()
		if err := end.by(r); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, end.want) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(from); took > 50*time.Millisecond {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

func TestCloseLeavesLentFrames(t *testing.T) {
	veth(t, "va", "vb")
	r := start(t, Config{Interface: "vb"})
	f := ether(macB, nil, 0x0800, udp4(1, 2, 3, 4, 20))
	newSender(t, "va").send(t, f)
	batch := make([]packet.Frame, 4)
	n, err := r.ReadBatch(batch)
	if n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(batch[0].Data, f) {
		t.Error("frame changed")
	}
	if r.freed {
		t.Error("freed under its reader")
	}
	if _, err := r.ReadBatch(batch); !errors.Is(err, os.ErrClosed) || !r.freed {
		t.Errorf("%v, freed %v", err, r.freed)
	}
}

func TestIdleReturns(t *testing.T) {
	veth(t, "va", "vb")
	r := start(t, Config{Interface: "vb", Idle: 5 * time.Millisecond})
	if n, err := r.ReadBatch(make([]packet.Frame, 4)); n != 0 || err != nil {
		t.Error(n, err)
	}
}

func TestInterfaceGoesDownAndUp(t *testing.T) {
	veth(t, "va", "vb")
	r := start(t, Config{Interface: "vb", Idle: 10 * time.Millisecond})
	f := ether(macB, nil, 0x0800, udp4(1, 2, 3, 4, 20))
	newSender(t, "va").send(t, f)
	await(t, r, 1)
	for i := range 2 {
		ip(t, "link set vb down")
		if n, err := r.ReadBatch(make([]packet.Frame, 4)); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		if s := r.Stats(); s.Downs != uint64(i+1) || !s.Down {
			t.Errorf("down: %+v", s)
		}
		up(t, "vb", "va")
		newSender(t, "va").send(t, f)
		await(t, r, 1)
		if s := r.Stats(); s.Downs != uint64(i+1) || s.Down || s.Delivered != uint64(i+2) {
			t.Errorf("up: %+v", s)
		}
	}
}

func TestInterfaceDownAtFirst(t *testing.T) {
	veth(t, "va", "vb")
	ip(t, "link set vb down")
	r := start(t, Config{Interface: "vb", Idle: 10 * time.Millisecond})
	if n, err := r.ReadBatch(make([]packet.Frame, 4)); n != 0 || err != nil || !r.Stats().Down {
		t.Error(n, err, r.Stats())
	}
	up(t, "vb", "va")
	newSender(t, "va").send(t, ether(macB, nil, 0x0800, udp4(1, 2, 3, 4, 20)))
	await(t, r, 1)
}

func TestInterfaceIsRenamed(t *testing.T) {
	veth(t, "va", "vb")
	r := start(t, Config{Interface: "vb"})
	ip(t, "link set vb down")
	ip(t, "link set vb name vc")
	up(t, "vc", "va")
	newSender(t, "va").send(t, ether(macB, nil, 0x0800, udp4(1, 2, 3, 4, 20)))
	await(t, r, 1)
}

func TestInterfaceIsDeleted(t *testing.T) {
	veth(t, "va", "vb")
	for _, down := range []bool{false, true} {
		r := start(t, Config{Interface: "vb", Idle: 10 * time.Millisecond})
		if down {
			ip(t, "link set vb down")
			if n, err := r.ReadBatch(make([]packet.Frame, 4)); n != 0 || err != nil {
				t.Fatal(n, err)
			}
		}
		ip(t, "link del va")
		var err error
		for end := time.Now().Add(2 * time.Second); err == nil && time.Now().Before(end); {
			_, err = r.ReadBatch(make([]packet.Frame, 4))
		}
		if !errors.Is(err, ErrGone) {
			t.Errorf("down before: %v: %v", down, err)
		}
		// One of the same name is another.
		ip(t, "link add name va type veth peer name vb")
		ip(t, "link set va up")
		up(t, "vb", "va")
		if _, err := r.ReadBatch(make([]packet.Frame, 4)); !errors.Is(err, ErrGone) {
			t.Errorf("after it came back: %v", err)
		}
		again := start(t, Config{Interface: "vb"})
		newSender(t, "va").send(t, ether(macB, nil, 0x0800, udp4(1, 2, 3, 4, 20)))
		await(t, again, 1)
	}
}

func TestErrors(t *testing.T) {
	veth(t, "va", "vb")
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{Interface: "eth7"}, "capture eth7: no such interface (have: lo, va, vb)"},
		{Config{Interface: strings.Repeat("x", 40)}, "capture " + strings.Repeat("x", 40) + ": no such interface (have: lo, va, vb)"},
		{Config{}, "capture: no interface named"},
		{Config{Interface: "vb", BlockSize: 5000}, "capture vb: block of 5000 bytes: must be a power of two from 4096 to 67108864"},
		{Config{Interface: "vb", Blocks: 1}, "capture vb: 1 blocks of 262144 bytes: must be 2 at least, and 17179869184 bytes at the most"},
		{Config{Interface: "vb", Timeout: time.Microsecond}, "capture vb: timeout 1µs: must be from 1ms to 10s"},
		{Config{Interface: "vb", Idle: time.Microsecond}, "capture vb: idle 1µs: must be 1ms at least"},
		{Config{Interface: "vb", Direction: 9}, "capture vb: direction 9: none of both, in, out"},
		{Config{Interface: "vb", Filter: "tcp prot 80"}, `capture vb: filter "tcp prot 80": column 5, at "prot": syntax error`},
	} {
		_, err := Open(c.cfg)
		e, ok := errors.AsType[*Error](err)
		if !ok || err.Error() != c.want || e.Interface != c.cfg.Interface {
			t.Errorf("%+v:\n%v\nwant\n%s", c.cfg, err, c.want)
		}
	}
}
