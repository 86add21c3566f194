package query

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"github.com/portolan/portolan/internal/flow"
)

// Matches reports whether r passes both sides.
func (e And) Matches(r *flow.Record) bool { return e.L.Matches(r) && e.R.Matches(r) }

// Matches reports whether r passes one side.
func (e Or) Matches(r *flow.Record) bool { return e.L.Matches(r) || e.R.Matches(r) }

// Matches reports whether r fails X.
func (e Not) Matches(r *flow.Record) bool { return !e.X.Matches(r) }

// Matches reports whether the address of e.Side lies in the prefix.
func (e Net) Matches(r *flow.Record) bool {
	lo, hi := Range(e.Prefix)
	in := func(a *[16]byte) bool {
		return bytes.Compare(a[:], lo[:]) >= 0 && bytes.Compare(a[:], hi[:]) <= 0 &&
			(e.Prefix.Addr().Is4() || !is4(a))
	}
	return e.Side != OfServer && in(&r.Client) || e.Side != OfClient && in(&r.Server)
}

// Matches reports whether the port of e.Side lies in the range.
func (e Ports) Matches(r *flow.Record) bool {
	in := func(port uint16) bool { return e.Lo <= port && port <= e.Hi }
	return e.Side != OfServer && in(r.ClientPort) || e.Side != OfClient && in(r.ServerPort)
}

// Matches looks at the client's address; both ends are of one family.
func (e FamilyIs) Matches(r *flow.Record) bool { return is4(&r.Client) != e.IPv6 }

// Matches reports whether r is of the protocol.
func (e ProtoIs) Matches(r *flow.Record) bool { return r.Proto == e.Proto }

// Matches reports whether one of e.IDs is a part of r's application.
func (e AppIs) Matches(r *flow.Record) bool {
	for _, id := range e.IDs {
		if id == 0 {
			if r.App.Master == 0 && r.App.App == 0 {
				return true
			}
			continue
		}
		if r.App.Master == id || r.App.App == id {
			return true
		}
	}
	return false
}

// Matches reports whether the name that the client asked for holds the text.
func (e NameHas) Matches(r *flow.Record) bool {
	return strings.Contains(Fold(Text(r.Info)), Fold(Text(e.Text)))
}

// Matches reports whether r was on the VLAN.
func (e VLANIs) Matches(r *flow.Record) bool { return r.VLAN == e.ID }

// Matches reports whether r was seen by the observer.
func (e ObserverIs) Matches(r *flow.Record) bool { return Text(r.Observer) == Text(e.Name) }

// Matches compares the counter of r, both directions together.
func (e Count) Matches(r *flow.Record) bool {
	n := r.Bytes()
	if e.Field == Packets {
		n = r.Packets()
	}
	switch e.Op {
	case Less:
		return n < e.N
	case LessEq:
		return n <= e.N
	case Eq:
		return n == e.N
	case NotEq:
		return n != e.N
	case GreaterEq:
		return n >= e.N
	case Greater:
		return n > e.N
	}
	return false
}

// mapped is where IPv4 addresses lie among 16-byte addresses.
var mapped = netip.MustParsePrefix("::ffff:0:0/96")

func is4(a *[16]byte) bool { return netip.AddrFrom16(*a).Is4In6() }

// Range returns the lowest and the highest address of p, IPv4 as 4-in-6. p
// must be valid.
func Range(p netip.Prefix) (lo, hi [16]byte) {
	lo = p.Masked().Addr().As16()
	hi = lo
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	for i := bits; i < 128; i++ {
		hi[i/8] |= 0x80 >> (i % 8)
	}
	return lo, hi
}

// holdsMapped reports whether the 16-byte range of p, an IPv6 prefix, holds
// IPv4 addresses too.
func holdsMapped(p netip.Prefix) bool {
	return p.Addr().Is6() && p.Overlaps(mapped)
}

// sortedIDs returns ids sorted, each once, in memory of its own.
func sortedIDs(ids []uint16) []uint16 {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
