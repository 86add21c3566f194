package ring

import (
	"testing"

	"github.com/portolan/portolan/internal/packet"
)

// BenchmarkReadBatch measures what the reader does for a frame of 60 bytes
// that waits in the ring; the kernel's own work is not in it.
func BenchmarkReadBatch(b *testing.B) {
	for name, decode := range map[string]bool{"read": false, "decode": true} {
		b.Run(name, func(b *testing.B) {
			veth(b, "va", "vb")
			r := start(b, Config{Interface: "vb", Blocks: DefaultBlocks, BlockSize: DefaultBlockSize})
			s, f := newSender(b, "va"), ether(macB, nil, 0x0800, udp4(1, 2, 3, 4, 18))
			const fill = 200_000
			batch, h := make([]packet.Frame, 64), packet.Headers{}
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; done += fill {
				b.StopTimer()
				for range fill {
					s.send(b, f)
				}
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
				for n := 1; n > 0; { // what is left of the fill
					n, _ = r.ReadBatch(batch)
				}
				b.StartTimer()
			}
			b.StopTimer()
			if r.Stats().Drops > 0 {
				b.Errorf("%+v", r.Stats())
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mframes/s")
		})
	}
}
