package meter

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

func TestTCPFacts(t *testing.T) {
	type facts struct{ Retransmits, OutOfOrder, ZeroWindows, Resets uint32 }
	type step struct {
		flags    string
		seq, len uint32
		window   uint16
	}
	up := func(seq, length uint32) step { return step{"A", seq, length, 1000} }
	for _, c := range []struct {
		name string
		in   []step
		want facts
	}{
		{"in order", []step{up(0, 100), up(100, 100), up(200, 0), up(200, 1)}, facts{}},
		{"across the wrap", []step{up(0xffffff9c, 100), up(0, 100)}, facts{}},
		{"sent again", []step{up(0, 100), up(100, 100), up(0, 100), up(100, 100)}, facts{Retransmits: 2}},
		{"sent again with more", []step{up(0, 100), up(0, 200), up(200, 10)}, facts{Retransmits: 1}},
		{"a gap filled", []step{up(0, 100), up(200, 100), up(100, 100), up(300, 100)}, facts{OutOfOrder: 1}},
		{"a gap filled twice", []step{up(0, 100), up(200, 100), up(100, 100), up(100, 100)}, facts{OutOfOrder: 1, Retransmits: 1}},
		{"a gap filled in parts", []step{up(0, 100), up(400, 100), up(200, 100), up(100, 100), up(300, 100), up(500, 1)}, facts{OutOfOrder: 3}},
		{"three gaps", []step{up(0, 10), up(20, 10), up(40, 10), up(60, 10), up(10, 10), up(30, 10), up(50, 10)}, facts{OutOfOrder: 3}},
		{"a fourth gap pushes the first out", []step{up(0, 10), up(20, 10), up(40, 10), up(60, 10), up(80, 10), up(10, 10)}, facts{Retransmits: 1}},
		{"a gap across the wrap", []step{up(0xffffff00, 100), up(100, 100), up(0xffffff64, 256)}, facts{OutOfOrder: 1}},
		{"keep-alive", []step{up(0, 100), up(99, 0), up(99, 1), up(99, 1)}, facts{}},
		{"SYN again", []step{{"S", 0, 0, 1000}, {"S", 0, 0, 1000}}, facts{Retransmits: 1}},
		{"FIN again", []step{up(0, 100), {"FA", 100, 0, 1000}, {"FA", 100, 0, 1000}}, facts{Retransmits: 1}},
		{"numbers begin anew", []step{up(0, 100), up(1<<31+5, 100), up(1<<31+105, 100)}, facts{}},
		{"window shut twice", []step{{"A", 0, 0, 0}, {"A", 0, 0, 0}, {"A", 0, 0, 5}, {"A", 0, 0, 0}}, facts{ZeroWindows: 2}},
		{"resets", []step{up(0, 100), {"R", 77, 0, 0}, {"RA", 100, 0, 0}}, facts{Resets: 2}},
	} {
		for _, ends := range [][2]string{{"10.0.0.1:1", "10.0.0.2:2"}, {"10.0.0.2:2", "10.0.0.1:1"}, {"[::1]:1", "[::2]:2"}, {"[::2]:2", "[::1]:1"}} {
			t.Run(c.name, func(t *testing.T) {
				sc := newScript(t, nil)
				for i, st := range c.in {
					sc.send(
						pkt(0, flow.TCP, ends[0], ends[1], tcp(st.flags, st.seq, 0, st.len), window(st.window)),
						pkt(0, flow.TCP, ends[1], ends[0], tcp("", uint32(i)*7, 0, 5))) // no flags: not followed
				}
				r := sc.one()
				got := facts{r.TCP.Retransmits, r.TCP.OutOfOrder, r.TCP.ZeroWindows, r.TCP.Resets}
				if d := cmp.Diff(c.want, got); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

func TestRoundTripTimes(t *testing.T) {
	const a, b = "10.0.0.9:40000", "10.0.0.1:443"
	syn := pkt(0, flow.TCP, a, b, tcp("S", 100, 0, 0))
	synack := pkt(20*ms, flow.TCP, b, a, tcp("SA", 900, 101, 0))
	ack := pkt(25*ms, flow.TCP, a, b, tcp("A", 101, 901, 0))
	again := func(h packet.Headers) packet.Headers { h.Time += int64(ms); return h }
	for _, c := range []struct {
		name           string
		in             []packet.Headers
		server, client int
	}{
		{"whole handshake", []packet.Headers{syn, synack, ack}, 20, 5},
		{"SYN-ACK and ACK alone", []packet.Headers{synack, ack}, 0, 5},
		{"SYN and SYN-ACK alone", []packet.Headers{syn, synack}, 20, 0},
		{"SYN sent again", []packet.Headers{syn, again(syn), synack, ack}, 0, 5},
		{"SYN-ACK sent again", []packet.Headers{syn, synack, again(synack), ack}, 20, 0},
		{"an ACK of something else", []packet.Headers{syn, synack, pkt(25*ms, flow.TCP, a, b, tcp("A", 101, 950, 0)), ack}, 20, 0},
		{"refused", []packet.Headers{syn, pkt(9*ms, flow.TCP, b, a, tcp("RA", 0, 101, 0))}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			sc := newScript(t, nil)
			sc.send(c.in...)
			r := sc.one()
			if r.TCP.ServerRTT.Milliseconds() != int64(c.server) || r.TCP.ClientRTT.Milliseconds() != int64(c.client) {
				t.Errorf("server %v, client %v; want %d ms, %d ms", r.TCP.ServerRTT, r.TCP.ClientRTT, c.server, c.client)
			}
		})
	}
}
