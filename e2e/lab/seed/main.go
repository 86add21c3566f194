// Command seed writes a capture of the home lab whose flows were once charted
// by hand from a database query, with the truth about it beside.
//
// Usage: go run ./e2e/lab/seed -o testdata/seed
//
// Byte counts are those of the query divided by 100. Packets carry IP lengths
// up to 65535, as segmentation offload makes them; only headers are kept.
package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// scale divides the byte counts of the query.
const scale = 100

// A conversation is one TCP connection; bytes are IP bytes before scaling.
type conversation struct {
	client     byte // last octet in 192.168.1.0/24
	clientPort uint16
	server     byte
	serverPort uint16
	toServer   int
	toClient   int
}

// conversations are oriented client to server, whatever way the query printed them.
var conversations = []conversation{
	// The query's ten rows. 65:48718 to 66:8086 stood there twice, once a way.
	{69, 57668, 240, 902, 188_567_181, 28_614_544_156},
	{66, 55846, 55, 443, 559_914_960, 2_351_076_647},
	{66, 45152, 51, 9100, 3_564_870, 36_772_742},
	{51, 38324, 66, 8086, 1_172_396, 181_208},
	{66, 52326, 51, 9091, 2_122_212, 15_249_382},
	{65, 48718, 66, 8086, 418_736_680 + 2_436_358, 89_940_248 + 695_958},
	{65, 48604, 66, 8086, 7_196_070, 3_463_442},
	{71, 49910, 51, 32400, 1_267_671, 3_818_437},
	{65, 60818, 71, 8181, 4_516_705, 10_383_015},
	// The drawing's lines that name a client's port. The drawing gives no byte
	// counts and no server port here: both are assumed (see README.md).
	{55, 51554, 240, 443, 900_000, 700_000},
	{55, 49112, 240, 443, 810_000, 620_000},
	{55, 57512, 240, 443, 720_000, 560_000},
	{55, 52066, 240, 443, 640_000, 500_000},
	{55, 43118, 240, 443, 570_000, 440_000},
	{55, 50256, 240, 443, 510_000, 390_000},
	{55, 54660, 240, 443, 450_000, 350_000},
	{55, 43444, 240, 443, 400_000, 310_000},
	{55, 33002, 240, 443, 360_000, 270_000},
	{55, 47642, 240, 443, 320_000, 240_000},
	{55, 50702, 240, 443, 280_000, 210_000},
	{55, 56192, 168, 9080, 250_000, 190_000},
	{55, 49006, 168, 9080, 220_000, 170_000},
	{66, 59672, 65, 3306, 2_000_000, 300_000},
	{52, 34376, 66, 8086, 1_500_000, 200_000},
	{66, 50054, 51, 9100, 150_000, 900_000},
	// The WiFi network, which the query leaves out.
	{151, 54665, 66, 8086, 2_400_000, 40_000_000},
	{151, 51820, 55, 443, 1_900_000, 25_000_000},
	{66, 41876, 151, 9100, 300_000, 2_000_000},
}

// TCP flag bits.
const (
	fin = 0x01
	syn = 0x02
	psh = 0x08
	ack = 0x10
)

const (
	headerBytes = 40 // IPv4 and TCP, no options
	maxIP       = 65535
)

// A side is one end of a connection while it is written.
type side struct {
	octet byte
	port  uint16
	seq   uint32
	bytes int // IP bytes sent
	count int // packets sent
}

// A frame is one captured packet.
type frame struct {
	micros int64
	data   []byte
	wire   int
}

// A capture collects frames in the order of their making.
type capture struct {
	frames []frame
	ident  uint16
}

// send appends one segment of ipBytes from a to b.
func (c *capture) send(micros int64, a, b *side, flags byte, ipBytes int) {
	p := make([]byte, 14+headerBytes)
	copy(p, []byte{2, 0, 0, 0, 1, b.octet, 2, 0, 0, 0, 1, a.octet, 8, 0})
	ip := p[14:34]
	ip[0], ip[6], ip[8], ip[9] = 0x45, 0x40, 64, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(ipBytes))
	c.ident++
	binary.BigEndian.PutUint16(ip[4:], c.ident)
	copy(ip[12:], []byte{192, 168, 1, a.octet, 192, 168, 1, b.octet})
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	tcp := p[34:]
	binary.BigEndian.PutUint16(tcp[0:], a.port)
	binary.BigEndian.PutUint16(tcp[2:], b.port)
	binary.BigEndian.PutUint32(tcp[4:], a.seq)
	if flags&ack != 0 {
		binary.BigEndian.PutUint32(tcp[8:], b.seq)
	}
	tcp[12], tcp[13] = 5<<4, flags
	binary.BigEndian.PutUint16(tcp[14:], 65000)
	a.seq += uint32(ipBytes - headerBytes)
	if flags&(syn|fin) != 0 {
		a.seq++
	}
	a.bytes += ipBytes
	a.count++
	c.frames = append(c.frames, frame{micros, p, 14 + ipBytes})
}

