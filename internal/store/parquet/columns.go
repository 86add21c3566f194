package parquet

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"unsafe"
)

// A columns holds rows by column, as they go into row groups: a third of the
// time that sorting rows and handing them to a general Parquet writer took.
type columns[T any] struct {
	layout  *layout
	rows    int
	columns []column
	settled bool // the dictionaries are sorted

	spareCodes []uint32 // memory of permute
	spareWords []uint64
}

// A column holds the values of one column. Addresses and texts are numbered:
// codes are places in their dictionary, which settle sorts.
type column struct {
	codes     []uint32
	words     []uint64 // of wide columns, instead of codes
	addresses addresses
	texts     texts
}

// newColumns returns empty columns, which may have been used before.
func newColumns[T any](l *layout) *columns[T] {
	if c, ok := l.pool.Get().(*columns[T]); ok {
		return c
	}
	return &columns[T]{layout: l, columns: make([]column, len(l.fields))}
}

// free gives c's memory to the next columns of the layout.
func (c *columns[T]) free() {
	c.reset()
	c.layout.pool.Put(c)
}

func (c *columns[T]) reset() {
	c.rows, c.settled = 0, false
	for i := range c.columns {
		col := &c.columns[i]
		col.codes, col.words = col.codes[:0], col.words[:0]
		col.addresses.reset()
		col.texts.reset()
	}
}

// append adds copies of rows. Column by column it takes 1 ns a value.
func (c *columns[T]) append(rows []T) {
	if len(rows) == 0 {
		return
	}
	if c.settled {
		c.unsettle()
	}
	c.rows += len(rows)
	first, size := unsafe.Pointer(unsafe.SliceData(rows)), unsafe.Sizeof(rows[0])
	for i := range c.columns {
		col, f := &c.columns[i], &c.layout.fields[i]
		s := strided{unsafe.Add(first, f.offset), size, len(rows)}
		switch {
		case f.kind == wide:
			col.words = take[uint64](col.words, s)
		case f.kind == address:
			for row := range s.n {
				col.codes = append(col.codes, col.addresses.code(newAddr(*at[[16]byte](s, row))))
			}
		case f.kind == text:
			for row := range s.n {
				col.codes = append(col.codes, col.texts.code(*at[string](s, row)))
			}
		case f.bits == 32:
			col.codes = take[uint32](col.codes, s)
		case f.bits == 16:
			col.codes = take[uint16](col.codes, s)
		default: // a bool is one byte, 0 or 1
			col.codes = take[uint8](col.codes, s)
		}
	}
}

// A strided is n fields at the same place of neighbouring rows.
type strided struct {
	first unsafe.Pointer
	size  uintptr // of a row
	n     int
}

func at[V any](s strided, row int) *V { return (*V)(unsafe.Add(s.first, uintptr(row)*s.size)) }

func take[V, D uint8 | uint16 | uint32 | uint64](dst []D, s strided) []D {
	had := len(dst)
	dst = slices.Grow(dst, s.n)[:had+s.n]
	for row := range s.n {
		dst[had+row] = D(*at[V](s, row))
	}
	return dst
}

// settle sorts the dictionaries: codes compare as their values do from then on.
func (c *columns[T]) settle() {
	if c.settled {
		return
	}
	c.settled = true
	for i := range c.columns {
		col := &c.columns[i]
		switch c.layout.fields[i].kind {
		case address:
			renumber(col.codes, ranks(col.addresses.values, addr.compare))
		case text:
			renumber(col.codes, ranks(col.texts.values, strings.Compare))
		}
	}
}

// unsettle lets the dictionaries find their values again: rows that could not
// be written wait for more.
func (c *columns[T]) unsettle() {
	c.settled = false
	for i := range c.columns {
		c.columns[i].addresses.hash(len(c.columns[i].addresses.slots))
		c.columns[i].texts.hash()
	}
}

