package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/portolan/portolan/internal/packet"
)

// benchFrames is how many frames of 60 bytes a benchmark walks.
const benchFrames = 1 << 20

func bigPcap() []byte {
	frames := make([][]byte, benchFrames)
	for i := range frames {
		frames[i] = make([]byte, 60)
	}
	return pcapFile(frames...)
}

func ngFile(frames int) []byte {
	le := binary.LittleEndian
	b := append(sectionBlock(le), interfaceBlock(le, 1, 0)...)
	one := enhancedBlock(le, 0, 1_700_000_000_000_000, 60, make([]byte, 60))
	return append(b, bytes.Repeat(one, frames)...)
}

// BenchmarkWalk reads mapped files from the page cache.
func BenchmarkWalk(b *testing.B) {
	for name, content := range map[string][]byte{"pcap": bigPcap(), "pcapng": ngFile(benchFrames), "gzip": gzipped(b, bigPcap()), "zstd": zstded(b, bigPcap())} {
		path := filepath.Join(b.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(content)))
			dst := make([]packet.Frame, 64)
			for b.Loop() {
				f, err := Open(path)
				if err != nil {
					b.Fatal(err)
				}
				frames := 0
				for {
					n, err := f.ReadBatch(dst)
					frames += n
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				if err := f.Close(); err != nil || frames != benchFrames {
					b.Fatal(frames, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchFrames, "ns/packet")
		})
	}
}

// BenchmarkParse walks captures that lie in memory: the walk without the
// operating system's part.
func BenchmarkParse(b *testing.B) {
	for name, content := range map[string][]byte{"pcap": bigPcap(), "pcapng": ngFile(benchFrames)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			f, err := openBytes(content)
			if err != nil {
				b.Fatal(err)
			}
			start := f.win
			dst := make([]packet.Frame, 64)
			for b.Loop() {
				f.win, f.err = start, nil
				for {
					if _, err := f.ReadBatch(dst); err != nil {
						break
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchFrames, "ns/packet")
		})
	}
}
