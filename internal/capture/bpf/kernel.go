package bpf

import (
	"fmt"
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