// ranks sorts values and returns where each went.
func ranks[V any](values []V, compare func(a, b V) int) []uint32 {
	type entry struct {
		value V
		from  uint32
	}
	order := make([]entry, len(values))
	for i, v := range values {
		order[i] = entry{v, uint32(i)}
	}
	slices.SortFunc(order, func(a, b entry) int { return compare(a.value, b.value) })
	to := make([]uint32, len(values))
	for i, e := range order {
		values[i], to[e.from] = e.value, uint32(i)
	}
	return to
}

func renumber(codes, to []uint32) {
	for i, code := range codes {
		codes[i] = to[code]
	}
}

// permute puts the rows in the given order.
func (c *columns[T]) permute(order []uint32) {
	for i := range c.columns {
		col := &c.columns[i]
		if c.layout.fields[i].kind == wide {
			c.spareWords = gather(c.spareWords[:0], col.words, order)
			c.spareWords, col.words = col.words, c.spareWords
			continue
		}
		c.spareCodes = gather(c.spareCodes[:0], col.codes, order)
		c.spareCodes, col.codes = col.codes, c.spareCodes
	}
}

func gather[V any](dst, from []V, order []uint32) []V {
	dst = slices.Grow(dst, len(order))[:len(order)]
	for i, row := range order {
		dst[i] = from[row]
	}
	return dst
}

// An addr is an address as two words, which compare as its bytes do.
type addr struct{ hi, lo uint64 }

func newAddr(b [16]byte) addr {
	return addr{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (a addr) compare(b addr) int {
	if a.hi != b.hi {
		return cmp.Compare(a.hi, b.hi)
	}
	return cmp.Compare(a.lo, b.lo)
}

func (a addr) append(dst []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, a.hi), a.lo)
}

func (a addr) bytes() (b [16]byte) {
	a.append(b[:0])
	return b
}

// addresses numbers addresses in the order in which they come: a hash table
// with linear probing, at most half full.
type addresses struct {
	values []addr
	slots  []uint32 // number of a value, plus 1
	shift  uint
}

// seed keeps others from choosing addresses that collide. What is stored does
// not depend on it.
var seed = rand.Uint64() | 1

func (d *addresses) code(a addr) uint32 {
	if 2*len(d.values) >= len(d.slots) {
		d.hash(max(2*len(d.slots), 64))
	}
	mask := uint64(len(d.slots) - 1)
	for i := d.home(a); ; i++ {
		slot := &d.slots[i&mask]
		if *slot == 0 {
			d.values = append(d.values, a)
			*slot = uint32(len(d.values))
			return *slot - 1
		}
		if d.values[*slot-1] == a {
			return *slot - 1
		}
	}
}

func (d *addresses) home(a addr) uint64 {
	hi, lo := bits.Mul64(a.hi^seed, a.lo^0x9e3779b97f4a7c15)
	return (hi ^ lo) * seed >> d.shift
}

// hash makes the table anew with n slots, a power of two.
func (d *addresses) hash(n int) {
	d.slots = make([]uint32, n)
	d.shift = uint(65 - bits.Len(uint(n)))
	for code, a := range d.values {
		i := d.home(a)
		for d.slots[i&uint64(n-1)] != 0 {
			i++
		}
		d.slots[i&uint64(n-1)] = uint32(code + 1)
	}
}

func (d *addresses) reset() {
	d.values = d.values[:0]
	clear(d.slots)
}

// texts numbers texts in the order in which they come.
type texts struct {
	values []string
	codes  map[string]uint32
	last   uint32
}

func (d *texts) code(s string) uint32 {
	if len(d.values) > 0 && d.values[d.last] == s {
		return d.last
	}
	code, ok := d.codes[s]
	if !ok {
		if d.codes == nil {
			d.codes = map[string]uint32{}
		}
		code = uint32(len(d.values))
		d.values = append(d.values, s)
		d.codes[s] = code
	}
	d.last = code
	return code
}

// hash makes the table anew.
func (d *texts) hash() {
	for code, s := range d.values {
		d.codes[s] = uint32(code)
	}
}

func (d *texts) reset() {
	clear(d.values)
	clear(d.codes)
	d.values, d.last = d.values[:0], 0
}
