package ring

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/portolan/portolan/internal/packet"
)

// BenchmarkReadBatch measures what the reader does for a frame of 60 bytes
// that waits in the ring; the kernel's own work is not in it. Time of the
// thread counts, for on a machine that does other things, too, the clock says
// little.
func BenchmarkReadBatch(b *testing.B) {
	for name, decode := range map[string]bool{"read": false, "decode": true} {
		b.Run(name, func(b *testing.B) {
			veth(b, "va", "vb")
			r := start(b, Config{Interface: "vb", Blocks: DefaultBlocks, BlockSize: DefaultBlockSize})
			s, f := newSender(b, "va"), ether(macB, nil, 0x0800, udp4(1, 2, 3, 4, 18))
			const fill = 200_000
			batch, h := make([]packet.Frame, 64), packet.Headers{}
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var used time.Duration
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; done += fill {
				b.StopTimer()
				for range fill {
					s.send(b, f)
				}
				from := threadTime(b)
				b.StartTimer()
				for left := min(fill, b.N-done); left > 0; {
					n, err := r.ReadBatch(batch)
					if err != nil {
						b.Fatal(err)
					}
					if n == 0 {
						break // the sender's kernel lost some
					}
					if decode {
						for i := range batch[:n] {
							h.Decode(&batch[i])
						}
					}
					left -= n
				}
				b.StopTimer()
				used += threadTime(b) - from
				for n := 1; n > 0; { // what is left of the fill
					n, _ = r.ReadBatch(batch)
				}
				b.StartTimer()
			}
			b.StopTimer()
			if r.Stats().Drops > 0 {
				b.Errorf("%+v", r.Stats())
			}
			b.ReportMetric(float64(b.N)/used.Seconds()/1e6, "Mframes/cpu-s")
		})
	}
}

// threadTime returns how long this thread has run, in user mode and kernel.
func threadTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
