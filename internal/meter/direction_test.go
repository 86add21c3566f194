package meter

import (
	"fmt"
	"testing"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

// TestDirection gives a conversation between a and b, and what else was seen
// before its first export, and says who is the server and why.
func TestDirection(t *testing.T) {
	mid := tcp("A", 1, 1, 10)
	// peers are n conversations that peers opened or went on with at server.
	peers := func(n int, proto flow.Proto, server string, o ...option) (hs []packet.Headers) {
		for i := range n {
			hs = append(hs, pkt(0, proto, fmt.Sprintf("10.7.0.%d:%d", i+1, 50000+i), server, o...))
		}
		return hs
	}
	listener := func(server string) []packet.Headers {
		return []packet.Headers{pkt(0, flow.TCP, server, "10.7.0.1:50000", tcp("SA", 1, 1, 0))}
	}
	for _, c := range []struct {
		name           string
		others         []packet.Headers
		in             []packet.Headers
		client, server string
		why            flow.Evidence
	}{
		{"SYN beats a lower port", nil, []packet.Headers{
			pkt(0, flow.TCP, "10.0.0.1:20", "10.0.0.9:40000", tcp("S", 1, 0, 0)), // FTP: the server opens the data connection
		}, "10.0.0.1:20", "10.0.0.9:40000", flow.SYNSeen},
		{"SYN beats a known listener", listener("10.0.0.1:443"), []packet.Headers{
			pkt(0, flow.TCP, "10.0.0.1:443", "10.0.0.9:40000", tcp("S", 1, 0, 0)),
		}, "10.0.0.1:443", "10.0.0.9:40000", flow.SYNSeen},
		{"a late SYN beats who spoke first", nil, []packet.Headers{
			pkt(0, flow.TCP, "10.0.0.9:40000", "10.0.0.1:40001", tcp("SA", 9, 2, 0)),
			pkt(0, flow.TCP, "10.0.0.1:40001", "10.0.0.9:40000", tcp("S", 1, 0, 0)),
		}, "10.0.0.1:40001", "10.0.0.9:40000", flow.SYNSeen},
		{"SYN-ACK", nil, []packet.Headers{
			pkt(0, flow.TCP, "10.0.0.9:40000", "10.0.0.1:80", tcp("SA", 1, 1, 0)),
		}, "10.0.0.1:80", "10.0.0.9:40000", flow.SYNACKSeen},
		{"known listener beats a lower port", listener("10.0.0.9:40000"), []packet.Headers{
			pkt(0, flow.TCP, "10.0.0.9:40000", "10.0.0.1:80", mid),
		}, "10.0.0.1:80", "10.0.0.9:40000", flow.KnownListener},
		{"listener learnt later", nil, append([]packet.Headers{
			pkt(0, flow.TCP, "10.0.0.9:40000", "10.0.0.1:80", mid),
		}, listener("10.0.0.9:40000")...), "10.0.0.1:80", "10.0.0.9:40000", flow.KnownListener},
		{"a refused SYN proves no listener", []packet.Headers{
			pkt(0, flow.TCP, "10.7.0.1:50000", "10.0.0.9:40000", tcp("S", 1, 0, 0)),
			pkt(0, flow.TCP, "10.0.0.9:40000", "10.7.0.1:50000", tcp("RA", 0, 2, 0)),
		}, []packet.Headers{
			pkt(0, flow.TCP, "10.0.0.9:40000", "10.0.0.1:80", mid),
		}, "10.0.0.9:40000", "10.0.0.1:80", flow.RegisteredPort},
		{"many peers, beginning not seen", peers(3, flow.TCP, "10.0.0.9:40000", mid), []packet.Headers{
			pkt(0, flow.TCP, "10.0.0.9:40000", "10.0.0.1:30000", mid),
		}, "10.0.0.1:30000", "10.0.0.9:40000", flow.RecurringPort},
		{"many peers, only SYNs seen", peers(4, flow.TCP, "10.0.0.9:40000", tcp("S", 1, 0, 0)), []packet.Headers{
			pkt(0, flow.TCP, "10.0.0.1:30000", "10.0.0.9:40000", mid),
		}, "10.0.0.1:30000", "10.0.0.9:40000", flow.RecurringPort},
		{"two peers are not many", peers(1, flow.TCP, "10.0.0.9:40000", mid), []packet.Headers{
			pkt(0, flow.TCP, "10.0.0.9:40000", "10.0.0.1:30000", mid),
		}, "10.0.0.9:40000", "10.0.0.1:30000", flow.LowerPort},
		{"UDP server on a high port", peers(5, flow.UDP, "10.0.0.9:40000"), []packet.Headers{
			pkt(0, flow.UDP, "10.0.0.1:30000", "10.0.0.9:40000"),
		}, "10.0.0.1:30000", "10.0.0.9:40000", flow.RecurringPort},
		{"one UDP port asks many", []packet.Headers{
			pkt(0, flow.UDP, "10.0.0.9:40000", "10.7.0.1:161"), pkt(0, flow.UDP, "10.0.0.9:40000", "10.7.0.2:161"),
			pkt(0, flow.UDP, "10.0.0.9:40000", "10.7.0.3:161"), pkt(0, flow.UDP, "10.0.0.9:40000", "10.7.0.4:161"),
		}, []packet.Headers{
			pkt(0, flow.UDP, "10.0.0.9:40000", "10.0.0.1:161"), pkt(0, flow.UDP, "10.0.0.1:161", "10.0.0.9:40000"),
		}, "10.0.0.9:40000", "10.0.0.1:161", flow.RegisteredPort},
		{"NTP from 123 to 123, few peers", nil, []packet.Headers{
			pkt(0, flow.UDP, "10.0.0.9:123", "10.0.0.1:123"), pkt(1, flow.UDP, "10.0.0.1:123", "10.0.0.9:123"),
		}, "10.0.0.9:123", "10.0.0.1:123", flow.FirstPacket},
		{"NTP from 123 to 123, a server's answer first", peers(5, flow.UDP, "10.0.0.1:123"), []packet.Headers{
			pkt(0, flow.UDP, "10.0.0.1:123", "10.0.0.9:123"), pkt(1, flow.UDP, "10.0.0.9:123", "10.0.0.1:123"),
		}, "10.0.0.9:123", "10.0.0.1:123", flow.RecurringPort},
		{"DNS between resolvers", nil, []packet.Headers{
			pkt(0, flow.UDP, "10.0.0.9:53", "10.0.0.1:53"),
		}, "10.0.0.9:53", "10.0.0.1:53", flow.FirstPacket},
		{"DNS, the answer first", nil, []packet.Headers{
			pkt(0, flow.UDP, "10.0.0.1:53", "10.0.0.9:40000"),
		}, "10.0.0.9:40000", "10.0.0.1:53", flow.RegisteredPort},
		{"DHCP", nil, []packet.Headers{
			pkt(0, flow.UDP, "10.0.0.1:67", "10.0.0.9:68"),
		}, "10.0.0.9:68", "10.0.0.1:67", flow.LowerPort},
		{"mDNS", nil, []packet.Headers{
			pkt(0, flow.UDP, "10.0.0.9:5353", "224.0.0.251:5353"),
		}, "10.0.0.9:5353", "224.0.0.251:5353", flow.FirstPacket},
		{"IPv6 multicast", nil, []packet.Headers{
			pkt(0, flow.UDP, "[fe80::9]:80", "[ff02::fb]:40000"),
		}, "[fe80::9]:80", "[ff02::fb]:40000", flow.FirstPacket},
		{"broadcast", nil, []packet.Headers{
			pkt(0, flow.UDP, "10.0.0.9:67", "255.255.255.255:68"),
		}, "10.0.0.9:67", "255.255.255.255:68", flow.FirstPacket},
		{"1433 against an ephemeral port below it", nil, []packet.Headers{
			pkt(0, flow.TCP, "10.0.0.1:1433", "10.0.0.9:1100", mid),
		}, "10.0.0.9:1100", "10.0.0.1:1433", flow.RegisteredPort},
		{"the lower port of two that nobody knows", nil, []packet.Headers{
			pkt(0, flow.TCP, "10.0.0.1:8123", "10.0.0.9:50000", mid),
		}, "10.0.0.9:50000", "10.0.0.1:8123", flow.LowerPort},
		{"FTP data, beginning not seen", peers(5, flow.TCP, "10.0.0.1:20", mid), []packet.Headers{
			pkt(0, flow.TCP, "10.0.0.9:40000", "10.0.0.1:20", mid),
		}, "10.0.0.1:20", "10.0.0.9:40000", flow.RegisteredPort},
		{"GRE", nil, []packet.Headers{
			pkt(0, flow.GRE, "10.0.0.9", "10.0.0.1"),
		}, "10.0.0.9:0", "10.0.0.1:0", flow.FirstPacket},
		{"an advertisement to all", nil, []packet.Headers{
			pkt(0, flow.ICMPv6, "fe80::1", "ff02::1", icmp(134, 0)),
		}, "[fe80::1]:0", "[ff02::1]:0", flow.FirstPacket},
		{"a neighbour's answer first", nil, []packet.Headers{
			pkt(0, flow.ICMPv6, "fe80::1", "fe80::9", icmp(136, 0)),
		}, "[fe80::9]:0", "[fe80::1]:0", flow.RequestSeen},
	} {
		t.Run(c.name, func(t *testing.T) {
			sc := newScript(t, nil)
			sc.send(c.others...)
			sc.send(c.in...)
			want := flow.NewKey(c.in[0].Proto(), end(c.client), end(c.server))
			for _, r := range sc.finish() {
				if r.Key == want.Reverse() {
					t.Errorf("client and server are exchanged, evidence %v", r.Evidence)
				}
				if r.Key == want {
					if r.Evidence != c.why {
						t.Errorf("evidence is %v, want %v", r.Evidence, c.why)
					}
					return
				}
			}
			t.Error("the conversation is missing")
		})
	}
}

func TestDirectionIsDecidedOnce(t *testing.T) {
	const a, b = "10.0.0.9:40000", "10.0.0.1:30000"
	sc := newScript(t, nil)
	for i := range 100 {
		sc.send(pkt(time.Duration(i)*s, flow.TCP, a, b, tcp("A", uint32(i), 1, 1)))
	}
	sc.send(pkt(100*s, flow.TCP, a, "10.7.0.1:1", tcp("SA", 1, 1, 0))) // a listens, it turns out
	sc.send(pkt(101*s, flow.TCP, a, b, tcp("A", 101, 1, 1)))
	n := 0
	for _, r := range sc.finish() {
		if r.ServerPort == 30000 {
			n++
			if r.Evidence != flow.LowerPort {
				t.Errorf("slice %d was decided by %v", r.Slice, r.Evidence)
			}
		}
	}
	if n != 2 {
		t.Errorf("%d slices to the first server, want 2", n)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	e, err := newEndpoints(1)
	if err != nil {
		t.Fatal(err)
	}
	defer e.free()
	keep := site{lo: 1, port: 1}
	e.at(keep).listens = true
	for i := range uint64(3 * generationSize) {
		e.at(site{hi: 1, lo: i})
		if i%(generationSize/2) == 0 {
			e.at(keep)
		}
	}
	if p := e.find(keep); p == nil || !p.listens {
		t.Error("what is met again and again was forgotten")
	}
	if e.find(site{hi: 1}) != nil {
		t.Error("what was met once long ago is still known")
	}
	if e.rotations != 3 {
		t.Errorf("%d rotations, want 3", e.rotations)
	}
}
