package capture

import (
	"errors"
	"fmt"
)

var (
	// ErrFormat is wrapped when a file is no capture, or none of the formats
	// that are read here.
	ErrFormat = errors.New("not a pcap or pcapng file")
	// ErrEmpty is wrapped when a file has no bytes.
	ErrEmpty = errors.New("file is empty")
	// ErrDirectory is wrapped when a path names a folder.
	ErrDirectory = errors.New("is a folder")
)

// An Error says where a capture stopped making sense. It wraps
// io.ErrUnexpectedEOF when the file ends within a record, and one of the
// errors above, or the operating system's, where they fit.
type Error struct {
	File   string
	Offset int64 // in the capture, uncompressed; -1 = the file as a whole
	Err    error // what was found there, and the cause
}

func (e *Error) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s: offset %d: %v", e.File, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
