package meter

import "unsafe"

// A mapping is zeroed memory outside of the Go heap where there is such:
// nothing for the garbage collector to look at, in huge pages if the system
// has them, and taken from the system as it is first written.
type mapping []byte

// view returns a mapping as n values of T, which must hold no pointers.
func view[T any](m mapping, n int) []T {
	var zero T
	if n*int(unsafe.Sizeof(zero)) > len(m) {
		panic("BUG: meter: a view is larger than its memory")
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(m))), n)
}

// size returns the bytes of n values of T.
func size[T any](n int) int {
	var zero T
	return n * int(unsafe.Sizeof(zero))
}
