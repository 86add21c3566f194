package dissect

import (
	"testing"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/meter"
)

// BenchmarkConversations looks at new conversations from the first payload to
// the verdict.
func BenchmarkConversations(b *testing.B) {
	reply := serverHelloOf(0x0304)
	for _, bc := range []struct {
		name  string
		proto flow.Proto
		port  uint16
		said  [][]byte // by the client, the server, the client, ...
	}{
		{"TLS", flow.TCP, 443, [][]byte{tlsRecord(chromeHello()), reply}},
		{"TLS in two segments", flow.TCP, 443, [][]byte{tlsRecord(chromeHello())[:150], nil, tlsRecord(chromeHello())[150:], reply}},
		{"HTTP", flow.TCP, 80, [][]byte{[]byte(request), []byte("HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n")}},
		{"DNS", flow.UDP, 53, [][]byte{unhex(b, dnsQuery), unhex(b, dnsAnswer)}},
		{"QUIC", flow.UDP, 443, [][]byte{sealer1.seal(b, 2, unhex(b, rfc9001Hello))}},
		{"unknown over TCP", flow.TCP, 4711, [][]byte{{0xee, 1, 2, 3, 4, 5, 6, 7}, {0xee, 1, 2, 3, 4, 5, 6, 7}}},
		{"unknown over UDP", flow.UDP, 4711, [][]byte{{0xee, 1, 2, 3, 4, 5, 6, 7}, {0xee, 1, 2, 3, 4, 5, 6, 7}}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			var payloads []meter.Payload
			var seq [2]uint32
			for i, data := range bc.said {
				if data == nil {
					continue
				}
				p := meter.Payload{Data: data, Proto: bc.proto, Reply: i&1 == 1, SenderPort: 40000, ReceiverPort: bc.port, IP: tcpSegment(seq[i&1], data)}
				seq[i&1] += uint32(len(data))
				if p.Reply {
					p.SenderPort, p.ReceiverPort = p.ReceiverPort, p.SenderPort
				}
				payloads = append(payloads, p)
			}
			d, slot := New(Default()), uint32(0)
			b.ReportAllocs()
			for b.Loop() {
				slot = (slot + 7919) & (1<<16 - 1)
				for i := range payloads {
					if d.Packet(slot, payloads[i]) {
						break
					}
				}
				d.Verdict(slot)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "conversations/s")
		})
	}
}
