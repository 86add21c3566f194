// Command genpcap writes a capture for benchmarks: many TCP and UDP
// conversations at once, each from handshake to end, in random order.
//
//	genpcap -o big.pcap -flows 1000000 -packets 8000000 -seed 1
//
// The same arguments give the same bytes.
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
)

func main() {
	out := flag.String("o", "", "file to write")
	flows := flag.Int("flows", 100_000, "conversations")
	packets := flag.Int("packets", 1_000_000, "packets in all")
	payload := flag.Int("payload", 200, "bytes of payload in a data packet, on average")
	seed := flag.Uint64("seed", 1, "seed")
	flag.Parse()
	if *out == "" || *flows < 1 || *packets < *flows {
		flag.Usage()
		os.Exit(2)
	}
	if err := generate(*out, *flows, *packets, *payload, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "genpcap:", err)
		os.Exit(1)
	}
}

// A conversation is one client and server; step counts its packets so far.
type conversation struct {
	client, server uint32
	cport, sport   uint16
	udp            bool
	step           uint16
	seq            [2]uint32
}

var serverPorts = []uint16{443, 80, 53, 3306, 5432, 22, 8086, 9100, 25, 6379, 445, 902}

func generate(path string, flows, packets, payload int, seed uint64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	header := make([]byte, 24)
	binary.LittleEndian.PutUint32(header, 0xa1b23c4d) // nanoseconds
	binary.LittleEndian.PutUint16(header[4:], 2)
	binary.LittleEndian.PutUint16(header[6:], 4)
	binary.LittleEndian.PutUint32(header[16:], 65535)
	binary.LittleEndian.PutUint32(header[20:], 1)
	if _, err := w.Write(header); err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(seed, seed))
	all := make([]conversation, flows)
	for i := range all {
		port := serverPorts[rnd.IntN(len(serverPorts))]
		all[i] = conversation{
			client: 10<<24 | uint32(i%65_000)<<4 | 1, server: 172<<24 | 16<<16 | uint32(rnd.IntN(4000)),
			cport: uint16(32768 + i/65_000 + rnd.IntN(28_000)), sport: port, udp: port == 53,
			seq: [2]uint32{rnd.Uint32(), rnd.Uint32()},
		}
	}
	frame := make([]byte, 16+14+40+1460)
	const start, step = 1_700_000_000_000_000_000, 600_000_000_000
	for i := range packets {
		c := &all[rnd.IntN(flows)]
		if i < flows {
			c = &all[i] // each conversation at least once
		}
		n := c.write(frame[16:], rnd, payload)
		at := start + int64(float64(i)/float64(packets)*step)
		binary.LittleEndian.PutUint32(frame, uint32(at/1e9))
		binary.LittleEndian.PutUint32(frame[4:], uint32(at%1e9))
		binary.LittleEndian.PutUint32(frame[8:], uint32(n))
		binary.LittleEndian.PutUint32(frame[12:], uint32(n))
		if _, err := w.Write(frame[:16+n]); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// write puts the conversation's next packet into b and returns its length.
func (c *conversation) write(b []byte, rnd *rand.Rand, payload int) int {
	from := int(c.step & 1)
	flags, size := byte(0x18), rnd.IntN(2*payload+1)
	if !c.udp {
		switch c.step {
		case 0:
			flags, size = 0x02, 0
		case 1:
			flags, size = 0x12, 0
		case 2:
			flags, size = 0x10, 0
		}
	}
	c.step++
	clear(b[:54])
	copy(b, []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0})
	ip := b[14:]
	transport, proto := 20, byte(6)
	if c.udp {
		transport, proto = 8, 17
	}
	ip[0], ip[8], ip[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(ip[2:], uint16(20+transport+size))
	src, dst, sport, dport := c.client, c.server, c.cport, c.sport
	if from == 1 {
		src, dst, sport, dport = dst, src, dport, sport
	}
	binary.BigEndian.PutUint32(ip[12:], src)
	binary.BigEndian.PutUint32(ip[16:], dst)
	l4 := ip[20:]
	binary.BigEndian.PutUint16(l4, sport)
	binary.BigEndian.PutUint16(l4[2:], dport)
	if c.udp {
		binary.BigEndian.PutUint16(l4[4:], uint16(8+size))
	} else {
		binary.BigEndian.PutUint32(l4[4:], c.seq[from])
		binary.BigEndian.PutUint32(l4[8:], c.seq[1-from])
		l4[12], l4[13] = 5<<4, flags
		binary.BigEndian.PutUint16(l4[14:], 65535)
		c.seq[from] += uint32(size)
		if flags&0x02 != 0 {
			c.seq[from]++
		}
	}
	return 14 + 20 + transport + size
}
