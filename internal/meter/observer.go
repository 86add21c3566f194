package meter

// observers gives the names of observers small numbers, which become part of
// the key of a conversation: who sees a packet on two interfaces reports two
// conversations, each with its observer, and not one of twice the size.
type observers struct {
	numbers []int16 // by interface, -1 = not asked yet
	names   []string
}

// manyObservers is the number that all observers after the 255th share: the
// key has no more room. Records still name the right one, that of the first
// packet.
const manyObservers = 255

// manyIfaces bounds memory: an interface is an index into a list.
const manyIfaces = 1 << 16

// observer returns the number of the observer at an interface.
func (t *Table) observer(iface uint32) uint8 {
	if int(iface) < len(t.observers.numbers) {
		if n := t.observers.numbers[iface]; n >= 0 {
			return uint8(n)
		}
	}
	return t.newObserver(iface)
}

func (t *Table) newObserver(iface uint32) uint8 {
	o := &t.observers
	if iface >= manyIfaces {
		return manyObservers
	}
	for len(o.numbers) <= int(iface) {
		o.numbers = append(o.numbers, -1)
	}
	name := ""
	if t.cfg.Observer != nil {
		name = t.cfg.Observer(iface)
	}
	n := 0
	for n < len(o.names) && o.names[n] != name {
		n++
	}
	switch {
	case n >= manyObservers:
		n = manyObservers
	case n == len(o.names):
		o.names = append(o.names, name)
	}
	o.numbers[iface] = int16(n)
	return uint8(n)
}

func (t *Table) observerName(iface uint32) string {
	if n := t.observer(iface); n != manyObservers {
		return t.observers.names[n]
	}
	if t.cfg.Observer == nil {
		return ""
	}
	return t.cfg.Observer(iface)
}
