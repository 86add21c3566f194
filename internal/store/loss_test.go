package store

import (
	"testing"

	"github.com/portolan/portolan/internal/flow"
)

func TestLossIn(t *testing.T) {
	tests := []struct {
		loss, span flow.Span
		want       bool
	}{
		{flow.Span{Start: 5, End: 9}, flow.Span{}, true},
		{flow.Span{Start: 5, End: 9}, flow.Span{Start: 8, End: 10}, true},
		{flow.Span{Start: 5, End: 9}, flow.Span{Start: 9, End: 10}, false},
		{flow.Span{Start: 5, End: 9}, flow.Span{Start: 1, End: 5}, false},
		{flow.Span{Start: 5, End: 9}, flow.Span{Start: 1, End: 6}, true},
		{flow.Span{Start: 5, End: 5}, flow.Span{Start: 5, End: 6}, true}, // a moment
		{flow.Span{Start: 5, End: 5}, flow.Span{Start: 6, End: 7}, false},
		{flow.Span{Start: 5}, flow.Span{Start: 100}, true}, // no end
		{flow.Span{Start: 5}, flow.Span{End: 5}, false},
		{flow.Span{}, flow.Span{Start: 100, End: 200}, true},
	}
	for _, tt := range tests {
		if got := LossIn(&flow.Loss{Span: tt.loss}, tt.span); got != tt.want {
			t.Errorf("loss %v in %v: got %t", tt.loss, tt.span, got)
		}
	}
}
