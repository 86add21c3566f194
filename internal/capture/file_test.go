package capture

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/portolan/portolan/internal/packet"
)

func gzipped(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, part := range parts { // a member each
		w := gzip.NewWriter(&out)
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func zstded(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var out []byte
	for _, part := range parts {
		out = w.EncodeAll(part, out)
	}
	return out
}

// sample is larger than a window, with a record that is larger, too.
func sample() []byte {
	var frames [][]byte
	for i := range 5000 {
		frames = append(frames, bytes.Repeat([]byte{byte(i)}, i%200))
	}
	return pcapFile(append(frames, make([]byte, 3*windowSize), []byte{1})...)
}

func TestCompressed(t *testing.T) {
	plain := sample()
	f, err := openBytes(plain)
	if err != nil {
		t.Fatal(err)
	}
	want, err := readAll(f, 64)
	if err != nil || len(want) != 5002 {
		t.Fatalf("%d frames: %v", len(want), err)
	}
	half := len(plain) / 3
	for name, content := range map[string][]byte{
		"plain":     plain,
		"gzip":      gzipped(t, plain),
		"gzip two":  gzipped(t, plain[:half], plain[half:]),
		"zstd":      zstded(t, plain),
		"zstd two":  zstded(t, plain[:half], plain[half:]),
		"zstd skip": append([]byte{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9}, zstded(t, plain)...),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "capture") // the name says nothing
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAll(f, 64)
			if err != nil {
				t.Error(err)
			}
			if !reflect.DeepEqual(want, got) {
				t.Error("frames differ from those of the plain file")
			}
			if f.Size() != int64(len(content)) || f.Offset() != f.Size() {
				t.Errorf("read %d of %d bytes, want all %d", f.Offset(), f.Size(), len(content))
			}
			if f.Fingerprint() == "" {
				t.Error("no fingerprint")
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if _, err := f.ReadBatch(make([]packet.Frame, 1)); !errors.Is(err, os.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
			if err := f.Close(); err != nil {
				t.Errorf("second Close: %v", err)
			}
		})
	}
}

func TestCompressedCut(t *testing.T) {
	plain := sample()
	for name, content := range map[string][]byte{"gzip": gzipped(t, plain[:100_000]), "zstd": zstded(t, plain[:100_000])} {
		var got []packet.Frame
		f, err := OpenReader(bytes.NewReader(content[:len(content)/2]), "x")
		if err == nil { // not when the first block is cut
			got, err = readAll(f, 64)
		}
		if _, ok := errors.AsType[*Error](err); !ok || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: error %v after %d frames, want unexpected EOF", name, err, len(got))
		}
	}
	broken := gzipped(t, plain)
	broken[len(broken)-5] ^= 1 // in the checksum
	f, err := OpenReader(bytes.NewReader(broken), "x")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(f, 64); !errors.Is(err, gzip.ErrChecksum) || len(got) != 5002 {
		t.Errorf("%d frames, error %v, want a checksum error after all 5002", len(got), err)
	}
}

// TestPipe checks that a frame is delivered when it is there, not when a
// buffer is full.
func TestPipe(t *testing.T) {
	r, w := io.Pipe()
	all := pcapFile([]byte{1}, []byte{2})
	first := len(pcapFile([]byte{1}))
	more := make(chan struct{})
	go func() {
		w.Write(all[:first+3]) //nolint:errcheck // the reader sees what is missing
		<-more
		w.Write(all[first+3:]) //nolint:errcheck // as above
		w.Close()
	}()
	f, err := OpenReader(r, "x")
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]packet.Frame, 8)
	for want := byte(1); want <= 2; want++ {
		n, err := f.ReadBatch(dst)
		if err != nil || n != 1 || dst[0].Data[0] != want {
			t.Fatalf("%d frames, error %v, want frame %d", n, err, want)
		}
		if want == 1 {
			close(more)
		}
	}
	if _, err := f.ReadBatch(dst); !errors.Is(err, io.EOF) {
		t.Errorf("error %v, want EOF", err)
	}
}

func TestFailingReader(t *testing.T) {
	broken := errors.New("cable pulled")
	r := io.MultiReader(bytes.NewReader(pcapFile([]byte{1})), errReader{broken})
	f, err := OpenReader(r, "x")
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(f, 4)
	if len(got) != 1 || !errors.Is(err, broken) || err.Error() != "x: offset 41: cable pulled" {
		t.Errorf("%d frames, error %v", len(got), err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestFingerprint(t *testing.T) {
	prints := map[string]string{}
	for _, content := range []string{"a", "b", "aa", string(make([]byte, 1<<20)), string(make([]byte, 1<<20)) + "a"} {
		p, err := fingerprint(bytes.NewReader([]byte(content)), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		if len(p) != 32 || prints[p] != "" {
			t.Errorf("fingerprint %q of two contents", p)
		}
		prints[p] = content
	}
}

func TestReadBatchAllocates0(t *testing.T) {
	for name, content := range map[string][]byte{"pcap": sample(), "pcapng": ngFile(5000)} {
		f, err := openBytes(content)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]packet.Frame, 16)
		if _, err := f.ReadBatch(dst); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(50, func() {
			if n, err := f.ReadBatch(dst); n == 0 || err != nil {
				t.Fatal(n, err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a batch", name, n)
		}
	}
}
