package meter

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func newMapping(n int) (mapping, error) {
	m, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("meter: map %d bytes of memory: %w", n, err)
	}
	// 4 KiB pages cost 30 % more a packet at a million flows; a kernel without
	// huge pages refuses, and that is all right.
	_ = unix.Madvise(m, unix.MADV_HUGEPAGE)
	return m, nil
}

func (m mapping) free() {
	if m != nil {
		_ = unix.Munmap(m) // fails for a bug alone: m came from Mmap
	}
}
