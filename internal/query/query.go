// Package query is the language of questions about flows: a filter that
// people write, and the question types that every store answers.
package query

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/portolan/portolan/internal/flow"
)

// A Query asks for sums over flow records. The zero value asks for the edges
// of all time, most bytes first, all of them.
type Query struct {
	Filter Expr          // nil = every record
	Span   flow.Span     // records whose End lies in it
	By     Dims          // what a row stands for; zero = Edge
	Step   time.Duration // rows are kept apart by time steps of this length; 0 = not at all
	Sort   Order
	Limit  int // rows at the most; 0 = all
}

// Dims returns what a row stands for: By, or Edge.
func (q *Query) Dims() Dims {
	if q.By == 0 {
		return Edge
	}
	return q.By
}

// Check says what makes no sense in q. Stores answer such a question with the
// error that Check returns.
func (q *Query) Check() error {
	switch {
	case q.By >= Observer<<1:
		return fmt.Errorf("query: columns are %#x: %#x is the largest set", uint16(q.By), uint16(Observer<<1-1))
	case q.Step < 0:
		return fmt.Errorf("query: step is %s: must be 0 or more", q.Step)
	case q.Sort > ByFirst:
		return fmt.Errorf("query: order is %d: must be at most %d", q.Sort, ByFirst)
	case q.Limit < 0:
		return fmt.Errorf("query: limit is %d: must be 0 or more", q.Limit)
	case q.Span.End != 0 && q.Span.End < q.Span.Start:
		return fmt.Errorf("query: the span ends at %d, before it starts at %d", q.Span.End, q.Span.Start)
	}
	return nil
}

// Compare returns a negative number if row a stands before row b in the
// answer, a positive one if it stands behind. It is 0 only if the two have the
// same columns.
func (q *Query) Compare(a, b *Row) int {
	return cmp.Or(
		cmp.Compare(a.Bucket, b.Bucket),
		q.Sort.compare(a, b),
		bytes.Compare(a.Client[:], b.Client[:]),
		bytes.Compare(a.Server[:], b.Server[:]),
		cmp.Compare(a.Proto, b.Proto),
		cmp.Compare(a.Port, b.Port),
		cmp.Compare(a.App.Master, b.App.Master),
		cmp.Compare(a.App.App, b.App.App),
		cmp.Compare(a.VLAN, b.VLAN),
		strings.Compare(a.Observer, b.Observer),
	)
}

// A Dims is a set of columns that a row keeps apart.
type Dims uint16

const (
	Client   Dims = 1 << iota // client address
	Server                    // server address
	Port                      // server port
	Proto                     // IP protocol
	App                       // application
	VLAN                      // VLAN identifier
	Observer                  // where it was seen

	// An Edge is who depends on which service of whom.
	Edge = Client | Server | Port | Proto | App
)

// Has reports whether all of x is in d.
func (d Dims) Has(x Dims) bool { return d&x == x }

// An Order sorts rows, largest first; rows that are equal in it stand in the
// order of client, server, protocol, port, application (Master, then App),
// VLAN, observer, ascending, so that answers are the same from every store.
// With a Step, rows stand in the order of their buckets before all else, the
// earliest first.
type Order uint8

const (
	ByBytes Order = iota
	ByPackets
	ByFlows
	ByLast  // latest first
	ByFirst // earliest first
)

func (o Order) compare(a, b *Row) int {
	switch o {
	case ByPackets:
		return cmp.Compare(b.Packets(), a.Packets())
	case ByFlows:
		return cmp.Compare(b.Flows, a.Flows)
	case ByLast:
		return cmp.Compare(b.Last, a.Last)
	case ByFirst:
		return cmp.Compare(a.First, b.First)
	}
	return cmp.Compare(b.Bytes(), a.Bytes())
}

// A Row is one line of an answer. Columns that the query does not keep apart
// are zero.
//
// Several observers may see one conversation. A store sums per edge, observer
// and UTC hour of End, takes the largest over the observers of each edge and
// hour (each counter for itself), and sums these. With one observer that is
// the plain sum.
//
// That edge is always client, server, port, protocol and application, however
// few of them the query keeps apart, and the VLAN if the query keeps VLANs
// apart. A Step cuts it as the hour does. A query that keeps observers apart
// gets plain sums.
type Row struct {
	Bucket         int64 // start of the step that End lies in, ns since 1970 UTC, a multiple of Step; 0 without Step
	Client, Server [16]byte
	Port           uint16
	Proto          flow.Proto
	App            flow.App // Guess only if it was guessed in every record
	VLAN           uint16
	Observer       string

	ToServer, ToClient flow.Counters
	Flows              uint64        // records with Slice 0: conversations that began; at least 1
	First, Last        int64         // earliest Start and latest End, ns since 1970 UTC
	Evidence           flow.Evidence // the best among the records
}

// Bytes returns the IP bytes of both directions.
func (r *Row) Bytes() uint64 { return r.ToServer.Bytes + r.ToClient.Bytes }

// Packets returns the packets of both directions.
func (r *Row) Packets() uint64 { return r.ToServer.Packets + r.ToClient.Packets }
