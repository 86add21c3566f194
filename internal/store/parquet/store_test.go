package parquet

import (
	"testing"

	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/storetest"
)

func opened(t *testing.T) store.Store {
	t.Helper()
	s, err := Open(t.TempDir(), Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) { storetest.Run(t, opened) }

func TestDifferential(t *testing.T) { storetest.Differential(t, opened) }
