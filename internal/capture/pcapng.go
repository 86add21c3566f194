package capture

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/bits"
	"strings"

	"github.com/portolan/portolan/internal/packet"
)

// maxInterfaces bounds the interfaces of a file: more than any machine has.
const maxInterfaces = 1 << 16

// maxBlock bounds what a block may announce: room for the largest record and
// what goes with it.
const maxBlock = maxRecord + 1024

// blockOverhead is how many bytes of a block are not its body: type, and the
// length in front and at the end.
const blockOverhead = 12

// Codes of options (draft-ietf-opsawg-pcapng).
const (
	optEnd         = 0
	optName        = 2  // if_name
	optDropped     = 5  // isb_ifdrop
	optResolution  = 9  // if_tsresol
	optTimeOffset  = 14 // if_tsoffset, in seconds
	optHeader      = 4  // bytes before an option's value
	sectionMagic   = 0x1a2b3c4d
	sectionMinimum = 28 // bytes of a section header block
)

// A pcapng is the state of reading a pcapng file.
type pcapng struct {
	file    *File
	swapped bool    // big-endian section
	first   int     // index in File.ifaces of the section's first interface
	clocks  []clock // of the section's interfaces
	last    int64   // time of the previous packet, for those without
}

func (g *pcapng) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if g.swapped {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (g *pcapng) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if g.swapped {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (g *pcapng) parse(b []byte, dst []packet.Frame) (n, used int, err error) {
	for n < len(dst) {
		rest := b[used:]
		if len(rest) < blockOverhead {
			break
		}
		kind := g.u32(rest)
		if kind == blockSection { // its type is a palindrome
			if err := g.setOrder(rest); err != nil {
				return n, used, err
			}
		}
		size := g.u32(rest[4:])
		if err := checkSize(size, kind); err != nil {
			return n, used, err
		}
		if uint64(size) > uint64(len(rest)) {
			break
		}
		if end := g.u32(rest[size-4:]); end != size {
			return n, used, fmt.Errorf("block announces %d bytes in front and %d at its end: must be equal", size, end)
		}
		body := rest[8 : size-4 : size-4]
		switch kind {
		case blockEnhanced, blockPacket, blockSimple:
			if err := g.packet(&dst[n], kind, body); err != nil {
				return n, used, err
			}
			n++
		case blockSection:
			err = g.section(body)
		case blockInterface:
			err = g.iface(body)
		default:
			g.skip(kind, body)
		}
		if err != nil {
			return n, used, err
		}
		used += int(size)
	}
	return n, used, nil
}

// checkSize says what is wrong with the length of a block.
func checkSize(size, kind uint32) error {
	least := uint32(blockOverhead)
	if kind == blockSection {
		least = sectionMinimum
	}
	switch {
	case size > maxBlock:
		return fmt.Errorf("block announces %d bytes: more than %d", size, maxBlock)
	case size < least:
		return fmt.Errorf("block announces %d bytes: less than %d", size, least)
	case size%4 != 0:
		return fmt.Errorf("block announces %d bytes: not a multiple of 4", size)
	}
	return nil
}

func (g *pcapng) cut(b []byte) string {
	if len(b) < blockOverhead {
		return fmt.Sprintf("block of %d bytes or more", blockOverhead)
	}
	return fmt.Sprintf("block of %d bytes", g.u32(b[4:]))
}

// setOrder sets the byte order of the section that begins with b.
func (g *pcapng) setOrder(b []byte) error {
	switch magic := b[8:blockOverhead]; {
	case binary.LittleEndian.Uint32(magic) == sectionMagic:
		g.swapped = false
	case binary.BigEndian.Uint32(magic) == sectionMagic:
		g.swapped = true
	default:
		return fmt.Errorf("section with byte-order magic % x: %w", magic, ErrFormat)
	}
	return nil
}

// section begins a section, whose interfaces are its own.
func (g *pcapng) section(body []byte) error {
	major, minor := g.u16(body[4:]), g.u16(body[6:])
	if major != 1 || minor != 0 && minor != 2 { // some programs wrote 1.2 for what is 1.0
		return fmt.Errorf("pcapng version %d.%d: only 1.0 and 1.2 are read: %w", major, minor, ErrFormat)
	}
	g.first, g.clocks = len(g.file.ifaces), g.clocks[:0]
	g.file.stats.Sections++
	return nil
}

// options yields code and value of the options in b, as far as they are sound.
func (g *pcapng) options(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= optHeader {
			code, n := g.u16(b), int(g.u16(b[2:]))
			if code == optEnd || len(b) < optHeader+n || !yield(code, b[optHeader:optHeader+n]) {
				return
			}
			b = b[min(optHeader+(n+3)&^3, len(b)):]
		}
	}
}

// iface reads an interface description block.
func (g *pcapng) iface(body []byte) error {
	if len(body) < 8 {
		return fmt.Errorf("interface block with %d bytes: less than 8", len(body))
	}
	if len(g.file.ifaces) >= maxInterfaces {
		return fmt.Errorf("another interface: more than %d", maxInterfaces)
	}
	i := Interface{
		Link:    packet.LinkType(g.u16(body)),
		Snap:    g.u32(body[4:]),
		Section: int(g.file.stats.Sections) - 1,
	}
	c := defaultClock
	for code, value := range g.options(body[8:]) {
		switch {
		case code == optName:
			i.Name = strings.ToValidUTF8(strings.TrimRight(string(value), "\x00"), "\ufffd")
		case code == optResolution && len(value) == 1:
			c.setResolution(value[0])
		case code == optTimeOffset && len(value) == 8:
			c.offset = int64(g.u64(value))
		}
	}
	g.file.ifaces, g.clocks = append(g.file.ifaces, i), append(g.clocks, c)
	return nil
}

// u64 reads a whole number of 64 bits; time stamps are two halves instead.
func (g *pcapng) u64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if g.swapped {
		v = bits.ReverseBytes64(v)
	}
	return v
}

