package capture

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/portolan/portolan/internal/packet"
)

// Sizes of the classic format's headers in bytes (draft-ietf-opsawg-pcap).
const (
	pcapHeader     = 24
	pcapRecord     = 16
	modifiedRecord = 24 // of Kuznetzov's form, which old Linux systems wrote
)

// A pcap is the classic format, in one of its forms.
type pcap struct {
	file    *File
	swapped bool  // big-endian
	old     bool  // before version 2.4: the two lengths may be exchanged
	unit    int64 // ns of a unit of the fraction
	header  int   // bytes of a record's header
	link    packet.LinkType
}

// newPcap returns the form of pcap that head announces.
func newPcap(f *File, head []byte) (*pcap, bool) {
	if len(head) < 4 {
		return nil, false
	}
	c := &pcap{file: f, unit: 1000, header: pcapRecord}
	magic := binary.LittleEndian.Uint32(head)
	switch magic {
	case 0xd4c3b2a1, 0x4d3cb2a1, 0x34cdb2a1:
		c.swapped = true
		magic = bits.ReverseBytes32(magic)
	}
	switch magic {
	case 0xa1b2c3d4:
	case 0xa1b23c4d:
		c.unit = 1
	case 0xa1b2cd34:
		c.header = modifiedRecord
	default:
		return nil, false
	}
	return c, true
}

// readHeader reads the file header, of which head holds all.
func (c *pcap) readHeader(head []byte) error {
	var order binary.ByteOrder = binary.LittleEndian
	if c.swapped {
		order = binary.BigEndian
	}
	major, minor := order.Uint16(head[4:]), order.Uint16(head[6:])
	if major != 2 {
		return fmt.Errorf("pcap version %d.%d: only 2.x is read: %w", major, minor, ErrFormat)
	}
	c.old = minor < 4
	c.link = packet.LinkType(order.Uint32(head[20:])) // the upper bits are about the FCS
	c.file.ifaces = []Interface{{Link: c.link, Snap: order.Uint32(head[16:])}}
	return nil
}

func (c *pcap) parse(b []byte, dst []packet.Frame) (n, used int, err error) {
	for n < len(dst) {
		if len(b)-used < c.header {
			break
		}
		head := b[used : used+pcapRecord : used+pcapRecord]
		time, lengths := binary.LittleEndian.Uint64(head), binary.LittleEndian.Uint64(head[8:])
		if c.swapped {
			time, lengths = swapWords(time), swapWords(lengths)
		}
		captured, wire := uint32(lengths), uint32(lengths>>32)
		if c.old && captured > wire {
			captured, wire = wire, captured
		}
		if captured > maxRecord {
			return n, used, fmt.Errorf("record announces %d bytes: more than %d", captured, maxRecord)
		}
		end := used + c.header + int(captured)
		if end > len(b) {
			break
		}
		f := &dst[n]
		f.Data = b[used+c.header : end : end]
		f.Time = int64(uint32(time))*1e9 + int64(time>>32)*c.unit
		f.Wire, f.Iface, f.Link, f.VLAN = wire, 0, c.link, 0
		used = end
		n++
	}
	return n, used, nil
}

func (c *pcap) cut(b []byte) string {
	if len(b) < c.header {
		return fmt.Sprintf("record header of %d bytes", c.header)
	}
	lengths := binary.LittleEndian.Uint64(b[8:])
	if c.swapped {
		lengths = swapWords(lengths)
	}
	captured := uint32(lengths)
	if c.old {
		captured = min(captured, uint32(lengths>>32))
	}
	return fmt.Sprintf("record of %d bytes", c.header+int(captured))
}

// swapWords reverses the bytes of both halves of x.
func swapWords(x uint64) uint64 { return bits.RotateLeft64(bits.ReverseBytes64(x), 32) }
