package capture

import "io"

// windowSize is how much of a stream is held at first: room for many records
// of usual size. The window doubles to hold a larger record.
const windowSize = 256 << 10

// A window is the part of a capture that can be looked at: of a mapped file
// all of it, of a stream what was read ahead.
type window struct {
	b    []byte
	off  int       // next unread byte in b
	base int64     // where b[0] lies in the capture
	r    io.Reader // nil = b is all there is
}

// rest returns what is unread in the window.
func (w *window) rest() []byte { return w.b[w.off:len(w.b):len(w.b)] }

// at is the place of the next unread byte in the capture.
func (w *window) at() int64 { return w.base + int64(w.off) }

// more waits for more bytes of a stream. It moves what is unread to the front:
// slices that were taken before become invalid. The error is io.EOF at the end.
func (w *window) more() error {
	if w.r == nil {
		return io.EOF
	}
	if w.off > 0 {
		w.base += int64(w.off)
		w.b = w.b[:copy(w.b, w.rest())]
		w.off = 0
	}
	// The size follows what was read, never what a header announces.
	if len(w.b) == cap(w.b) {
		grown := make([]byte, len(w.b), max(windowSize, 2*cap(w.b)))
		copy(grown, w.b)
		w.b = grown
	}
	for range 100 {
		n, err := w.r.Read(w.b[len(w.b):cap(w.b)])
		w.b = w.b[:len(w.b)+n]
		if n > 0 {
			return nil // an error comes again
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}
