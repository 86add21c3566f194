package capture

import (
	"math"
	"math/bits"
)

// A clock turns time stamps of an interface into ns since 1970 UTC.
type clock struct {
	mul    uint64 // ns of a unit of 10^-n s; 0 = use div or shift
	div    uint64 // units in a ns; 0 = use shift
	shift  uint   // units of 2^-shift s
	offset int64  // s to add
}

const second = 1_000_000_000 // ns

// defaultClock counts microseconds.
var defaultClock = clock{mul: 1000}

// setResolution sets the unit from the value of the option if_tsresol.
func (c *clock) setResolution(v byte) {
	n := uint(v & 0x7f)
	c.mul, c.div, c.shift = 0, 0, n
	switch {
	case v&0x80 != 0:
	case n <= 9:
		c.mul = pow10(9 - n)
	case n <= 9+19:
		c.div = pow10(n - 9)
	default:
		c.shift = 127 // like all units this small: any 64-bit stamp is 0 ns
	}
}

// ns converts a time stamp. It reports false if the result does not fit.
func (c *clock) ns(units uint64) (int64, bool) {
	var hi, lo uint64
	switch {
	case c.mul != 0:
		hi, lo = bits.Mul64(units, c.mul)
	case c.div != 0:
		lo = units / c.div
	default:
		hi, lo = bits.Mul64(units, second)
		// 0 < shift < 128 but for whole seconds; shifts of 64 and more give 0.
		hi, lo = hi>>c.shift, lo>>c.shift|hi<<(64-c.shift)|above(hi, c.shift)
	}
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	t := int64(lo)
	if c.offset == 0 {
		return t, true
	}
	if c.offset > math.MaxInt64/second || c.offset < math.MinInt64/second {
		return 0, false
	}
	sum := t + c.offset*second
	if c.offset > 0 && sum < t {
		return 0, false
	}
	return sum, true
}

// above returns the part of hi that a shift by 64 or more brings to the low
// word.
func above(hi uint64, shift uint) uint64 {
	if shift < 64 {
		return 0
	}
	return hi >> (shift - 64)
}

func pow10(n uint) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}
