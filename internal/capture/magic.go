package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow is what "zstd --long" asks of a reader.
const maxZstdWindow = 128 << 20

// readAhead is how much is read at once from a compressed file, in bytes.
const readAhead = 64 << 10

func isGzip(b []byte) bool { return len(b) >= 2 && b[0] == 0x1f && b[1] == 0x8b }

func isZstd(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	magic := binary.LittleEndian.Uint32(b)
	return magic == 0xfd2fb528 || magic&^0xf == 0x184d2a50 // the latter: a frame to skip
}

func isCompressed(b []byte) bool { return isGzip(b) || isZstd(b) }

// beginStream begins to read from r, through a decompressor if need be.
func (f *File) beginStream(r io.Reader) error {
	f.streamed = true
	in := bufio.NewReaderSize(&counter{r, &f.offset}, readAhead)
	magic, err := in.Peek(4)
	if len(magic) == 0 {
		if errors.Is(err, io.EOF) {
			err = ErrEmpty
		}
		return &Error{f.name, -1, err}
	}
	switch {
	case isGzip(magic):
		z, err := gzip.NewReader(in)
		if err != nil {
			return &Error{f.name, -1, fmt.Errorf("gzip: %w", err)}
		}
		return f.begin(window{r: z})
	case isZstd(magic):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return &Error{f.name, -1, fmt.Errorf("zstd: %w", err)}
		}
		f.closers = append(f.closers, func() error { z.Close(); return nil })
		return f.begin(window{r: z})
	}
	return f.begin(window{r: in})
}

// begin reads the header of the capture, and chooses the format by it.
func (f *File) begin(win window) error {
	f.win = win
	w := &f.win
	for len(w.b) < pcapHeader {
		err := w.more()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f.ended(err)
		}
	}
	head := w.rest()
	if len(head) == 0 {
		return &Error{f.name, -1, ErrEmpty}
	}
	if len(head) >= 4 && binary.BigEndian.Uint32(head) == blockSection {
		f.format = &pcapng{file: f}
		return nil
	}
	c, ok := newPcap(f, head)
	if !ok {
		return &Error{f.name, -1, fmt.Errorf("%s: %w", foreign(head), ErrFormat)}
	}
	f.format = c
	if len(head) < pcapHeader {
		return f.errorAt(fmt.Errorf("file header of %d bytes, %d follow: the file is cut: %w", pcapHeader, len(head), io.ErrUnexpectedEOF))
	}
	if err := c.readHeader(head); err != nil {
		return f.errorAt(err)
	}
	w.off += pcapHeader
	return nil
}

// foreigners are formats that people may have and that are not read here.
var foreigners = []struct{ magic, name string }{
	{"snoop\x00\x00\x00", "a snoop capture"},
	{"btsnoop\x00", "a Bluetooth snoop capture"},
	{"RTSS", "a Network Monitor 1 capture"},
	{"GMBU", "a Network Monitor 2 capture"},
	{"XCP\x00", "a NetXRay capture"},
	{"TRSNIFF data", "a Sniffer capture"},
	{"iptrace ", "an iptrace capture"},
	{"\xac\x01\x00\x1c", "an IXIA capture"},
	{"\xab\x01\x00\x1c", "an IXIA capture"},
	{"\x1f\x8b", "compressed twice"},
	{"\x28\xb5\x2f\xfd", "compressed twice"},
	{"BZh", "compressed with bzip2"},
	{"\xfd7zXZ\x00", "compressed with xz"},
	{"\x04\x22\x4d\x18", "compressed with lz4"},
	{"PK\x03\x04", "a zip archive"},
	{"\x0c\xa5", "an nfdump file"},
	{"\x7fELF", "a program"},
}

// foreign says what a file is that begins with head.
func foreign(head []byte) string {
	for _, f := range foreigners {
		if strings.HasPrefix(string(head), f.magic) {
			return f.name
		}
	}
	return fmt.Sprintf("begins with % x", head[:min(4, len(head))])
}

// A counter counts what is read through it.
type counter struct {
	r io.Reader
	n *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}
