package query

import (
	"net/netip"

	"github.com/portolan/portolan/internal/flow"
)

// An Expr is a parsed filter. The types below are all there are. They are used
// as values, not as pointers.
type Expr interface {
	// String prints the filter so that Parse gives the same Expr again, as long
	// as the text is not longer than MaxLength.
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
	// An IPv6 prefix never holds an IPv4 address, not even ::/0.
	Net struct {
		Side   Side
		Prefix netip.Prefix // masked; IPv4 not mapped
	}
	// Ports compares a port with a range, Lo <= port <= Hi. The word "port" alone
	// is parsed as OfServer: a client's port says nothing about a service.
	Ports struct {
		Side   Side
		Lo, Hi uint16
	}
	// FamilyIs compares the version of IP.
	FamilyIs struct{ IPv6 bool } // false = IPv4
	// ProtoIs compares the IP protocol.
	ProtoIs struct{ Proto flow.Proto }
	// AppIs compares the application: it passes what carries one of IDs, or is
	// carried by it. The identifier 0 stands for a conversation of which neither
	// is known.
	AppIs struct {
		Name string   // as it was written
		IDs  []uint16 // what Name stands for, sorted; empty = nothing passes
	}
	// NameHas looks for a text in the name that the client asked for (Info),
	// without case (Unicode's simple lower-case mapping).
	NameHas struct{ Text string }
	// VLANIs compares the VLAN identifier; 0 = untagged.
	VLANIs struct{ ID uint16 }
	// ObserverIs compares where a record was seen, with case.
	ObserverIs struct{ Name string }
	// Count compares a counter of the record, both directions together. It looks
	// at each record, which may be one slice of a long conversation, not at the
	// sums of an answer's rows.
	Count struct {
		Field Field
		Op    Op
		N     uint64 // at most 1<<63 - 1
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
