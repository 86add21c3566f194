// Package host knows machines behind addresses: names, kinds, networks.
package host

import "net/netip"

// A Kind says what a machine is.
type Kind uint8

const (
	Unknown Kind = iota
	Virtual
	Physical
)

// Names maps addresses to what is known of them. The zero value is not ready:
// use NewNames. It may be read by many goroutines, but not while it is changed.
type Names struct {
	machines map[netip.Addr]machine
	networks []network // longest prefix first
}

type machine struct {
	name string
	kind Kind
}

// NewNames returns Names that know nothing.
func NewNames() *Names { return &Names{machines: map[netip.Addr]machine{}} }

// Add says what a is called and what it is; it replaces what was said before.
func (n *Names) Add(a netip.Addr, name string, kind Kind) {
	n.machines[key(a)] = machine{name, kind}
}

// Name returns the name of a, "" if none is known.
func (n *Names) Name(a netip.Addr) string { return n.machines[key(a)].name }

// Kind returns what a is.
func (n *Names) Kind(a netip.Addr) Kind { return n.machines[key(a)].kind }

// key is a without zone, IPv4 as itself.
func key(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
