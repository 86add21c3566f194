// Package store is the seam between the pipeline that writes flows and the
// questions that read them. Drivers live in folders below it; storetest is the
// contract that each of them passes.
package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

var (
	// ErrClosed is returned by every call after Close.
	ErrClosed = errors.New("store is closed")
	// ErrNewer is wrapped when a store was written by a newer version.
	ErrNewer = errors.New("store was written by a newer portolan")
	// ErrNotStore is wrapped when the place holds something else.
	ErrNotStore = errors.New("not a portolan store")
	// ErrReadOnly is wrapped when a store that was opened for reading is written.
	ErrReadOnly = errors.New("store is open for reading only")
)

// A Store keeps flow records and answers questions about them. Questions may
// be asked by many goroutines, in many processes where the driver says so,
// while one goroutine writes. A question may be asked, and records may be
// written, inside the loop over another's answer.
//
// Texts are kept as query.Text gives them. Counters, and the sums of them that
// are asked for, may go up to 1<<63 - 1; times are not before 1970. Calls end
// early with the context's error when it is done; with a context that is done
// from the start, nothing is written.
type Store interface {
	flow.Sink

	// WriteLoss keeps what was lost.
	WriteLoss(ctx context.Context, l []flow.Loss) error

	// Flush makes all that was written durable and visible to every reader.
	Flush(ctx context.Context) error

	// Top answers q: rows in q's order. After an error there are no more rows;
	// the error is that of q.Check if q makes no sense.
	Top(ctx context.Context, q query.Query) iter.Seq2[query.Row, error]

	// Losses yields what was lost in span as LossIn says, in CompareLoss's order
	// (oldest first).
	Losses(ctx context.Context, span flow.Span) iter.Seq2[flow.Loss, error]

	// Stats says what the store holds.
	Stats(ctx context.Context) (Stats, error)

	// Close flushes and frees. A second Close returns ErrClosed.
	Close() error
}

// A Policy says what a store may forget. What is zero has no bound.
type Policy struct {
	Raw    time.Duration // age at which records go, by their End
	RollUp time.Duration // age at which sums over hours and days go; not shorter than Raw
	Size   uint64        // bytes on disk above which the oldest records, and then the oldest sums, go
}

// Pruned says what was forgotten.
type Pruned struct {
	Records uint64    `json:"records"` // 0 if the store does not count them
	Parts   int       `json:"parts"`   // files or partitions
	Bytes   uint64    `json:"bytes"`
	Before  time.Time `json:"before"` // records that ended before are gone; zero = none was pruned
}

// A Pruner is a store that can forget: whole files or partitions, so that it
// costs no more than what it frees.
type Pruner interface {
	Prune(ctx context.Context, p Policy, now time.Time) (Pruned, error)
}

// A Compacter is a store that needs to be tidied up now and then, once an hour
// or after much was written.
type Compacter interface {
	Compact(ctx context.Context) error
}

// An OnceWriter is a store that knows what it took: a batch that is given
// again under the same name is not stored again.
type OnceWriter interface {
	WriteOnce(ctx context.Context, name string, b *flow.Batch) error
}

// A Recorder is a store that can give its records back.
type Recorder interface {
	// Records yields all records whose End lies in span, in any order that is
	// the same while the records are, with every field that is kept and texts as
	// they are kept. Details in which nothing is said are nil. After an error
	// there are no more records.
	Records(ctx context.Context, span flow.Span) iter.Seq2[flow.Record, error]
}

// Stats says what a store holds.
type Stats struct {
	Records uint64    `json:"records"` // slices of conversations
	Bytes   uint64    `json:"bytes"`   // on disk; 0 = unknown
	Files   int       `json:"files"`
	Span    flow.Span `json:"span"` // Start of the earliest record to just after the End of the latest
	Aside   []Aside   `json:"aside,omitempty"`
}

// An Aside is a file that was set aside because it could not be read.
type Aside struct{ File, Why string }
