package host

import (
	"cmp"
	"net/netip"
	"slices"
)

// Titles of networks that are not one prefix.
const (
	Internet = "Internet"
	Groups   = "Multicast and broadcast"
)

type network struct {
	prefix netip.Prefix
	title  string
}

// AddNetwork makes p a network of its own; an empty title is p itself. A prefix
// that was added before gets the new title.
func (n *Names) AddNetwork(p netip.Prefix, title string) {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	p = p.Masked()
	if title == "" {
		title = p.String()
	}
	i, found := slices.BinarySearchFunc(n.networks, p, func(net network, p netip.Prefix) int {
		return cmp.Or(cmp.Compare(p.Bits(), net.prefix.Bits()), net.prefix.Addr().Compare(p.Addr()))
	})
	if found {
		n.networks[i].title = title
		return
	}
	n.networks = slices.Insert(n.networks, i, network{p, title})
}

// Network returns the title of the network that a stands in: that of the
// longest prefix which was added and holds a; else Groups, Internet, or the
// usual network of a private address: /24 for IPv4, /64 for IPv6.
func (n *Names) Network(a netip.Addr) string {
	switch net, added := n.network(key(a)); {
	case n.IsGroup(a):
		return Groups
	case added || !IsPublic(a):
		return net.title
	}
	return Internet
}

// network returns the network of a. added is false for one that is only usual.
func (n *Names) network(a netip.Addr) (_ network, added bool) {
	for _, net := range n.networks {
		if net.prefix.Contains(a) {
			return net, true
		}
	}
	bits := 64
	switch {
	case !a.Is4():
	case a.IsLoopback():
		bits = 8
	case a.IsLinkLocalUnicast():
		bits = 16
	default:
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil || !p.IsValid() {
		return network{title: a.String()}, false // the zero Addr
	}
	return network{p, p.String()}, false
}

// IsGroup reports whether a stands for many machines: a multicast address, the
// IPv4 broadcast, or the last address of a private IPv4 network.
func (n *Names) IsGroup(a netip.Addr) bool {
	a = key(a)
	if a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return true
	}
	if !a.Is4() || IsPublic(a) || a.IsLoopback() {
		return false
	}
	net, _ := n.network(a)
	return net.prefix.Bits() <= 30 && !net.prefix.Contains(a.Next())
}

// notPublic are the blocks that IANA's special-purpose address registries
// (RFC 6890) do not call globally reachable.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // shared, RFC 6598
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"), // link-local
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), // documentation, RFC 5737
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("198.18.0.0/15"), // benchmarks, RFC 2544
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/127"),        // unspecified and loopback
	netip.MustParsePrefix("100::/64"),      // discard, RFC 6666
	netip.MustParsePrefix("2001:db8::/32"), // documentation, RFC 3849
	netip.MustParsePrefix("3fff::/20"),     // documentation, RFC 9637
	netip.MustParsePrefix("fc00::/7"),      // unique local, RFC 4193
	netip.MustParsePrefix("fe80::/10"),     // link-local
}

// IsPublic reports whether a is the address of a machine on the Internet.
func IsPublic(a netip.Addr) bool {
	a = key(a)
	if !a.IsValid() || a.IsMulticast() {
		return false
	}
	return !slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(a) })
}
