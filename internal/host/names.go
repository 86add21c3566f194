// Package host knows machines behind addresses: names, kinds, networks.
package host

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
)

// A Kind says what a machine is.
type Kind uint8

const (
	Unknown Kind = iota
	Virtual
	Physical
)

// Names maps addresses to what is known of them. The zero value is not ready:
// use NewNames.
type Names struct {
	names    map[netip.Addr]string
	kinds    map[netip.Addr]Kind
	networks []network
}

type network struct {
	prefix netip.Prefix
	title  string
}

// NewNames returns Names that know nothing.
func NewNames() *Names {
	return &Names{names: map[netip.Addr]string{}, kinds: map[netip.Addr]Kind{}}
}

// Name returns the name of a, "" if none is known.
func (n *Names) Name(a netip.Addr) string { return n.names[a.Unmap()] }

// Kind returns what a is.
func (n *Names) Kind(a netip.Addr) Kind { return n.kinds[a.Unmap()] }

// AddNetwork makes p a network of its own; an empty title is p itself.
func (n *Names) AddNetwork(p netip.Prefix, title string) {
	n.networks = append(n.networks, network{p.Masked(), title})
}

// Network returns the title of the network of a: the longest that was added,
// else the /24 of a private IPv4 address, the /64 of a private IPv6 address,
// "Internet" of a public one.
func (n *Names) Network(a netip.Addr) string {
	a = a.Unmap()
	best := network{}
	for _, net := range n.networks {
		if net.prefix.Contains(a) && (!best.prefix.IsValid() || net.prefix.Bits() > best.prefix.Bits()) {
			best = net
		}
	}
	switch {
	case best.title != "":
		return best.title
	case best.prefix.IsValid():
		return best.prefix.String()
	case IsGroup(a):
		return "Groups"
	case IsPublic(a):
		return "Internet"
	}
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return a.String()
	}
	return p.String()
}

// IsGroup reports whether a is a multicast address or the IPv4 broadcast.
func IsGroup(a netip.Addr) bool {
	return a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// IsPublic reports whether a is routed on the Internet: not private (RFC 1918,
// RFC 4193), loopback, link-local, shared (RFC 6598) or unspecified.
func IsPublic(a netip.Addr) bool {
	a = a.Unmap()
	if a.Is4() && a.As4()[0] == 100 && a.As4()[1]&0xc0 == 64 {
		return false
	}
	return a.IsGlobalUnicast() && !a.IsPrivate()
}

// ReadFile adds what a file says: lines "address name" as in a hosts file, or
// "address,name[,vm|physical]". "#" begins a comment. Errors say file and line.
func (n *Names) ReadFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for at := 1; lines.Scan(); at++ {
		if err := n.line(lines.Text()); err != nil {
			return fmt.Errorf("%s:%d: %w", path, at, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (n *Names) line(s string) error {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "\ufeff"), "#")
	fields := strings.Fields(s)
	if strings.Contains(s, ",") {
		fields = strings.Split(s, ",")
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	if len(fields) == 0 || strings.EqualFold(fields[0], "address") { // blank, or the CSV's head
		return nil
	}
	a, err := netip.ParseAddr(fields[0])
	if err != nil {
		return fmt.Errorf("%q is no address", fields[0])
	}
	a = a.Unmap().WithZone("")
	if len(fields) < 2 || fields[1] == "" {
		return fmt.Errorf("no name behind address %s", a)
	}
	n.names[a] = strings.ToValidUTF8(fields[1], "\ufffd")
	if !strings.Contains(s, ",") || len(fields) < 3 {
		return nil
	}
	switch strings.ToLower(fields[2]) {
	case "":
	case "vm", "virtual":
		n.kinds[a] = Virtual
	case "physical":
		n.kinds[a] = Physical
	default:
		return fmt.Errorf("kind %q: must be vm or physical", fields[2])
	}
	return nil
}
