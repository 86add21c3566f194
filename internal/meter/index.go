package meter

// An index finds the number of a record by the hash of its key: open
// addressing with linear probing. A slot holds tag<<32 | number+1; zero is
// empty. The home of a tag is its upper bits, so that growing and deleting
// need no record: an index that grows reads and writes its slots in order.
//
// At most a quarter of the slots is taken. A half would save 16 bytes a record
// and cost 15 ns a packet at a million flows.
type index struct {
	mem   mapping
	slots []uint64
	shift uint8 // of a tag to its home
	used  int
	stuck bool // there was no memory to grow
}

const firstSlots = 1 << 12

func newIndex() (index, error) {
	var ix index
	err := ix.allocate(firstSlots)
	return ix, err
}

// allocate gives ix empty slots; n is a power of two.
func (ix *index) allocate(n int) error {
	mem, err := newMapping(n * 8)
	if err != nil {
		return err
	}
	ix.mem, ix.slots = mem, view[uint64](mem, n)
	ix.shift = 32
	for ; n > 1; n >>= 1 {
		ix.shift--
	}
	return nil
}

func (ix *index) home(tag uint32) uint { return uint(tag >> ix.shift) }

func (ix *index) mask() uint { return uint(len(ix.slots) - 1) }

// insert adds a number that is not in ix, which must not be full.
func (ix *index) insert(tag, number uint32) {
	if 4*ix.used >= len(ix.slots) && !ix.stuck {
		ix.grow()
	}
	ix.put(uint64(tag)<<32 | uint64(number+1))
	ix.used++
}

// full reports whether there is no memory for more.
func (ix *index) full() bool { return ix.stuck && 4*ix.used >= 3*len(ix.slots) }

func (ix *index) put(slot uint64) {
	mask := ix.mask()
	i := ix.home(uint32(slot >> 32))
	for ix.slots[i] != 0 {
		i = (i + 1) & mask
	}
	ix.slots[i] = slot
}

// grow doubles ix. Without memory ix stays as it is, and gets slower, until it
// is full.
func (ix *index) grow() {
	old := *ix
	if err := ix.allocate(2 * len(old.slots)); err != nil {
		*ix = old
		ix.stuck = true
		return
	}
	for _, slot := range old.slots {
		if slot != 0 {
			ix.put(slot)
		}
	}
	old.mem.free()
}

// remove takes a number out that was inserted with tag. What stands behind it
// moves up, so that no slot is ever a tombstone.
func (ix *index) remove(tag, number uint32) {
	mask := ix.mask()
	want := uint64(tag)<<32 | uint64(number+1)
	hole := ix.home(tag)
	for ix.slots[hole] != want {
		if ix.slots[hole] == 0 {
			panic("BUG: meter: a record is not in its index")
		}
		hole = (hole + 1) & mask
	}
	for i := hole; ; {
		i = (i + 1) & mask
		slot := ix.slots[i]
		if slot == 0 {
			break
		}
		// A slot may move to the hole if its home is not between them.
		if home := ix.home(uint32(slot >> 32)); (i-home)&mask >= (i-hole)&mask {
			ix.slots[hole] = slot
			hole = i
		}
	}
	ix.slots[hole] = 0
	ix.used--
}

// reset empties ix.
func (ix *index) reset() {
	clear(ix.slots)
	ix.used = 0
}

func (ix *index) free() {
	ix.mem.free()
	*ix = index{}
}
