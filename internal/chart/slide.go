package chart

import "math"

// A block is a stretch of a column that wants to be somewhere.
type block struct {
	y, h int
	want float64 // y wanted
}

// slideAll sets the y of blocks, kept in their order and gap apart, between lo
// and hi, as close to what they want as possible (isotonic regression by
// pooling neighbours that would collide).
func slideAll(blocks []block, gap, lo, hi int) {
	type pool struct {
		sum float64 // of wants less offsets
		n   int
	}
	var pools []pool
	total := 0
	for _, b := range blocks {
		pools = append(pools, pool{b.want - float64(total), 1})
		total += b.h + gap
		for len(pools) > 1 {
			a, z := pools[len(pools)-2], pools[len(pools)-1]
			if a.sum*float64(z.n) <= z.sum*float64(a.n) {
				break
			}
			pools = append(pools[:len(pools)-2], pool{a.sum + z.sum, a.n + z.n})
		}
	}
	top := float64(hi - total + gap) // of the first block, so that the last one ends at hi
	i, offset := 0, 0
	for _, q := range pools {
		z := int(math.Round(max(min(q.sum/float64(q.n), top), float64(lo))))
		for range q.n {
			blocks[i].y = z + offset
			offset += blocks[i].h + gap
			i++
		}
	}
}
