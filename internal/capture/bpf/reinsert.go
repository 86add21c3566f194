package bpf

import (
	"errors"
	"math"
)

// The place of a VLAN tag in an Ethernet frame, in bytes.
const tagStart, tagEnd = 12, 16

// reinsert returns code, which is about Ethernet frames with a VLAN tag, for
// the same frames whose tag stands aside. One thing is different: what is
// loaded from a place that the program computes, and that lies within the tag,
// ends it with 0.
func reinsert(code []Instruction) ([]Instruction, error) {
	keepA, keepX, err := freeMemory(code)
	if err != nil {
		return nil, err
	}
	parts := make([][]Instruction, len(code))
	for i, ins := range code {
		parts[i] = reinsertOne(ins, keepA, keepX)
	}
	return link(code, parts), nil
}

// freeMemory returns two words of memory that code does not use.
func freeMemory(code []Instruction) (a, b uint32, err error) {
	var used [memory]bool
	for _, ins := range code {
		class := ins.Op & classMask
		if class == classSt || class == classStx || class <= classLdx && ins.Op&modeMask == modeMem {
			used[ins.K] = true
		}
	}
	var free []uint32
	for i, taken := range used {
		if !taken {
			free = append(free, uint32(i))
		}
	}
	if len(free) < 2 {
		return 0, 0, errors.New("too large to be used with VLAN tags: the program has no memory left")
	}
	return free[0], free[1], nil
}

// link joins parts, which take the place of the steps of code, and leads jumps
// to where they led.
func link(code []Instruction, parts [][]Instruction) []Instruction {
	long := make([]bool, len(code)) // conditional jumps too far for 8 bits
	at := make([]int, len(code))
	for {
		n, again := 0, false
		for i, part := range parts {
			at[i] = n
			n += len(part)
			if long[i] {
				n += 2
			}
		}
		for i, ins := range code {
			if ins.Op&classMask == classJmp && ins.Op != opJa && !long[i] {
				long[i] = at[i+1+int(max(ins.Jt, ins.Jf))]-at[i]-1 > math.MaxUint8
				again = again || long[i]
			}
		}
		if !again {
			break
		}
	}
	var out []Instruction
	for i, ins := range code {
		to := func(skip uint32) uint32 { return uint32(at[i+1+int(skip)] - len(out) - 1) }
		switch {
		case ins.Op&classMask != classJmp:
			out = append(out, parts[i]...)
		case ins.Op == opJa:
			out = append(out, Instruction{Op: opJa, K: to(ins.K)})
		case long[i]:
			out = append(out, Instruction{Op: ins.Op, K: ins.K, Jt: 0, Jf: 1})
			out = append(out, Instruction{Op: opJa, K: to(uint32(ins.Jt))})
			out = append(out, Instruction{Op: opJa, K: to(uint32(ins.Jf))})
		default:
			out = append(out, Instruction{Op: ins.Op, K: ins.K, Jt: uint8(to(uint32(ins.Jt))), Jf: uint8(to(uint32(ins.Jf)))})
		}
	}
	return out
}

// reinsertOne returns what takes the place of one step.
func reinsertOne(ins Instruction, keepA, keepX uint32) []Instruction {
	class, mode := ins.Op&classMask, ins.Op&modeMask
	size := uint32(4)
	switch {
	case class == classLdx: // of a frame it loads bytes only
		size = 1
	case ins.Op&sizeMask == sizeHalf:
		size = 2
	case ins.Op&sizeMask == sizeByte:
		size = 1
	}
	switch {
	case class > classLdx || mode == modeImm || mode == modeMem:
		return []Instruction{ins}
	case class == classLd && mode == modeLen:
		return []Instruction{ins, {Op: opAdd, K: tagEnd - tagStart}}
	case mode == modeLen:
		return []Instruction{
			{Op: classSt, K: keepA}, {Op: opLen}, {Op: opAdd, K: tagEnd - tagStart},
			{Op: opTax}, {Op: opLdMem, K: keepA},
		}
	case ins.K >= tagEnd:
		ins.K -= tagEnd - tagStart
		return []Instruction{ins}
	case mode == modeInd:
		return []Instruction{
			{Op: opTxa}, {Op: opAdd, K: ins.K},
			{Op: opJge, K: tagEnd, Jt: 4},
			{Op: opJgt, K: tagStart - size, Jf: 1},
			{Op: opRet},
			ins, {Op: opJa, K: 5},
			{Op: classStx, K: keepX}, {Op: opSub, K: tagEnd - tagStart},
			{Op: opTax}, {Op: ins.Op}, {Op: opLdxMem, K: keepX},
		}
	case ins.K+size <= tagStart:
		return []Instruction{ins}
	case class == classLdx:
		out := append([]Instruction{{Op: classSt, K: keepA}}, tagByte(ins.K)...)
		return append(out, Instruction{Op: opAnd, K: 0xf}, Instruction{Op: opLsh, K: 2},
			Instruction{Op: opTax}, Instruction{Op: opLdMem, K: keepA})
	case ins.K == tagStart && size == 2:
		return []Instruction{{Op: opLdW, K: loadTagType}}
	case ins.K == tagStart+2 && size == 2:
		return []Instruction{{Op: opLdW, K: loadTag}}
	case size == 1:
		return tagByte(ins.K)
	}
	out := append([]Instruction{{Op: classStx, K: keepX}}, tagByte(ins.K)...)
	for k := ins.K + 1; k < ins.K+size; k++ {
		out = append(out, Instruction{Op: opLsh, K: 8}, Instruction{Op: opTax})
		out = append(out, tagByte(k)...)
		out = append(out, Instruction{Op: opOr | srcX})
	}
	return append(out, Instruction{Op: opLdxMem, K: keepX})
}

// tagByte loads the byte at k, which may be one of the tag.
func tagByte(k uint32) []Instruction {
	switch {
	case k < tagStart:
		return []Instruction{{Op: opLdB, K: k}}
	case k >= tagEnd:
		return []Instruction{{Op: opLdB, K: k - (tagEnd - tagStart)}}
	}
	from := uint32(loadTagType)
	if k >= tagStart+2 {
		from = loadTag
	}
	if k&1 == 0 {
		return []Instruction{{Op: opLdW, K: from}, {Op: opRsh, K: 8}}
	}
	return []Instruction{{Op: opLdW, K: from}, {Op: opAnd, K: 0xff}}
}
