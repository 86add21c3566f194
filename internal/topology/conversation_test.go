package topology

import (
	"iter"
	"net/netip"
	"testing"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/host"
	"github.com/portolan/portolan/internal/query"
)

func TestUnicastLeavesGroupsOut(t *testing.T) {
	pairs := [][2]string{
		{"192.168.1.5", "192.168.1.6"}, {"192.168.1.5", "224.0.0.251"}, {"192.168.1.5", "255.255.255.255"},
		{"fe80::1", "fe80::2"}, {"::", "ff02::16"}, {"fd00::1", "fd00::2"}, {"fe80::1", "fd00::2"}, {"169.254.1.1", "192.168.1.6"},
	}
	rows := iter.Seq2[query.Row, error](func(yield func(query.Row, error) bool) {
		for i, p := range pairs {
			r := query.Row{
				Client: netip.MustParseAddr(p[0]).As16(), Server: netip.MustParseAddr(p[1]).As16(), Proto: flow.UDP, Port: 53,
				ToServer: flow.Counters{Packets: 1, Bytes: 1 << i}, First: int64(i), Last: int64(i),
			}
			if !yield(r, nil) {
				return
			}
		}
	})
	g, err := New(rows, host.NewNames())
	if err != nil {
		t.Fatal(err)
	}
	u := Unicast(g)
	if len(u.Edges) != 2 || len(u.Hosts) != 4 {
		t.Errorf("%d edges, %d hosts are left, want 2, 4", len(u.Edges), len(u.Hosts))
	}
	if u.LeftOut == nil || *u.LeftOut != (Leaving{Hosts: len(g.Hosts) - 4, Edges: 6, Bytes: 255 - 1 - 32}) {
		t.Errorf("left out: %+v", u.LeftOut)
	}
	if again := Unicast(u); again.LeftOut != nil {
		t.Errorf("left out of what has none: %+v", again.LeftOut)
	}
	if f := Fold(u, DefaultBudget()); f.LeftOut != u.LeftOut {
		t.Error("Fold forgets what was left out")
	}
}
