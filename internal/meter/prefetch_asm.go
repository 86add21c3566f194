//go:build amd64 || arm64

package meter

// prefetch asks for the cache lines at n addresses from addrs on, and does not
// wait for them. An address that is none does no harm.
//
//go:noescape
func prefetch(addrs *uintptr, n int)
