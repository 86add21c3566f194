// Command cut turns what tcpdump wrote in the lab into the pcapng files that
// ship: all of it, without its beginning, or with VLAN tags as a trunk port
// would have shown it.
//
// Usage: cut [-from DURATION] [-tag] -o OUT.pcapng IN.pcap
package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"log"
	"os"
	"time"

	"github.com/gopacket/gopacket/pcapgo"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("cut: ")
	out := flag.String("o", "", "write this pcapng `file`")
	from := flag.Duration("from", 0, "leave out frames before this time since the first")
	tag := flag.Bool("tag", false, "add 802.1Q tags")
	flag.Parse()
	if *out == "" || flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := cut(*out, flag.Arg(0), *from, *tag); err != nil {
		log.Fatal(err)
	}
}

func cut(outName, inName string, from time.Duration, tag bool) (err error) {
	in, err := os.Open(inName)
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := pcapgo.NewReader(in)
	if err != nil {
		return err
	}
	file, err := os.Create(outName)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w, err := pcapgo.NewNgWriterInterface(file,
		pcapgo.NgInterface{Name: "lab", Description: "mirror of every port of the lab's bridge", LinkType: r.LinkType(), SnapLength: r.Snaplen()},
		pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: "tcpdump, e2e/lab/cut"}})
	if err != nil {
		return err
	}
	var start time.Time
	for {
		data, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if start.IsZero() {
			start = ci.Timestamp
		}
		if ci.Timestamp.Sub(start) < from {
			continue
		}
		if tag && len(data) >= 14 {
			data = tagged(data)
			data = data[:min(len(data), int(r.Snaplen()))]
			ci.Length, ci.CaptureLength = ci.Length+4, len(data)
		}
		ci.InterfaceIndex = 0
		if err := w.WritePacket(ci, data); err != nil {
			return err
		}
	}
	return w.Flush()
}

// tagged returns a frame with the tag of its VLAN (IEEE 802.1Q).
func tagged(frame []byte) []byte {
	out := append(make([]byte, 0, len(frame)+4), frame[:12]...)
	out = append(out, 0x81, 0)
	out = binary.BigEndian.AppendUint16(out, vlan(frame))
	return append(out, frame[12:]...)
}

// vlan tells where a frame belongs by the last byte of its MAC addresses, the
// host's number: 10 to and from the router and PCs, 20 to and from those who
// look after the others (admin, monitor, backup), 30 among servers. Both
// directions get the same; what goes to a group goes by its sender alone.
func vlan(frame []byte) uint16 {
	ends := []byte{frame[11]}
	if frame[0]&1 == 0 {
		ends = append(ends, frame[5])
	}
	id := uint16(30)
	for _, n := range ends {
		switch {
		case n == 1 || n > 100:
			return 10
		case n == 60 || n == 70 || n == 90:
			id = 20
		}
	}
	return id
}
