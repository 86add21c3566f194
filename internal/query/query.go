// Package query is the language of questions about flows: a filter that
// people write, and the question types that every store answers.
package query

import (
	"time"

	"github.com/portolan/portolan/internal/flow"
)

// A Query asks for sums over flow records. The zero value asks for the edges
// of all time, most bytes first, all of them.
type Query struct {
	Filter Expr      // nil = every record
	Span   flow.Span // records whose End lies in it
	By     Dims      // what a row stands for; zero = Edge
	Step   time.Duration
	Sort   Order
	Limit  int // rows at the most; 0 = all
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
// order of client, server, protocol, port, application, VLAN, observer,
// ascending, so that answers are the same from every store.
type Order uint8

const (
	ByBytes Order = iota
	ByPackets
	ByFlows
	ByLast  // latest first
	ByFirst // earliest first
)

// A Row is one line of an answer. Columns that the query does not keep apart
// are zero.
//
// Several observers may see one conversation. A store sums per edge, observer
// and UTC hour, takes the largest over the observers of each edge and hour
// (each counter for itself), and sums these. With one observer that is the
// plain sum.
type Row struct {
	Bucket         int64 // start of the step, ns since 1970 UTC; 0 without Step
	Client, Server [16]byte
	Port           uint16
	Proto          flow.Proto
	App            flow.App
	VLAN           uint16
	Observer       string

	ToServer, ToClient flow.Counters
	Flows              uint64        // conversations that began in the span; at least 1
	First, Last        int64         // ns since 1970 UTC
	Evidence           flow.Evidence // the best among the records
}

// Bytes returns the IP bytes of both directions.
func (r *Row) Bytes() uint64 { return r.ToServer.Bytes + r.ToClient.Bytes }

// Packets returns the packets of both directions.
func (r *Row) Packets() uint64 { return r.ToServer.Packets + r.ToClient.Packets }
