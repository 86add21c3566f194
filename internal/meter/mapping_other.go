//go:build !linux

package meter

import "unsafe"

func newMapping(n int) (mapping, error) {
	b := make([]uint64, (n+7)/8) // aligned for what view makes of it
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(b))), len(b)*8), nil
}

func (mapping) free() {}
