package clickhouse

import (
	"testing"

	chtest "github.com/portolan/portolan/e2e/clickhouse"

	"github.com/portolan/portolan/internal/store/storetest"
)

func TestRecorder(t *testing.T) {
	t.Parallel()
	storetest.Records(t, opener(chtest.Start(t), ""))
}
