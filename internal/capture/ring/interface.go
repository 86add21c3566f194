package ring

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// A Kind says what an interface is.
type Kind string

// The kinds.
const (
	Physical Kind = "physical" // a card, or what a hypervisor shows as one
	Loopback Kind = "loopback"
	Bridge   Kind = "bridge"
	Bond     Kind = "bond"
	VLAN     Kind = "vlan"
	Veth     Kind = "veth"    // one end of a cable in software, as containers have
	Tunnel   Kind = "tunnel"  // WireGuard, tun, VXLAN
	Virtual  Kind = "virtual" // another one made by software
)

// An Interface is a network interface of this host, as it is now.
type Interface struct {
	Name  string
	Index int
	Kind  Kind
	Type  string // the kernel's word for one made by software, as "wireguard"; else ""
	MAC   net.HardwareAddr
	Addrs []netip.Prefix
	MTU   int    // bytes
	Speed uint64 // bits per second, 0 = unknown

	Up          bool   // it is set up
	Carrier     bool   // there is something at the other end
	Promiscuous bool   // somebody captures what is addressed to others
	Master      string // the bridge or bond that it is a part of, "" = none
	Default     bool   // the default route leads through it

	Offloads Offloads
}

// Offloads are what card and kernel do with frames before or after a capture
// sees them: with any of these a frame may stand for many on the wire. All are
// false if that is not known.
type Offloads struct {
	GRO, LRO bool // frames that arrive are joined
	GSO, TSO bool // frames that are sent are cut later
}

// Sees says what can be expected of a capture on i.
func (i *Interface) Sees() string {
	switch i.Kind {
	case Loopback:
		return "this host talking to itself"
	case Bridge:
		return "this host, and what crosses the bridge to or from it; in promiscuous mode more"
	case Bond:
		return "this host, over all cards of the bond"
	case VLAN:
		return "one VLAN, tags removed"
	case Veth:
		return "one container or network namespace"
	case Tunnel:
		return "what goes through the tunnel, as it is inside"
	case Physical:
		return "this host's traffic; all of it on a mirror port of a switch"
	}
	return "this host's traffic"
}

// A Sight is what a capture saw when it looked for a while. Frames = Own +
// Group + Foreign.
type Sight struct {
	Frames  uint64
	Own     uint64 // from or to this interface
	Group   uint64 // broadcast and multicast of others
	Foreign uint64 // from one station to another, neither of them this interface

	// Pairs is how many pairs of other stations were heard in both directions.
	// A switch lets a stray frame through now and then, but no conversation.
	Pairs int
}

// Mirror reports whether the interface sees conversations of others: it is at
// a mirror port, on a hub, or part of a bridge.
func (s *Sight) Mirror() bool { return s.Pairs > 0 }

// String says it to a person.
func (s *Sight) String() string {
	switch {
	case s.Frames == 0:
		return "nothing came by"
	case s.Mirror():
		return fmt.Sprintf("it sees conversations of others: %d of %d frames", s.Foreign, s.Frames)
	case s.Foreign > 0:
		return fmt.Sprintf("it sees this host's traffic, and stray frames of others: %d of %d", s.Foreign, s.Frames)
	}
	return "it sees this host's traffic only"
}

// maxPairs bounds what Look remembers.
const maxPairs = 4096

// Look captures promiscuously for as long as wait, and says what an interface
// sees. It ends early, without an error, when ctx does.
func Look(ctx context.Context, name string, wait time.Duration) (Sight, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return look(ctx, name)
}

// a station pair: bytes of the lower address, then of the higher.
type stations [12]byte

// heard is in which directions a pair was heard.
type heard uint8

// add counts one Ethernet frame.
func (s *Sight) add(frame []byte, own net.HardwareAddr, pairs map[stations]heard) {
	s.Frames++
	if len(frame) < 12 {
		s.Own++
		return
	}
	dst, src := [6]byte(frame[:6]), [6]byte(frame[6:12])
	switch {
	case len(own) == 6 && (dst == [6]byte(own) || src == [6]byte(own)):
		s.Own++
		return
	case dst[0]&1 != 0:
		s.Group++
		return
	}
	s.Foreign++
	var key stations
	way := heard(1)
	copy(key[:6], src[:])
	copy(key[6:], dst[:])
	if string(dst[:]) < string(src[:]) {
		copy(key[:6], dst[:])
		copy(key[6:], src[:])
		way = 2
	}
	before, known := pairs[key]
	if !known && len(pairs) >= maxPairs {
		return
	}
	if pairs[key] = before | way; before|way == 3 && before != 3 {
		s.Pairs++
	}
}
