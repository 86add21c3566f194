//go:build unix

package parquet

import (
	"errors"
	"math/rand/v2"
	"os/signal"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/portolan/portolan/internal/flow"
)

// TestFullDisk writes against a limit on the size of files: nothing half
// written is seen, and what was not written can be written later.
func TestFullDisk(t *testing.T) {
	s := createStore(t, t.TempDir())
	records := make([]flow.Record, 20_000)
	for i := range records {
		records[i] = record(rand.Uint64(), int64(i%2)*hour) // does not compress
	}
	write(t, s, record(1, 2*hour))
	flush(t, s)
	write(t, s, records...)

	signal.Ignore(unix.SIGXFSZ)
	defer signal.Reset(unix.SIGXFSZ)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	small := unix.Rlimit{Cur: 20_000, Max: before.Max}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	err := s.Flush(t.Context())
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, unix.EFBIG) {
		t.Errorf("got %v, want EFBIG", err)
	}
	if n := packets(t, s); n != 1 {
		t.Errorf("got %d records, want 1", n)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "*", "*"+tmpSuffix)); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	flush(t, s)
	if n := packets(t, s); n != 20_001 {
		t.Errorf("got %d records, want 20001", n)
	}
}
