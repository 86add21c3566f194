package bpf

import (
	"fmt"
	"math"
	"strings"

	"github.com/portolan/portolan/internal/packet"
)

// Kernel returns p for a packet socket of Linux, to which frames come without
// their outermost VLAN tag. Where the expression speaks of VLANs the program
// sees the frame as it was on the wire, tag in place; else it looks at what
// comes behind the tag, as tcpdump does on an interface. With outgoing it
// takes only frames that this host sends.
func (p Program) Kernel(outgoing bool) ([]Instruction, error) {
	code := p.code
	if len(code) == 0 {
		code = Snap(p.snap).code
	}
	for i, ins := range code {
		if ins.Op == opJa && int32(ins.K) < 0 {
			return nil, fmt.Errorf("filter %q: step %d jumps back, which the kernel does not run: leave out protochain", p.expr, i)
		}
	}
	if p.link == packet.LinkEthernet && p.hasWord("vlan") {
		tagged, err := reinsert(code)
		if err != nil {
			return nil, fmt.Errorf("filter %q: %w", p.expr, err)
		}
		code = append(append([]Instruction{
			{Op: opLdW, K: loadTagged},
			{Op: opJeq, K: 0, Jf: 1},
			{Op: opJa, K: uint32(len(tagged))},
		}, tagged...), code...)
	}
	if outgoing {
		code = append([]Instruction{
			{Op: opLdW, K: loadPktType},
			{Op: opJeq, K: pktOutgoing, Jt: 1},
			{Op: opRet, K: 0},
		}, code...)
	}
	if len(code) > maxLen {
		return nil, fmt.Errorf("filter of %d bytes: %d steps, the kernel takes %d", len(p.expr), len(code), maxLen)
	}
	return code, nil
}

func (p Program) hasWord(name string) bool {
	for _, w := range words(p.expr) {
		if strings.EqualFold(p.expr[w.start:w.end], name) {
			return true
		}
	}
	return false
}

// The place of a VLAN tag in an Ethernet frame, in bytes.
const tagStart, tagEnd = 12, 16

// reinsert returns code, which is about frames with a VLAN tag, for the same
// frames whose tag stands aside.
func reinsert(code []Instruction) ([]Instruction, error) {
	var out []Instruction
	at := make([]int, len(code)) // where a step went
	for i, ins := range code {
		at[i] = len(out)
		steps, err := reinsertOne(ins)
		if err != nil {
			return nil, fmt.Errorf("step %d: %w", i, err)
		}
		out = append(out, steps...)
	}
	for i, ins := range code {
		if ins.Op&classMask != classJmp {
			continue
		}
		moved := &out[at[i]]
		if ins.Op == opJa {
			moved.K = uint32(at[i+1+int(ins.K)] - at[i] - 1)
			continue
		}
		jt, jf := at[i+1+int(ins.Jt)]-at[i]-1, at[i+1+int(ins.Jf)]-at[i]-1
		if max(jt, jf) > math.MaxUint8 {
			return nil, fmt.Errorf("step %d: too long a jump", i)
		}
		moved.Jt, moved.Jf = uint8(jt), uint8(jf)
	}
	return out, nil
}

// reinsertOne returns what takes the place of one step.
func reinsertOne(ins Instruction) ([]Instruction, error) {
	class, mode := ins.Op&classMask, ins.Op&modeMask
	size := map[uint16]uint32{sizeWord: 4, sizeHalf: 2, sizeByte: 1}[ins.Op&sizeMask]
	switch {
	case class != classLd && class != classLdx || mode == modeImm || mode == modeMem:
		return []Instruction{ins}, nil
	case class == classLd && mode == modeLen:
		return []Instruction{ins, {Op: opAdd, K: tagEnd - tagStart}}, nil
	case mode == modeLen:
		return nil, fmt.Errorf("the length is used in a way that is not known here")
	case ins.K >= tagEnd:
		ins.K -= tagEnd - tagStart
		return []Instruction{ins}, nil
	case mode == modeInd:
		return nil, fmt.Errorf("a place within the first %d bytes is computed; with \"vlan\" that cannot be done", tagEnd)
	case ins.K+size <= tagStart:
		return []Instruction{ins}, nil
	case class == classLdx || ins.K < tagStart || ins.K+size > tagEnd || size == 4 || ins.K&1+size > 2:
		return nil, fmt.Errorf("%d bytes at %d: the VLAN tag begins or ends within", size, ins.K)
	}
	from := uint32(loadTagType)
	if ins.K >= tagStart+2 {
		from = loadTag
	}
	out := []Instruction{{Op: opLdW, K: from}}
	switch {
	case size == 1 && ins.K&1 == 0:
		out = append(out, Instruction{Op: opRsh, K: 8})
	case size == 1:
		out = append(out, Instruction{Op: opAnd, K: 0xff})
	}
	return out, nil
}
