//go:build conformance && ndpi

package ndpi

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/portolan/portolan/internal/capture"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
	binding "github.com/portolan/portolan/internal/l7/ndpi"
	"github.com/portolan/portolan/internal/meter"
	"github.com/portolan/portolan/internal/packet"
	"github.com/portolan/portolan/internal/pipeline"
)

// readEnv makes the test program read a capture with nDPI, and nothing else, so
// that its processor time can be taken.
const readEnv = "PORTOLAN_NDPI_READ"

func TestMain(m *testing.M) {
	path := os.Getenv(readEnv)
	if path == "" {
		os.Exit(m.Run())
	}
	if err := readAlone(path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func readAlone(path string) error {
	src, err := capture.Open(path)
	if err != nil {
		return err
	}
	defer src.Close()
	id, err := binding.New(binding.Config{})
	if err != nil {
		return err
	}
	defer id.Close()
	cfg := meter.Default()
	cfg.Identifier, cfg.Guess, cfg.Registered = id, id.Guess, l7.Registered
	records := 0
	c, _, err := pipeline.Read(context.Background(), src, cfg, flow.SinkFunc(func(_ context.Context, b *flow.Batch) error {
		records += len(b.Records)
		return nil
	}), nil)
	s := id.Stats()
	fmt.Printf("%d packets, %d records, %d packets shown to nDPI, %d conversations named, %d unknown",
		c.Frames, records, s.Packets, s.Named, s.Unknown)
	return err
}

// copies is how often all public captures are read, under other addresses.
const copies = 32

// BenchmarkBesideNdpiReader takes turns with ndpiReader on the same file, and
// reports the median of our processor time over its: a third is the aim.
//
//	go test -tags 'conformance ndpi' -run '^$' -bench . -benchtime 5x ./e2e/ndpi
func BenchmarkBesideNdpiReader(b *testing.B) {
	needReader(b)
	path := filepath.Join(b.TempDir(), "all.pcap")
	if err := multiply(path, captures(b, "pcaps-ndpi")); err != nil {
		b.Fatal(err)
	}
	var shares []float64
	for b.Loop() {
		us, said := processorTime(b, []string{readEnv + "=" + path}, os.Args[0])
		them, _ := processorTime(b, nil, "ndpiReader", "-q", "-i", path)
		shares = append(shares, us.Seconds()/them.Seconds())
		b.Logf("ours %v, ndpiReader %v; %s", us, them, said)
	}
	slices.Sort(shares)
	b.ReportMetric(shares[len(shares)/2], "share")
}

// processorTime runs a program and returns what it took and said.
func processorTime(t testing.TB, env []string, name string, args ...string) (time.Duration, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), string(out)
}

// multiply writes the Ethernet frames of all captures into one, copies times
// under other addresses, ten microseconds apart.
func multiply(path string, files []string) (err error) {
	h, err := os.Create(path)
	if err != nil {
		return err
	}
	defer h.Close()
	w := bufio.NewWriterSize(h, 1<<20)
	// Magic, version 2.4, zone, accuracy, snaplen, link type.
	for _, v := range []uint32{0xa1b2c3d4, 4<<16 | 2, 0, 0, 1 << 18, uint32(packet.LinkEthernet)} {
		w.Write(binary.LittleEndian.AppendUint32(nil, v))
	}
	number := 0
	for n := range byte(copies) {
		for _, file := range files {
			if number, err = appendFrames(w, file, n, number); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}

func appendFrames(w *bufio.Writer, file string, n byte, number int) (int, error) {
	src, err := capture.Open(file)
	if err != nil {
		return number, err
	}
	defer src.Close()
	frames := make([]packet.Frame, 64)
	for {
		k, err := src.ReadBatch(frames)
		for i := range k {
			f := &frames[i]
			var h packet.Headers
			if h.Decode(f); h.Reason != packet.None || h.Tunnelled || h.ICMPError || f.Link != packet.LinkEthernet {
				continue
			}
			data := slices.Clone(f.Data)
			// The second byte of both addresses.
			first := int(h.IPOffset) + 12
			step := 4
			if data[h.IPOffset]>>4 == 6 {
				first, step = int(h.IPOffset)+8, 16
			}
			data[first+1] ^= n << 4
			data[first+1+step] ^= n << 4
			number++
			var head []byte
			for _, v := range []uint32{uint32(1.7e9) + uint32(number/1e5), uint32(number%1e5) * 10, uint32(len(data)), max(f.Wire, uint32(len(data)))} {
				head = binary.LittleEndian.AppendUint32(head, v)
			}
			w.Write(head)
			if _, err := w.Write(data); err != nil {
				return number, err
			}
		}
		if err == io.EOF {
			return number, nil
		}
		if err != nil {
			return number, nil // what comes before the damage is enough
		}
	}
}
