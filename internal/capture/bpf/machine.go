package bpf

import (
	"encoding/binary"
	"fmt"
)

// Parts of an operation's code (linux/bpf_common.h).
const (
	classMask = 0x07
	classLd   = 0x00
	classLdx  = 0x01
	classSt   = 0x02
	classStx  = 0x03
	classALU  = 0x04
	classJmp  = 0x05
	classRet  = 0x06
	classMisc = 0x07

	sizeMask = 0x18
	sizeWord = 0x00
	sizeHalf = 0x08
	sizeByte = 0x10

	modeMask = 0xe0
	modeImm  = 0x00
	modeAbs  = 0x20
	modeInd  = 0x40
	modeMem  = 0x60
	modeLen  = 0x80
	modeMsh  = 0xa0

	srcX = 0x08

	opRet    = classRet        // return K
	opRetA   = classRet | 0x10 // return A
	opJa     = classJmp
	opJeq    = classJmp | 0x10
	opJgt    = classJmp | 0x20
	opJge    = classJmp | 0x30
	opLdW    = classLd | modeAbs
	opLdB    = classLd | sizeByte | modeAbs
	opLdMem  = classLd | modeMem
	opLdxMem = classLdx | modeMem
	opLen    = classLd | modeLen
	opAdd    = classALU
	opSub    = classALU | 0x10
	opOr     = classALU | 0x40
	opAnd    = classALU | 0x50
	opLsh    = classALU | 0x60
	opRsh    = classALU | 0x70
	opTax    = classMisc
	opTxa    = classMisc | 0x80
)

// memory is how many words of scratch memory there are (BPF_MEMWORDS).
const memory = 16

// maxSteps bounds a run. Only "protochain" jumps back, once for each header.
const maxSteps = 1 << 16

// ancillary is where the kernel lets a program load what does not stand in the
// frame (SKF_AD_OFF); what is loaded is added (linux/filter.h).
const (
	ancillary   = 0xfffff000
	loadPktType = ancillary + 4
	loadTag     = ancillary + 44 // tag control information
	loadTagged  = ancillary + 48 // 1 if a tag was taken off
	loadTagType = ancillary + 60 // its EtherType
	pktOutgoing = 4              // PACKET_OUTGOING
)

// aside is what the kernel knows of a frame that does not stand in it.
type aside struct {
	pktType uint32
	tagged  bool
	tag     uint16
	tagType uint16
}

func (a aside) load(k uint32) (uint32, bool) {
	switch k {
	case loadPktType:
		return a.pktType, true
	case loadTag:
		return uint32(a.tag), true
	case loadTagType:
		return uint32(a.tagType), true
	case loadTagged:
		if a.tagged {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// validate makes sure that run does not leave the program or its memory.
func validate(code []Instruction) error {
	for i, ins := range code {
		next := true
		switch ins.Op & classMask {
		case classLd, classLdx:
			if ins.Op&modeMask == modeMem && ins.K >= memory {
				return fmt.Errorf("step %d: memory word %d of %d", i, ins.K, memory)
			}
		case classSt, classStx:
			if ins.K >= memory {
				return fmt.Errorf("step %d: memory word %d of %d", i, ins.K, memory)
			}
		case classJmp:
			next = false
			if ins.Op == opJa {
				if to := int64(i) + 1 + int64(int32(ins.K)); to < 0 || to >= int64(len(code)) {
					return fmt.Errorf("step %d: jump to %d of %d", i, to, len(code))
				}
				break
			}
			if to := i + 1 + int(max(ins.Jt, ins.Jf)); to >= len(code) {
				return fmt.Errorf("step %d: jump to %d of %d", i, to, len(code))
			}
		case classRet:
			next = false
		}
		if next && i == len(code)-1 {
			return fmt.Errorf("step %d: no return", i)
		}
	}
	return nil
}

// run runs a sound program over a frame and returns how many bytes it keeps. A
// load beyond what was captured ends it with 0.
func run(code []Instruction, data []byte, wire uint32, kernel aside) uint32 {
	var a, x uint32
	var mem [memory]uint32
	for pc, steps := 0, 0; pc < len(code) && steps < maxSteps; pc, steps = pc+1, steps+1 {
		ins := &code[pc]
		k := ins.K
		switch ins.Op & classMask {
		case classLd:
			v, ok := uint32(0), true
			switch ins.Op & modeMask {
			case modeImm:
				v = k
			case modeLen:
				v = wire
			case modeMem:
				v = mem[k]
			case modeAbs:
				if v, ok = kernel.load(k); !ok {
					v, ok = load(data, uint64(k), ins.Op)
				}
			case modeInd:
				v, ok = load(data, uint64(x)+uint64(k), ins.Op)
			default:
				ok = false
			}
			if !ok {
				return 0
			}
			a = v
		case classLdx:
			switch ins.Op & modeMask {
			case modeImm:
				x = k
			case modeLen:
				x = wire
			case modeMem:
				x = mem[k]
			case modeMsh:
				v, ok := load(data, uint64(k), sizeByte)
				if !ok {
					return 0
				}
				x = v & 0xf << 2
			default:
				return 0
			}
		case classSt:
			mem[k] = a
		case classStx:
			mem[k] = x
		case classALU:
			if ins.Op&srcX != 0 {
				k = x
			}
			var ok bool
			if a, ok = alu(ins.Op, a, k); !ok {
				return 0
			}
		case classJmp:
			if ins.Op == opJa {
				pc += int(int32(k))
				break
			}
			if ins.Op&srcX != 0 {
				k = x
			}
			if holds(ins.Op, a, k) {
				pc += int(ins.Jt)
			} else {
				pc += int(ins.Jf)
			}
		case classRet:
			switch ins.Op {
			case opRetA:
				return a
			case opRet | srcX:
				return x
			}
			return k
		case classMisc:
			if ins.Op&0xf8 == 0 {
				x = a
			} else {
				a = x
			}
		}
	}
	return 0
}

// load reads a number of op's size.
func load(data []byte, at uint64, op uint16) (uint32, bool) {
	n := uint64(len(data))
	switch op & sizeMask {
	case sizeWord:
		if at+4 <= n {
			return binary.BigEndian.Uint32(data[at:]), true
		}
	case sizeHalf:
		if at+2 <= n {
			return uint32(binary.BigEndian.Uint16(data[at:])), true
		}
	case sizeByte:
		if at < n {
			return uint32(data[at]), true
		}
	}
	return 0, false
}

// alu computes; it reports false where there is no result.
func alu(op uint16, a, k uint32) (uint32, bool) {
	switch op & 0xf0 {
	case 0x00:
		return a + k, true
	case 0x10:
		return a - k, true
	case 0x20:
		return a * k, true
	case 0x30:
		if k == 0 {
			return 0, false
		}
		return a / k, true
	case 0x40:
		return a | k, true
	case 0x50:
		return a & k, true
	case 0x60:
		return a << k, true // 0 from 32 bits on
	case 0x70:
		return a >> k, true
	case 0x80:
		return -a, true
	case 0x90:
		if k == 0 {
			return 0, false
		}
		return a % k, true
	case 0xa0:
		return a ^ k, true
	}
	return 0, false
}

// holds compares as a conditional jump says.
func holds(op uint16, a, k uint32) bool {
	switch op & 0xf0 {
	case 0x10:
		return a == k
	case 0x20:
		return a > k
	case 0x30:
		return a >= k
	case 0x40:
		return a&k != 0
	}
	return false
}
