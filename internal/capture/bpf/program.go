// Package bpf compiles pcap-filter(7) expressions into programs of the classic
// packet filter.
package bpf

import (
	"errors"
	"fmt"
	"slices"

	"github.com/portolan/portolan/internal/packet"
)

// DefaultSnap is how many bytes of a frame are kept where nobody says less:
// all of it, as in tcpdump.
const DefaultSnap = 262144

// maxLen is how many instructions the Linux kernel takes (BPF_MAXINSNS).
const maxLen = 4096

// ErrNoLibrary is wrapped by Compile when libpcap, which does the work, cannot
// be used.
var ErrNoLibrary = errors.New("filter expressions need libpcap (Debian: apt install libpcap0.8)")

// An Instruction is one step of a program. Its layout is that of the kernel's
// struct sock_filter.
type Instruction struct {
	Op     uint16
	Jt, Jf uint8 // steps to skip of a conditional jump, when true and when false
	K      uint32
}

// A Program decides over frames of one link type. It is immutable; the zero
// Program takes every frame.
type Program struct {
	code []Instruction
	expr string
	link packet.LinkType
	snap uint32
}

// Snap returns a program that takes every frame and keeps snap bytes of it; 0
// stands for DefaultSnap.
func Snap(snap uint32) Program {
	if snap == 0 {
		snap = DefaultSnap
	}
	return Program{code: []Instruction{{Op: opRet, K: snap}}, snap: snap}
}

// Compile compiles a pcap-filter(7) expression for frames that begin with
// link, as tcpdump does; "" takes every frame. Of a frame that matches snap
// bytes are kept, 0 stands for DefaultSnap. Names of hosts are looked up, which
// may take its time.
//
// A mistake in the expression is a *SyntaxError.
func Compile(expr string, link packet.LinkType, snap uint32) (Program, error) {
	p := Snap(snap)
	p.link = link
	n := len(words(expr))
	if n == 0 {
		return p, nil
	}
	if err := check(expr, n); err != nil {
		return Program{}, err
	}
	code, err := compile(expr, link, p.snap)
	if msg, ok := errors.AsType[message](err); ok {
		return Program{}, newSyntaxError(expr, link, string(msg))
	}
	if err != nil {
		return Program{}, err
	}
	if err := validate(code); err != nil {
		return Program{}, fmt.Errorf("filter %q: libpcap's program: %w", expr, err)
	}
	p.code, p.expr = code, expr
	return p, nil
}

// Match reports whether p takes a frame: data is what was captured of it, wire
// its length on the wire in bytes.
func (p Program) Match(data []byte, wire uint32) bool {
	return len(p.code) == 0 || run(p.code, data, wire, aside{}) != 0
}

// Raw returns the instructions. The caller must not change them.
func (p Program) Raw() []Instruction { return slices.Clip(p.code) }

// String returns the expression.
func (p Program) String() string { return p.expr }
