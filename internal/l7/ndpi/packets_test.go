//go:build ndpi && cgo

package ndpi

import (
	"encoding/binary"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/meter"
)

// A talk is a conversation of 10.0.0.1 with 192.0.2.1, packet by packet.
type talk struct {
	proto          flow.Proto
	client, server uint16
	said           []line
}

// A line is what one side sends.
type line struct {
	reply bool
	data  string
}

// payloads returns the packets as the table shows them: IPv4 headers without
// options, no checksums.
func (c *talk) payloads() []meter.Payload {
	var all []meter.Payload
	var next [2]uint32
	for i, l := range c.said {
		p := meter.Payload{
			Time: 1e18 + int64(i)*1e6, Proto: c.proto, Reply: l.reply,
			SenderPort: c.client, ReceiverPort: c.server,
		}
		src, dst, d := [4]byte{10, 0, 0, 1}, [4]byte{192, 0, 2, 1}, 0
		if l.reply {
			src, dst, d = dst, src, 1
			p.SenderPort, p.ReceiverPort = c.server, c.client
		}
		var l4 []byte
		l4 = binary.BigEndian.AppendUint16(l4, p.SenderPort)
		l4 = binary.BigEndian.AppendUint16(l4, p.ReceiverPort)
		switch c.proto {
		case flow.UDP:
			l4 = binary.BigEndian.AppendUint16(l4, uint16(8+len(l.data)))
			l4 = append(l4, 0, 0)
		case flow.TCP:
			l4 = binary.BigEndian.AppendUint32(l4, 1000+next[d])
			l4 = binary.BigEndian.AppendUint32(l4, 1000+next[1-d])
			l4 = append(l4, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0) // header of 20 bytes, PSH ACK
			next[d] += uint32(len(l.data))
		}
		header := len(l4) + 20
		ip := []byte{0x45, 0}
		ip = binary.BigEndian.AppendUint16(ip, uint16(header+len(l.data)))
		ip = append(ip, 0, byte(i), 0, 0, 64, byte(c.proto), 0, 0)
		ip = append(append(ip, src[:]...), dst[:]...)
		p.IP = append(append(ip, l4...), l.data...)
		p.Data = p.IP[header:]
		all = append(all, p)
	}
	return all
}

const (
	dnsQuery = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + // id, recursion desired, one question
		"\x03www\x07example\x03org\x00\x00\x01\x00\x01" // www.example.org, A, IN
	dnsAnswer = "\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" +
		"\x03www\x07example\x03org\x00\x00\x01\x00\x01" +
		"\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04\xc0\x00\x02\x07" // 192.0.2.7 for an hour
	httpRequest  = "GET / HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"
	httpResponse = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok"
)

var (
	dnsTalk  = talk{flow.UDP, 40000, 53, []line{{false, dnsQuery}, {true, dnsAnswer}}}
	httpTalk = talk{flow.TCP, 40001, 80, []line{{false, httpRequest}, {true, httpResponse}}}
	sshTalk  = talk{flow.TCP, 40002, 2222, []line{{true, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"}, {false, "SSH-2.0-OpenSSH_9.6\r\n"}}}
	muteTalk = talk{flow.TCP, 40003, 3306, []line{{false, "\x01\x02\x03"}, {true, "\x01\x02\x03\x04\x05"}}}
	darkTalk = talk{flow.UDP, 40004, 40005, []line{{false, "\x91\x02\x03\x17"}, {true, "\x99\x02\x03\x04\x05"}}}
)
