// Package topology makes the graph of a network out of answers about flows:
// who depends on which service of whom. A graph is immutable and sorted.
package topology

import (
	"net/netip"

	"github.com/portolan/portolan/internal/flow"
)

// A Graph says who talks to whom. Hosts are sorted by ID, edges by client,
// server, protocol and port; nothing in it changes after New.
type Graph struct {
	Hosts []Host
	Edges []Edge
	Span  flow.Span // first to last packet of what went in

	// Folded says what is not drawn one by one, in whole sentences' parts for a
	// caption; nil before Fold.
	Folded *Folding
	// LeftOut says what Unicast left out; nil = nothing.
	LeftOut *Leaving
}

// A HostID is the index of a host in Graph.Hosts.
type HostID int

// A Host is a machine, or a stack of machines that Fold made of many.
type Host struct {
	ID       HostID
	Key      string       // stable name for files: the address, or "net 192.168.1.0/24 (+12)", "internet clients"
	Addrs    []netip.Addr // sorted; more than one for a folded stack
	Name     string       // "" = none known
	Network  string       // title of the container it stands in: a network, "Internet"
	Kind     Kind
	Count    int // machines it stands for, 1 = one
	Services []Service
	Bytes    uint64 // all edges, both directions
}

// A Kind says what a box stands for.
type Kind uint8

const (
	Machine  Kind = iota // nothing more is known
	Virtual              // a virtual machine
	Physical             // a physical machine
	Stack                // several hosts of one network, folded
	Internet             // public addresses, folded by direction
	Group                // a multicast or broadcast address
)

var kindNames = [...]string{
	Machine: "machine", Virtual: "virtual", Physical: "physical", Stack: "stack", Internet: "internet", Group: "group",
}

// String returns the word for k in files.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// A Service is a port that a host serves.
type Service struct {
	Proto flow.Proto
	Port  uint16
	Name  string   // "https"; "" = none known
	App   flow.App // what was seen on it; a guess if nothing was
	Bytes uint64
}

// An Edge is one client that uses one service of one server.
type Edge struct {
	Client, Server     HostID
	Proto              flow.Proto
	Port               uint16 // the server's; 0 for protocols without ports
	Service            string // name of the port, "" = none known
	App                flow.App
	AppName            string // "" = unknown
	ToServer, ToClient flow.Counters
	Flows              uint64
	First, Last        int64 // ns since 1970 UTC
	Evidence           flow.Evidence
}

// Bytes returns the IP bytes of both directions.
func (e *Edge) Bytes() uint64 { return e.ToServer.Bytes + e.ToClient.Bytes }

// A Leaving says what is not in a graph.
type Leaving struct {
	Hosts, Edges int
	Bytes        uint64
}

// A Folding says what Fold left out or put together.
type Folding struct {
	Hosts, HostsShown int    // machines in the graph, and of them drawn one by one
	Edges, EdgesShown int    // edges before and after
	Bytes, BytesShown uint64 // bytes before, and on edges that are drawn
}
