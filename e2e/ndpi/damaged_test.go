//go:build conformance && ndpi

package ndpi

import (
	"path/filepath"
	"testing"

	binding "github.com/portolan/portolan/internal/l7/ndpi"
)

// Run with go test -asan, this shows that nothing that stands in the public
// captures, the damaged ones among them, makes the binding touch memory that is
// not its own.
func TestEveryCaptureIsSurvived(t *testing.T) {
	id, err := binding.New(binding.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer id.Close()
	read, flows := 0, 0
	for _, folder := range []string{"pcaps", "pcaps-ndpi"} {
		for _, path := range captures(t, folder) {
			records, err := identified(t.Context(), path, id)
			if err != nil {
				t.Logf("%s: %v", filepath.Base(path), err)
			}
			read++
			flows += len(records)
		}
	}
	if flows == 0 {
		t.Fatalf("%d files without a conversation", read)
	}
	t.Logf("%d files, %d pairs of ends", read, flows)
}
