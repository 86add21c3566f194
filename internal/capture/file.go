// Package capture reads frames from where they were captured: pcap and pcapng
// files, plain or compressed.
package capture

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync/atomic"

	"github.com/portolan/portolan/internal/packet"
)

// maxRecord bounds what a record or block may announce, in bytes. The largest
// frame that loopback carries with segmentation offload is 512 KiB.
const maxRecord = 16 << 20

// An Interface is where frames of a file were captured.
type Interface struct {
	Name    string // "" = the file does not say
	Link    packet.LinkType
	Snap    uint32 // bytes kept of a frame at the most, 0 = all
	Section int    // of the pcapng file, from 0

	// Dropped is how many packets the capturing program says it lost, as far
	// as the file has been read.
	Dropped uint64
}

// Stats says what was read of a file.
type Stats struct {
	Packets  uint64
	Untimed  uint64 // packets without a time, or with one out of range: they got that of the packet before
	Sections uint64 // of a pcapng file
	Skipped  [NumBlocks]uint64
}

// A format reads records. Parse reads whole records from the front of b into
// dst until dst is full or b holds no further whole one. It returns how many
// frames it wrote and how many bytes it used. An error is about what stands at
// b[used:]; frames before it are good.
type format interface {
	parse(b []byte, dst []packet.Frame) (n, used int, err error)
	// cut says what b, which is not a whole record, is the beginning of.
	cut(b []byte) string
}

// A File is a capture that is being read. Size, Offset and Fingerprint may be
// called by any goroutine at any time, the rest by one at a time.
type File struct {
	name        string
	win         window
	format      format
	ifaces      []Interface
	stats       Stats
	size        int64        // of the file on disk, 0 = unknown
	offset      atomic.Int64 // read of the file on disk
	streamed    bool         // a counter keeps offset, else ReadBatch
	fingerprint string
	closers     []func() error
	err         error // what ended the file
}

// Open opens a capture file by path; "-" is standard input. A regular file
// that is not compressed is mapped into memory: it must not shrink while it is
// being read. Errors are *Error.
func Open(path string) (*File, error) {
	if path == "-" {
		return OpenReader(os.Stdin, "standard input")
	}
	h, err := os.Open(path)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return nil, &Error{path, -1, err}
	}
	f := &File{name: path}
	return f.orClose(f.open(h))
}

// open decides how h is read. It owns h.
func (f *File) open(h *os.File) error {
	info, err := h.Stat()
	if err != nil {
		return errors.Join(&Error{f.name, -1, err}, h.Close())
	}
	if info.IsDir() {
		return errors.Join(&Error{f.name, -1, ErrDirectory}, h.Close())
	}
	if info.Mode().IsRegular() && info.Size() > 0 {
		f.size = info.Size()
		if f.fingerprint, err = fingerprint(h, f.size); err != nil {
			return errors.Join(&Error{f.name, -1, err}, h.Close())
		}
		var magic [4]byte
		if n, _ := h.ReadAt(magic[:], 0); !isCompressed(magic[:n]) {
			if data, err := mapFile(h, f.size); err == nil {
				f.closers = append(f.closers, func() error { return unmapFile(data) })
				return errors.Join(f.begin(window{b: data}), h.Close())
			}
			// What cannot be mapped can still be read.
		}
	}
	f.closers = append(f.closers, h.Close)
	return f.beginStream(h)
}

// OpenReader reads a capture from r; name stands for it in errors. The caller
// closes r, after the File.
func OpenReader(r io.Reader, name string) (*File, error) {
	f := &File{name: name}
	return f.orClose(f.beginStream(r))
}

// orClose returns f, or frees what f holds if err is not nil.
func (f *File) orClose(err error) (*File, error) {
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ReadBatch fills dst with the next frames and returns how many. Of a pipe it
// waits for one frame and takes the others only if they are there. Frames are
// valid until the next call and must not be changed.
//
// The error is io.EOF at the end of the file, os.ErrClosed after Close, else
// an *Error; it comes after the last whole frame, with n = 0, and stays.
func (f *File) ReadBatch(dst []packet.Frame) (n int, err error) {
	if len(dst) == 0 {
		return 0, nil
	}
	for f.err == nil {
		n, used, err := f.format.parse(f.win.rest(), dst)
		f.win.off += used
		f.stats.Packets += uint64(n)
		switch {
		case err != nil:
			f.err = f.errorAt(err)
		case n == 0:
			if err := f.win.more(); err != nil {
				f.err = f.ended(err)
			}
		}
		if !f.streamed {
			f.offset.Store(f.win.at())
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, f.err
}

// ended returns what a reader's end means for the record that is being read.
func (f *File) ended(err error) error {
	rest := f.win.rest()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return f.errorAt(fmt.Errorf("the compressed file is cut: %w", err))
	case !errors.Is(err, io.EOF):
		return f.errorAt(err)
	case len(rest) == 0:
		return io.EOF
	}
	return f.errorAt(fmt.Errorf("%s, %d bytes follow: the file is cut: %w", f.format.cut(rest), len(rest), io.ErrUnexpectedEOF))
}

func (f *File) errorAt(err error) error { return &Error{f.name, f.win.at(), err} }

// Interfaces returns where frames were captured, by Frame.Iface, as far as the
// file has been read. The caller must not change it.
func (f *File) Interfaces() []Interface { return slices.Clip(f.ifaces) }

// Stats returns what was read so far.
func (f *File) Stats() Stats { return f.stats }

// Size returns the size of the file on disk in bytes, 0 = unknown.
func (f *File) Size() int64 { return f.size }

// Offset returns how many bytes of the file on disk have been read.
func (f *File) Offset() int64 { return f.offset.Load() }

// Fingerprint tells files with different contents apart without reading them
// whole: a hash over size, beginning and end. It is "" for a stream.
func (f *File) Fingerprint() string { return f.fingerprint }

// Close frees what the file holds. Frames are invalid from then on.
func (f *File) Close() error {
	var errs []error
	for _, c := range slices.Backward(f.closers) {
		errs = append(errs, c())
	}
	f.closers, f.win, f.err = nil, window{}, os.ErrClosed
	return errors.Join(errs...)
}