// skip counts a block without packets, and takes from it what was dropped.
func (g *pcapng) skip(kind uint32, body []byte) {
	g.file.stats.Skipped[skippedBlock(kind)]++
	if kind != blockStatistics || len(body) < 12 {
		return
	}
	index := g.u32(body)
	if uint64(index) >= uint64(len(g.clocks)) {
		return
	}
	for code, value := range g.options(body[12:]) {
		if code == optDropped && len(value) == 8 {
			g.file.ifaces[g.first+int(index)].Dropped = g.u64(value) // a total, not a difference
		}
	}
}

// packet reads one of the three kinds of packet blocks.
func (g *pcapng) packet(dst *packet.Frame, kind uint32, body []byte) error {
	fixed := 20
	if kind == blockSimple {
		fixed = 4
	}
	if len(body) < fixed {
		return fmt.Errorf("packet block with %d bytes: less than %d", len(body), fixed)
	}
	var index uint32
	switch kind {
	case blockEnhanced:
		index = g.u32(body)
	case blockPacket:
		index = uint32(g.u16(body))
	}
	if uint64(index) >= uint64(len(g.clocks)) {
		return fmt.Errorf("packet of interface %d: the section has %d", index, len(g.clocks))
	}
	iface := &g.file.ifaces[g.first+int(index)]
	room := uint32(len(body) - fixed)
	var captured, wire uint32
	if kind == blockSimple {
		wire = g.u32(body)
		captured = min(wire, room)
		if iface.Snap > 0 {
			captured = min(captured, iface.Snap)
		}
		g.file.stats.Untimed++
	} else {
		captured, wire = g.u32(body[12:]), g.u32(body[16:])
		if captured > room {
			return fmt.Errorf("packet announces %d bytes: its block has %d", captured, room)
		}
		g.time(index, body)
	}
	end := fixed + int(captured)
	dst.Data = body[fixed:end:end]
	dst.Time, dst.Wire, dst.Iface, dst.Link, dst.VLAN = g.last, wire, uint32(g.first)+index, iface.Link, 0
	return nil
}

// time sets g.last to the time of a packet block.
func (g *pcapng) time(index uint32, body []byte) {
	t, ok := g.clocks[index].ns(uint64(g.u32(body[4:]))<<32 | uint64(g.u32(body[8:])))
	if !ok {
		g.file.stats.Untimed++
		return
	}
	g.last = t
}
