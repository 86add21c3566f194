//go:build !amd64 && !arm64

package meter

// prefetch does nothing here: the table is right without it, only slower when
// it does not fit the cache.
func prefetch(*uintptr, int) {}
