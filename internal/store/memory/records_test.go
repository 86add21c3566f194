package memory_test

import (
	"testing"

	"github.com/portolan/portolan/internal/store/storetest"
)

func TestRecords(t *testing.T) { storetest.Records(t, open) }
