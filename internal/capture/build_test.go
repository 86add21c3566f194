package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/portolan/portolan/internal/packet"
)

// unhex decodes hex with spaces and "# comments".
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	var b []byte
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		part, err := hex.DecodeString(strings.Join(strings.Fields(line), ""))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, part...)
	}
	return b
}

// pcapFile returns a classic little-endian capture of the given frames, one a
// millisecond.
func pcapFile(frames ...[]byte) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = le.AppendUint32(b, 65535)
	b = le.AppendUint32(b, 1)
	for i, f := range frames {
		b = le.AppendUint32(b, 1_700_000_000)
		b = le.AppendUint32(b, uint32(i)*1000)
		b = le.AppendUint32(b, uint32(len(f)))
		b = le.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	return b
}

// block returns a pcapng block.
func block(order binary.AppendByteOrder, kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	size := uint32(len(body) + blockOverhead)
	b := order.AppendUint32(nil, kind)
	b = order.AppendUint32(b, size)
	b = append(b, body...)
	return order.AppendUint32(b, size)
}

// option returns a pcapng option.
func option(order binary.AppendByteOrder, code uint16, value ...byte) []byte {
	b := order.AppendUint16(nil, code)
	b = order.AppendUint16(b, uint16(len(value)))
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func sectionBlock(order binary.AppendByteOrder) []byte {
	b := order.AppendUint32(nil, sectionMagic)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, 0)
	return block(order, blockSection, order.AppendUint64(b, ^uint64(0)))
}

func interfaceBlock(order binary.AppendByteOrder, link uint16, snap uint32, options ...[]byte) []byte {
	b := order.AppendUint16(nil, link)
	b = order.AppendUint16(b, 0)
	b = order.AppendUint32(b, snap)
	return block(order, blockInterface, append(b, bytes.Join(options, nil)...))
}

func enhancedBlock(order binary.AppendByteOrder, iface uint32, stamp uint64, wire uint32, data []byte) []byte {
	b := order.AppendUint32(nil, iface)
	b = order.AppendUint32(b, uint32(stamp>>32))
	b = order.AppendUint32(b, uint32(stamp))
	b = order.AppendUint32(b, uint32(len(data)))
	b = order.AppendUint32(b, wire)
	return block(order, blockEnhanced, append(b, data...))
}

// readAll reads all frames, copied, in batches of size.
func readAll(f *File, size int) ([]packet.Frame, error) {
	var all []packet.Frame
	dst := make([]packet.Frame, size)
	for {
		n, err := f.ReadBatch(dst)
		for _, fr := range dst[:n] {
			fr.Data = append([]byte{}, fr.Data...)
			all = append(all, fr)
		}
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// openBytes opens b as a mapped file would be.
func openBytes(b []byte) (*File, error) {
	f := &File{name: "x", size: int64(len(b))}
	return f.orClose(f.begin(window{b: b}))
}

// A dripper is a slow pipe: it gives n bytes at a time.
type dripper struct {
	r io.Reader
	n int
}

func (d dripper) Read(p []byte) (int, error) { return d.r.Read(p[:min(d.n, len(p))]) }
