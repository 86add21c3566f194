// Package l7 names what conversations carry: services by their server port,
// applications in nDPI's numbering, families of services.
package l7

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/portolan/portolan/internal/flow"
)

// ServiceName returns the name of the service that listens on port: "https".
// It is the name that people use in the field where that differs from IANA's,
// and "" if there is none. It takes about a microsecond and does not allocate.
func ServiceName(proto flow.Proto, port uint16) string {
	if s := fieldService(proto, port); s != nil {
		return s.name
	}
	return ianaName(proto, port)
}

// Registered reports whether port has a name, by IANA or in the field. It is
// safe for concurrent use and does not allocate after the first call.
func Registered(proto flow.Proto, port uint16) bool {
	letter := strings.IndexByte(protoLetters, protoLetter(proto))
	return letter >= 0 && registered()[letter].has(port)
}

// A portSet has a bit for each port.
type portSet [1 << 16 / 64]uint64

func (s *portSet) has(port uint16) bool { return s[port/64]>>(port%64)&1 != 0 }
func (s *portSet) add(port uint16)      { s[port/64] |= 1 << (port % 64) }

// registered returns the ports with a name, a set for each of protoLetters.
var registered = sync.OnceValue(func() *[len(protoLetters)]portSet {
	var sets [len(protoLetters)]portSet
	add := func(letters string, port uint16) {
		for i := range letters {
			sets[strings.IndexByte(protoLetters, letters[i])].add(port)
		}
	}
	for at := 0; at < len(ianaPorts); {
		var s ianaService
		s, at = ianaAt(at)
		add(s.protos, s.port)
	}
	for _, s := range fieldServices {
		add(s.protos, s.port)
	}
	return &sets
})

// protoLetters are the letters for protocols in the tables of ports.
const protoLetters = "tusd"

// protoLetter returns the letter of proto, 0 if it has none.
func protoLetter(proto flow.Proto) byte {
	switch proto {
	case flow.TCP:
		return 't'
	case flow.UDP, flow.UDPLite:
		return 'u'
	case flow.SCTP:
		return 's'
	case flow.DCCP:
		return 'd'
	}
	return 0
}

// An ianaService is one line of ianaPorts.
type ianaService struct {
	port         uint16
	protos, name string
}

// ianaAt reads the line that begins at, and returns where the next begins.
func ianaAt(at int) (s ianaService, next int) {
	rest := ianaPorts[at:]
	end := strings.IndexByte(rest, '\n')
	number, rest, _ := strings.Cut(rest[:end], " ")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		panic("BUG: ianaPorts has the line " + ianaPorts[at:at+end])
	}
	s.port = uint16(port)
	s.protos, s.name, _ = strings.Cut(rest, " ")
	return s, at + end + 1
}

// ianaName returns IANA's name of a port, "" if there is none. It searches the
// text of the registry, whose lines are sorted by port.
func ianaName(proto flow.Proto, port uint16) string {
	letter := protoLetter(proto)
	if letter == 0 {
		return ""
	}
	lo, hi := 0, len(ianaPorts) // beginnings of lines; the first line of port is in [lo, hi]
	for lo < hi {
		mid := strings.LastIndexByte(ianaPorts[lo:lo+(hi-lo)/2], '\n') + lo + 1
		s, next := ianaAt(mid)
		if s.port < port {
			lo = next
			continue
		}
		hi = mid
	}
	for lo < len(ianaPorts) {
		s, next := ianaAt(lo)
		if s.port != port {
			break
		}
		if strings.IndexByte(s.protos, letter) >= 0 {
			return s.name
		}
		lo = next
	}
	return ""
}

// fieldService returns what the field calls a port, nil if it has no name of
// its own for it.
func fieldService(proto flow.Proto, port uint16) *service {
	letter := protoLetter(proto)
	i, ok := slices.BinarySearchFunc(fieldServices, port, func(s service, port uint16) int { return cmp.Compare(s.port, port) })
	for ; ok && i < len(fieldServices) && fieldServices[i].port == port; i++ {
		if strings.IndexByte(fieldServices[i].protos, letter) >= 0 {
			return &fieldServices[i]
		}
	}
	return nil
}
