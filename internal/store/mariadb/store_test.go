package mariadb_test

import (
	"testing"

	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/storetest"
)

func fresh(t *testing.T) store.Store {
	s := need(t)
	return open(t, s.config(s.database(t)))
}

func TestStore(t *testing.T) { storetest.Run(t, fresh) }

func TestDifferential(t *testing.T) { storetest.Differential(t, fresh) }
