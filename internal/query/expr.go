package query

import (
	"net/netip"

	"github.com/portolan/portolan/internal/flow"
)

// An Expr is a parsed filter. String prints it so that Parse gives it back.
// The types below are all there are.
type Expr interface {
	String() string
	// Matches reports whether r passes. It is what each store's SQL must agree with.
	Matches(r *flow.Record) bool
}

// A Side says which end of a conversation a primitive looks at.
type Side uint8

const (
	Either Side = iota // the client or the server
	OfClient
	OfServer
)

type (
	// And passes what passes both.
	And struct{ L, R Expr }
	// Or passes what passes one.
	Or struct{ L, R Expr }
	// Not passes what X does not.
	Not struct{ X Expr }
	// Net compares an address with a prefix; a host is a prefix of full length.
	Net struct {
		Side   Side
		Prefix netip.Prefix // masked
	}
	// Ports compares a port with a range, Lo <= port <= Hi. "port" alone means
	// the server's: a client's port says nothing about a service.
	Ports struct {
		Side   Side
		Lo, Hi uint16
	}
	// Proto compares the IP protocol.
	ProtoIs struct{ Proto flow.Proto }
	// AppIs compares the application's name, either part, without case. IDs are
	// what the name stands for.
	AppIs struct {
		Name string
		IDs  []uint16 // sorted; empty = the name of no application known here
	}
	// NameHas looks for a text in the name that the client asked for (Info),
	// without case.
	NameHas struct{ Text string }
	// VLANIs compares the VLAN identifier.
	VLANIs struct{ ID uint16 }
	// ObserverIs compares where a record was seen.
	ObserverIs struct{ Name string }
	// Count compares a counter of the record, both directions together.
	Count struct {
		Field Field
		Op    Op
		N     uint64
	}
)

// A Field is a counter that a filter can compare.
type Field uint8

const (
	Bytes Field = iota
	Packets
)

// An Op compares.
type Op uint8

const (
	Less Op = iota
	LessEq
	Eq
	NotEq
	GreaterEq
	Greater
)
