package flow

import (
	"net/netip"
	"testing"
	"unsafe"
)

func TestKeyKeepsItsEnds(t *testing.T) {
	client, server := netip.MustParseAddrPort("192.168.1.66:55846"), netip.MustParseAddrPort("[2001:db8::55]:443")
	k := NewKey(TCP, client, server)
	if k.ClientAddrPort() != client || k.ServerAddrPort() != server {
		t.Errorf("ends = %v, %v; want %v, %v", k.ClientAddrPort(), k.ServerAddrPort(), client, server)
	}
	r := k.Reverse()
	if r.ClientAddrPort() != server || r.ServerAddrPort() != client {
		t.Errorf("reversed ends = %v, %v", r.ClientAddrPort(), r.ServerAddrPort())
	}
	if r.Reverse() != k {
		t.Error("reversing twice does not give the key back")
	}
}

func TestKeyIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Key{}); n != 40 {
		t.Errorf("a key has %d bytes, want 40", n)
	}
}

func TestProtoNamesParse(t *testing.T) {
	for p := range 256 {
		got, ok := ParseProto(Proto(p).String())
		if !ok || got != Proto(p) {
			t.Errorf("ParseProto(%q) = %v, %v", Proto(p).String(), got, ok)
		}
	}
	for _, s := range []string{"", "256", "-1", "tpc", "6 "} {
		if p, ok := ParseProto(s); ok {
			t.Errorf("ParseProto(%q) = %v, want none", s, p)
		}
	}
}

func TestSpanExcludesItsEnd(t *testing.T) {
	for _, c := range []struct {
		span Span
		at   int64
		want bool
	}{
		{Span{}, 5, true},
		{Span{10, 20}, 9, false},
		{Span{10, 20}, 10, true},
		{Span{10, 20}, 20, false},
		{Span{10, 0}, 1 << 60, true},
	} {
		if got := c.span.Contains(c.at); got != c.want {
			t.Errorf("%v contains %d = %v, want %v", c.span, c.at, got, c.want)
		}
	}
}

func TestEvidenceIsRanked(t *testing.T) {
	ranked := []Evidence{NoEvidence, FirstPacket, LowerPort, RegisteredPort, RecurringPort, KnownListener, ExporterSaid, RequestSeen, SYNACKSeen, SYNSeen}
	for i := 1; i < len(ranked); i++ {
		if ranked[i] <= ranked[i-1] {
			t.Errorf("%v is not better than %v", ranked[i], ranked[i-1])
		}
	}
	for _, e := range ranked {
		if e.String() == "unknown" {
			t.Errorf("evidence %d has no word", e)
		}
	}
}
