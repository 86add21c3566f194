package ndpi

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
)

// ownNumbers is where the numbers begin of protocols that l7 has no name for:
// those of a protocols file, and those that came with a later nDPI.
const ownNumbers = 1 << 15

// numbers translates the library's numbers of protocols to those of l7, which
// are those of nDPI 4.2: later releases number some protocols anew.
type numbers struct {
	known []uint16          // by the library's number
	names map[uint16]string // of the numbers from ownNumbers on
}

// newNumbers takes the library's names by the library's numbers; "" = none.
//
// A name that l7 does not have is given a number that depends on the name, so
// that it is the same the next time, whatever else stands in the file. Two
// names in 32,768 places may meet: the second in the order of the alphabet
// takes the next place.
func newNumbers(library []string) numbers {
	n := numbers{known: make([]uint16, len(library)), names: map[uint16]string{}}
	byName := l7Numbers()
	var own []int
	for id, name := range library {
		switch known, ok := byName[strings.ToLower(name)]; {
		case id == 0 || name == "":
		case ok:
			n.known[id] = known
		default:
			own = append(own, id)
		}
	}
	slices.SortStableFunc(own, func(a, b int) int { return cmp.Compare(library[a], library[b]) })
	for _, id := range own {
		n.known[id] = n.own(library[id])
	}
	return n
}

// own returns the number of a name that l7 does not have, 0 if all are taken.
func (n *numbers) own(name string) uint16 {
	h := fnv.New32a()
	h.Write([]byte(name))
	first := uint16(h.Sum32()) % ownNumbers
	for i := range uint16(ownNumbers) {
		id := ownNumbers + (first+i)%ownNumbers
		if taken, ok := n.names[id]; !ok || taken == name {
			n.names[id] = name
			return id
		}
	}
	return 0
}

// l7Numbers returns l7's numbers by name, in lower case.
func l7Numbers() map[string]uint16 {
	m := map[string]uint16{}
	for id := uint16(1); id < ownNumbers; id++ {
		name := strings.ToLower(l7.AppName(flow.App{Master: id}))
		if _, ok := m[name]; name != "" && !ok {
			m[name] = id
		}
	}
	return m
}

// app returns what the library calls master.app. The library puts a protocol
// that carries no other into app alone; 0 is unknown.
func (n *numbers) app(master, app uint16) flow.App {
	a := flow.App{Master: n.translate(master), App: n.translate(app)}
	if a.Master == 0 || a.Master == a.App {
		a.Master, a.App = a.App, 0
	}
	return a
}

func (n *numbers) translate(id uint16) uint16 {
	if int(id) >= len(n.known) {
		return 0
	}
	return n.known[id]
}
