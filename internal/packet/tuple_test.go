package packet

import (
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/portolan/portolan/internal/flow"
)

func TestTuple(t *testing.T) {
	for _, c := range []struct{ low, high string }{
		{"10.0.0.1:50000", "10.0.0.2:443"},
		{"10.0.0.1:443", "10.0.0.1:50000"},
		{"10.0.0.1:53", "10.0.0.1:53"},
		{"0.0.0.0:68", "255.255.255.255:67"},
		{"[2001:db8::1]:50000", "[2001:db8::2]:443"},
		{"[2001:db8::1]:443", "[2001:db8:1::]:50000"},
		{"[2001:db8::1]:443", "[2001:db8::1]:50000"},
		{"[::]:0", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
	} {
		low, high := netip.MustParseAddrPort(c.low), netip.MustParseAddrPort(c.high)
		there, second := MakeTuple(low, high, flow.TCP, 4094)
		back, first := MakeTuple(high, low, flow.TCP, 4094)
		if there != back || second || !first && low != high {
			t.Errorf("%s, %s: %x, %v; back %x, %v", c.low, c.high, there, second, back, first)
		}
		if there.Proto() != flow.TCP || there.VLAN() != 4094 || there.Is4() != low.Addr().Is4() {
			t.Errorf("%s: %v, vlan %d, is4 %v", c.low, there.Proto(), there.VLAN(), there.Is4())
		}
		want := flow.NewKey(flow.TCP, low, high)
		want.VLAN = 4094
		if got := there.Key(false); got != want {
			t.Errorf("%s: key %v, want %v", c.low, got, want)
		}
		if got := there.Key(true); got != want.Reverse() {
			t.Errorf("%s: key the other way %v, want %v", c.low, got, want.Reverse())
		}
	}
}

// Every bit of a tuple and of the seed changes about half of the hash.
func TestTupleHashAvalanche(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, is4 := range []bool{true, false} {
		some := func() Tuple {
			u := random.Uint64
			if is4 {
				return Tuple{u() >> 16, u() >> 16, 0, 0, u()>>52<<16 | 4<<8 | 6}
			}
			return Tuple{u(), u(), u(), u(), u()>>32<<32 | u()>>52<<16 | 6<<8 | 6}
		}
		for word := range 5 {
			for bit := range 64 {
				meaning := !is4 || word < 2 && bit < 48
				if word == 4 {
					meaning = bit < 8 || bit >= 16 && bit < 28 || bit >= 32 && !is4
				}
				if !meaning {
					continue
				}
				changed := 0
				const rounds = 200
				for range rounds {
					x, seed := some(), random.Uint64()
					y := x
					y[word] ^= 1 << bit
					changed += bits.OnesCount64(x.Hash(seed) ^ y.Hash(seed))
				}
				if mean := float64(changed) / rounds; mean < 24 || mean > 40 {
					t.Errorf("is4 %v, word %d, bit %d: %.1f bits change", is4, word, bit, mean)
				}
			}
		}
	}
}

// Who does not know the seed cannot find tuples that collide under every seed:
// neither by making a factor zero, nor by moving bits from one field to
// another.
func TestTupleHashCollisions(t *testing.T) {
	const n = 1 << 16
	for _, c := range []struct {
		name string
		make func(i uint64) Tuple
	}{
		{"lower end zeroes its factor", func(i uint64) Tuple { return Tuple{i, mix1, mix2, mix3, 6<<8 | 6} }},
		{"higher end zeroes its factor", func(i uint64) Tuple { return Tuple{0, mix1, mix2 ^ i<<32, mix3, 6<<8 | 6} }},
		{"address against vlan", func(i uint64) Tuple { v := i & 0xfff; return Tuple{i >> 12, 1<<40 ^ v<<16, 0, 0, v<<16 | 4<<8 | 6} }},
		{"one host, all ports", func(i uint64) Tuple { return Tuple{0x0a000001<<16 | i, 0x0a00000201bb, 0, 0, 4<<8 | 6} }},
	} {
		seen := make(map[uint32]int, n)
		worst := 0
		for i := range uint64(n) {
			x := c.make(i)
			h := uint32(x.Hash(0x0123456789abcdef))
			seen[h]++
			worst = max(worst, seen[h])
		}
		if worst > 4 {
			t.Errorf("%s: %d of %d tuples share half a hash", c.name, worst, n)
		}
	}
}