// checksum is the Internet checksum of a header whose checksum field is zero.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// connection appends a whole connection and returns its two ends. Each end
// sends exactly the scaled count of IP bytes.
func (c *capture) connection(start int64, v conversation) (client, server *side) {
	client = &side{octet: v.client, port: v.clientPort, seq: 1000}
	server = &side{octet: v.server, port: v.serverPort, seq: 5000}
	now := start
	step := func(a, b *side, flags byte, n int) {
		c.send(now, a, b, flags, n)
		now += 250
	}
	step(client, server, syn, headerBytes)
	step(server, client, syn|ack, headerBytes)
	step(client, server, ack, headerBytes)
	// SYN, ACK, FIN and last ACK of the client; SYN-ACK and FIN of the server.
	up, down := v.toServer/scale-4*headerBytes, v.toClient/scale-2*headerBytes
	for up > 0 || down > 0 {
		if n := piece(up); n > 0 {
			step(client, server, psh|ack, n)
			up -= n
		}
		for range 8 {
			n := piece(down)
			if n == 0 {
				break
			}
			step(server, client, psh|ack, n)
			down -= n
		}
	}
	step(client, server, fin|ack, headerBytes)
	step(server, client, fin|ack, headerBytes)
	step(client, server, ack, headerBytes)
	return client, server
}

// piece is the IP length of the next packet of rest bytes. It never leaves a
// rest too small for a packet.
func piece(rest int) int {
	if rest <= maxIP {
		return max(rest, 0)
	}
	if rest-maxIP < headerBytes {
		return rest - headerBytes
	}
	return maxIP
}

// pcap returns the frames, sorted by time, as a pcap file.
func (c *capture) pcap() []byte {
	slices.SortStableFunc(c.frames, func(a, b frame) int { return int(a.micros - b.micros) })
	var out bytes.Buffer
	le := binary.LittleEndian
	h := le.AppendUint32(nil, 0xa1b2c3d4)
	h = le.AppendUint16(h, 2)
	h = le.AppendUint16(h, 4)
	for _, n := range []uint32{0, 0, 96, 1} {
		h = le.AppendUint32(h, n)
	}
	out.Write(h)
	for _, f := range c.frames {
		r := le.AppendUint32(nil, uint32(f.micros/1e6))
		r = le.AppendUint32(r, uint32(f.micros%1e6))
		r = le.AppendUint32(r, uint32(len(f.data)))
		r = le.AppendUint32(r, uint32(f.wire))
		out.Write(r)
		out.Write(f.data)
	}
	return out.Bytes()
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("seed: ")
	dir := flag.String("o", "testdata/seed", "write seed.pcap and seed.truth.tsv into this `folder`")
	flag.Parse()
	const start = 1_609_459_200_000_000 // 2021-01-01 00:00:00 UTC in microseconds
	var c capture
	var truth strings.Builder
	truth.WriteString("client\tclient_port\tserver\tserver_port\tproto\tpackets_to_server\tbytes_to_server\tpackets_to_client\tbytes_to_client\n")
	for i, v := range conversations {
		client, server := c.connection(start+int64(i)*7_013, v)
		fmt.Fprintf(&truth, "192.168.1.%d\t%d\t192.168.1.%d\t%d\ttcp\t%d\t%d\t%d\t%d\n",
			v.client, v.clientPort, v.server, v.serverPort, client.count, client.bytes, server.count, server.bytes)
	}
	for name, data := range map[string][]byte{"seed.pcap": c.pcap(), "seed.truth.tsv": []byte(truth.String())} {
		if err := os.WriteFile(filepath.Join(*dir, name), data, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
