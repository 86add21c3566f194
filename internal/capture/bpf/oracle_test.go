package bpf

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	xbpf "golang.org/x/net/bpf"

	"github.com/portolan/portolan/internal/capture"
	"github.com/portolan/portolan/internal/packet"
)

// writeCapture writes a pcap file; the time of a frame is its number.
func writeCapture(t *testing.T, path string, link packet.LinkType, frames [][]byte, wire func(int) int) {
	t.Helper()
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	b = le.AppendUint16(le.AppendUint16(b, 2), 4)
	b = le.AppendUint64(b, 0)
	b = le.AppendUint32(le.AppendUint32(b, DefaultSnap), uint32(link))
	for i, f := range frames {
		b = le.AppendUint32(le.AppendUint32(b, uint32(i)), 0)
		b = le.AppendUint32(le.AppendUint32(b, uint32(len(f))), uint32(wire(len(f))))
		b = append(b, f...)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// tcpdump returns the numbers of the frames that it takes.
func tcpdump(t *testing.T, path, expr string) []int {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	cmd := exec.Command("tcpdump", "-n", "-r", path, "-w", out, "--", expr)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", expr, err, text)
	}
	f, err := capture.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var taken []int
	for batch := make([]packet.Frame, 64); ; {
		n, err := f.ReadBatch(batch)
		for _, f := range batch[:n] {
			taken = append(taken, int(f.Time/1e9))
		}
		if errors.Is(err, io.EOF) {
			return taken
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestLikeTcpdump compares with tcpdump over a file, frame by frame.
func TestLikeTcpdump(t *testing.T) {
	needLibrary(t)
	if _, err := exec.LookPath("tcpdump"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ether := append(frames(), captured(t)...)
	var raw, cooked [][]byte
	for _, f := range ether {
		if len(f) < 40 {
			continue
		}
		switch kind := binary.BigEndian.Uint16(f[12:]); kind {
		case 0x0800, 0x86dd:
			raw = append(raw, f[14:])
			fallthrough
		default:
			head := []byte{0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, f[12], f[13]}
			cooked = append(cooked, append(head, f[14:]...))
		}
	}
	total, differ := 0, 0
	for _, c := range []struct {
		name   string
		link   packet.LinkType
		frames [][]byte
		more   int // bytes that were on the wire and not captured
	}{
		{"ethernet", packet.LinkEthernet, ether, 0},
		{"cut", packet.LinkEthernet, ether[:300], 100},
		{"raw", packet.LinkRaw, raw, 0},
		{"cooked", packet.LinkSLL, cooked, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			wire := func(n int) int { return n + c.more }
			path := filepath.Join(t.TempDir(), "in")
			writeCapture(t, path, c.link, c.frames, wire)
			matched := 0
			for _, expr := range expressions() {
				p, err := Compile(expr, c.link, 0)
				if err != nil {
					if c.link == packet.LinkEthernet && !strings.Contains(err.Error(), "expression rejects all packets") {
						t.Error(err)
					}
					continue
				}
				var got []int
				for i, f := range c.frames {
					if p.Match(f, uint32(wire(len(f)))) {
						got = append(got, i)
					}
				}
				total++
				matched += len(got)
				if diff := cmp.Diff(tcpdump(t, path, expr), got); diff != "" {
					differ++
					t.Errorf("%q: %s", expr, diff)
				}
			}
			if matched == 0 {
				t.Error("nothing matches anything")
			}
		})
	}
	t.Logf("%d programs, %d differ", total, differ)
}

// TestMachine compares with the interpreter of golang.org/x/net/bpf.
func TestMachine(t *testing.T) {
	needLibrary(t)
	all := frames()
	ran := 0
	for _, expr := range expressions() {
		p, err := Compile(expr, packet.LinkEthernet, 0)
		// It knows no jump back and no negation.
		if err != nil || strings.Contains(expr, "protochain") || strings.HasPrefix(expr, "-") {
			continue
		}
		var code []xbpf.Instruction
		for _, ins := range p.Raw() {
			code = append(code, xbpf.RawInstruction{Op: ins.Op, Jt: ins.Jt, Jf: ins.Jf, K: ins.K}.Disassemble())
		}
		vm, err := xbpf.NewVM(code)
		if err != nil {
			t.Fatal(err)
		}
		ran++
		for _, f := range all {
			want, err := vm.Run(f)
			if err != nil {
				t.Fatal(err)
			}
			if got := run(p.Raw(), f, uint32(len(f)), aside{}); int(got) != want {
				t.Errorf("%q: %x: %d, want %d", expr, f, got, want)
			}
		}
	}
	if ran < 250 {
		t.Errorf("only %d programs ran", ran)
	}
}

// TestReinsert checks that a program of the kernel takes a frame whose tag
// stands aside when its origin takes the frame with the tag in place.
func TestReinsert(t *testing.T) {
	needLibrary(t)
	all := append(frames(), captured(t)...)
	ran, matched := 0, 0
	for _, expr := range expressions() {
		p, err := Compile(expr, packet.LinkEthernet, 0)
		if err != nil || !p.hasWord("vlan") {
			continue
		}
		code, err := p.Kernel(false)
		if err != nil {
			t.Errorf("%q: %v", expr, err)
			continue
		}
		if err := validate(code); err != nil {
			t.Errorf("%q: %v", expr, err)
		}
		ran++
		for _, f := range all {
			want, stripped, kernel := p.Match(f, uint32(len(f))), f, aside{}
			if len(f) >= tagEnd {
				switch kind := binary.BigEndian.Uint16(f[tagStart:]); kind {
				case 0x8100, 0x88a8:
					kernel = aside{tagged: true, tagType: kind, tag: binary.BigEndian.Uint16(f[tagStart+2:])}
					stripped = append(append([]byte(nil), f[:tagStart]...), f[tagEnd:]...)
				}
			}
			if got := run(code, stripped, uint32(len(stripped)), kernel) != 0; got != want {
				t.Errorf("%q: %x: %v, want %v", expr, f, got, want)
			}
			if want {
				matched++
			}
		}
	}
	if ran < 100 || matched == 0 {
		t.Errorf("%d programs ran, took %d frames", ran, matched)
	}
}

// TestReinsertLoads checks every single load over the whole frame, and that it
// keeps the other register.
func TestReinsertLoads(t *testing.T) {
	f := make([]byte, 24)
	for i := range f {
		f[i] = byte(0x31 + i*7)
	}
	kernel := aside{tagged: true, tagType: binary.BigEndian.Uint16(f[tagStart:]), tag: binary.BigEndian.Uint16(f[tagStart+2:])}
	stripped := append(append([]byte(nil), f[:tagStart]...), f[tagEnd:]...)
	check := func(within bool, code ...Instruction) {
		t.Helper()
		code = append(code, Instruction{Op: opAdd | srcX}, Instruction{Op: opRetA})
		moved, err := reinsert(code)
		if err != nil {
			t.Fatal(err)
		}
		want := run(code, f, 24, aside{})
		if within {
			want = 0
		}
		if got := run(moved, stripped, 20, kernel); got != want {
			t.Errorf("%v: %#x, want %#x", code, got, want)
		}
	}
	sizes := map[uint16]uint32{sizeWord: 4, sizeHalf: 2, sizeByte: 1}
	for k := range uint32(26) {
		for op, size := range sizes {
			check(false, Instruction{Op: classLdx, K: 5}, Instruction{Op: classLd | modeAbs | op, K: k})
			for x := range uint32(26) {
				at := k + x
				check(k < tagEnd && at < tagEnd && at+size > tagStart, Instruction{Op: classLdx, K: x}, Instruction{Op: classLd | modeInd | op, K: k})
			}
		}
		check(false, Instruction{Op: classLd, K: 9}, Instruction{Op: classLdx | sizeByte | modeMsh, K: k})
	}
	check(false, Instruction{Op: classLdx, K: 5}, Instruction{Op: opLen})
	check(false, Instruction{Op: classLd, K: 9}, Instruction{Op: classLdx | modeLen})
}
