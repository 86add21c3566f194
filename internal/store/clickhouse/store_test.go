package clickhouse

import (
	"fmt"
	"sync/atomic"
	"testing"

	chtest "github.com/portolan/portolan/e2e/clickhouse"

	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/storetest"
)

// databases counts those of the tests, so that each gets one of its own.
var databases atomic.Int64

// newDatabase returns the address of a database that is not there yet. Of
// options that are given twice, the first counts.
func newDatabase(s *chtest.Server, options string) string {
	return fmt.Sprintf("clickhouse://%s/test%d?create=true%s&sync=false&retry=10s", s.Addr, databases.Add(1), options)
}

// opener returns a function that opens an empty store.
func opener(s *chtest.Server, options string) func(t *testing.T) store.Store {
	return func(t *testing.T) store.Store {
		t.Helper()
		return open(t, newDatabase(s, options))
	}
}

func open(t *testing.T, dsn string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, opener(chtest.Start(t), ""))
}

func TestDifferential(t *testing.T) {
	t.Parallel()
	storetest.Differential(t, opener(chtest.Start(t), ""))
}
