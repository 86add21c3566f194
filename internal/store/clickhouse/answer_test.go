package clickhouse

import (
	"context"
	"errors"
	"testing"
	"time"

	nativedriver "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	chtest "github.com/portolan/portolan/e2e/clickhouse"
)

// TestLongAnswers leaves answers that would take for ever: by leaving the loop,
// and by the context.
func TestLongAnswers(t *testing.T) {
	const endless = "SELECT number FROM numbers(1000000000000)"
	for _, tt := range []struct {
		what, statement string
		leave           bool
		want            error
	}{
		{"the loop ends", endless, true, nil},
		{"the context ends", endless, false, context.DeadlineExceeded},
		{"the context ends before the first row", "SELECT sum(number) FROM numbers(1000000000000)", false, context.DeadlineExceeded},
	} {
		t.Run(tt.what, func(t *testing.T) {
			s := open(t, newDatabase(chtest.Start(t), ""))
			defer s.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := s.rows(ctx, tt.statement, nil, func(nativedriver.Rows) (bool, error) { return !tt.leave, nil })
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			if tt.leave {
				return
			}
			if err := s.failed(ctx, err); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
