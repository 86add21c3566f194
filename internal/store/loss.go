package store

import (
	"cmp"
	"strings"

	"github.com/portolan/portolan/internal/flow"
)

// LossIn reports whether a part of l lies in span. A loss that ends where it
// starts is a moment; a zero End is "no end".
func LossIn(l *flow.Loss, span flow.Span) bool {
	return (span.End == 0 || l.Span.Start < span.End) &&
		(l.Span.End == 0 || l.Span.End > span.Start || l.Span.Start >= span.Start)
}

// CompareLoss orders losses by Start, End, observer, stage, reason, unit and
// count, ascending.
func CompareLoss(a, b flow.Loss) int {
	return cmp.Or(
		cmp.Compare(a.Span.Start, b.Span.Start),
		cmp.Compare(a.Span.End, b.Span.End),
		strings.Compare(a.Observer, b.Observer),
		strings.Compare(a.Where, b.Where),
		strings.Compare(a.Reason, b.Reason),
		strings.Compare(a.Unit, b.Unit),
		cmp.Compare(a.Count, b.Count),
	)
}
