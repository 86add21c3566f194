//go:build unix

package capture

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps the first size bytes of a regular file into memory.
func mapFile(h *os.File, size int64) ([]byte, error) {
	if int64(int(size)) != size {
		return nil, fmt.Errorf("%d bytes: more than this machine can map", size)
	}
	data, err := unix.Mmap(int(h.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	unix.Madvise(data, unix.MADV_SEQUENTIAL) //nolint:errcheck // without the advice reading is slower, not wrong
	return data, nil
}

func unmapFile(data []byte) error { return unix.Munmap(data) }
