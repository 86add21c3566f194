package ring

import (
	"bytes"
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestInterfaces(t *testing.T) {
	veth(t, "va", "vb")
	ip(t, "link set lo up")
	ip(t, "link add name br type bridge")
	t.Cleanup(func() { ip(t, "link del dev br") })
	ip(t, "link set vb master br")
	ip(t, "addr add 192.0.2.1/24 dev va")
	ip(t, "addr add 198.51.100.1 peer 198.51.100.2/32 dev va")
	r := start(t, Config{Interface: "va", Promiscuous: true})
	got, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	want := []Interface{
		{Name: "lo", Kind: Loopback, MTU: 65536, Up: true, Carrier: true, Addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}},
		{Name: "vb", Kind: Veth, Type: "veth", MTU: 9000, Speed: 10e9, Up: true, Carrier: true, Promiscuous: true, Master: "br"},
		{Name: "va", Kind: Veth, Type: "veth", MTU: 9000, Speed: 10e9, Up: true, Carrier: true, Promiscuous: true,
			Addrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("198.51.100.1/32")}},
		{Name: "br", Kind: Bridge, Type: "bridge", MTU: 9000},
	}
	ignore := cmpopts.IgnoreFields(Interface{}, "Index", "MAC", "Offloads")
	if diff := cmp.Diff(want, got, ignore, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmpopts.SortSlices(func(a, b Interface) bool { return a.Name < b.Name }), cmpopts.IgnoreSliceElements(func(i Interface) bool { return i.Kind == Tunnel })); diff != "" {
		t.Error(diff)
	}
	for _, i := range got {
		if i.Index == 0 || len(i.MAC) != 6 && i.Kind != Tunnel || i.Sees() == "" {
			t.Errorf("%+v", i)
		}
		if i.Name == "va" && (!i.Offloads.GSO || !i.Offloads.TSO || i.Offloads.LRO) {
			t.Errorf("%+v", i.Offloads)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestDefaultInterface(t *testing.T) {
	veth(t, "va", "vb")
	_, err := DefaultInterface()
	if err == nil || err.Error() != "capture: there is no default route" {
		t.Errorf("without: %v", err)
	}
	ip(t, "addr add 192.0.2.1/24 dev va")
	ip(t, "addr add 198.51.100.1/24 dev vb")
	for _, step := range []struct{ do, want string }{
		{"route add default via 192.0.2.9 metric 200", "va"},
		{"route add default via 198.51.100.9 metric 100", "vb"},
		{"route add default dev va table 77", "vb"},
		{"route del default via 198.51.100.9", "va"},
		{"route replace default metric 5 nexthop via 198.51.100.9 nexthop via 192.0.2.9", "vb"},
	} {
		ip(t, step.do)
		if got, err := DefaultInterface(); got != step.want || err != nil {
			t.Errorf("ip %s: %q, %v; want %q", step.do, got, err, step.want)
		}
	}
	all, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Default != (i.Name == "vb") {
			t.Errorf("%s: default %v", i.Name, i.Default)
		}
	}
}

func TestLook(t *testing.T) {
	veth(t, "va", "vb")
	own := linkNamed(t, "vb").address
	frame := func(dst, src []byte) []byte {
		return append(append(bytes.Clone(dst), src...), append([]byte{8, 0}, udp4(1, 2, 3, 4, 20)...)...)
	}
	x, y := []byte{2, 9, 9, 9, 9, 1}, []byte{2, 9, 9, 9, 9, 2}
	group := []byte{1, 0, 0x5e, 0, 0, 1}
	for _, c := range []struct {
		name   string
		frames [][]byte
		want   Sight
		says   string
	}{
		{"nothing", nil, Sight{}, "nothing came by"},
		{"own", [][]byte{frame(own, x), frame(group, x)}, Sight{Frames: 2, Own: 1, Group: 1}, "it sees this host's traffic only"},
		{"stray", [][]byte{frame(own, x), frame(y, x), frame(y, x)}, Sight{Frames: 3, Own: 1, Foreign: 2},
			"it sees this host's traffic, and stray frames of others: 2 of 3"},
		{"mirror", [][]byte{frame(x, y), frame(y, x), frame(x, y), frame(group, own)}, Sight{Frames: 4, Own: 1, Foreign: 3, Pairs: 1},
			"it sees conversations of others: 3 of 4 frames"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			type answer struct {
				s   Sight
				err error
			}
			done := make(chan answer)
			go func() {
				s, err := Look(ctx, "vb", time.Hour)
				done <- answer{s, err}
			}()
			for linkNamed(t, "vb").promiscs == 0 {
				time.Sleep(time.Millisecond) // until it listens
			}
			time.Sleep(50 * time.Millisecond) // and its filter is off
			newSender(t, "va").send(t, c.frames...)
			cancel()
			got := <-done
			if got.err != nil {
				t.Fatal(got.err)
			}
			if diff := cmp.Diff(c.want, got.s); diff != "" || got.s.String() != c.says {
				t.Errorf("%s %s", got.s.String(), diff)
			}
		})
	}
	from := time.Now()
	if _, err := Look(t.Context(), "vb", 30*time.Millisecond); err != nil || time.Since(from) > 2*time.Second {
		t.Errorf("%v, took %v", err, time.Since(from))
	}
}

func TestSightIsBounded(t *testing.T) {
	var s Sight
	pairs := map[stations]heard{}
	for i := range 3 * maxPairs {
		s.add([]byte{2, 0, 0, 0, byte(i >> 8), byte(i), 4, 0, 0, 0, 0, 1, 8, 0}, nil, pairs)
	}
	if len(pairs) != maxPairs || s.Foreign != 3*maxPairs || s.Pairs != 0 {
		t.Errorf("%d pairs, %+v", len(pairs), s)
	}
}
