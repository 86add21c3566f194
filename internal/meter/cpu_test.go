package meter

import (
	"fmt"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func cpu() int64 {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_THREAD, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

func TestCPU(t *testing.T) {
	runtime.LockOSThread()
	for _, c := range []struct {
		flows uint64
		six   bool
	}{{1000, false}, {100_000, false}, {1_000_000, false}, {1_000_000, true}} {
		for _, u := range []bool{false, true} {
			g := newGenerator(c.flows, c.six)
			tb := benchTable(t, g)
			tb.unhurried = u
			best, bestg := 1e9, 1e9
			for range 5 {
				const n = 40000
				a := cpu()
				for range n {
					tb.Observe(nil, g.next())
				}
				b := cpu()
				for range n {
					g.next()
				}
				d := cpu()
				best = min(best, float64(b-a)/(n*batchSize))
				bestg = min(bestg, float64(d-b)/(n*batchSize))
			}
			fmt.Printf("flows %d six %v prefetch %v: %.1f - %.1f = %.1f ns/packet\n", c.flows, c.six, !u, best, bestg, best-bestg)
			tb.Close()
		}
	}
}
