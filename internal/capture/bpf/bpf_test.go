package bpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/portolan/portolan/internal/packet"
)

// needLibrary skips a test where there is no libpcap.
func needLibrary(t testing.TB) {
	t.Helper()
	if _, err := Compile("ip", packet.LinkEthernet, 0); errors.Is(err, ErrNoLibrary) {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

func TestErrors(t *testing.T) {
	needLibrary(t)
	for _, c := range []struct {
		expr, want string
		pos        int
	}{
		{"tcp prot 80", `filter "tcp prot 80": column 5, at "prot": syntax error`, 4},
		{"tcp and or udp", `filter "tcp and or udp": column 9, at "or": syntax error`, 8},
		{"tcp port", `filter "tcp port": syntax error: something is missing at the end`, 8},
		{"(tcp", `filter "(tcp": syntax error: something is missing at the end`, 4},
		{"tcp) or udp", `filter "tcp) or udp": column 4, at ")": syntax error`, 3},
		{"tcp and port 99999", `filter "tcp and port 99999": column 14, at "99999": illegal port number 99999 > 65535`, 13},
		{"ip[2:3] = 1", `filter "ip[2:3] = 1": column 7, at "]": data size must be 1, 2, or 4`, 6},
		{"udp or net 10.0.0.1/8", `filter "udp or net 10.0.0.1/8": column 21, at "8": non-network bits set in "10.0.0.1/8"`, 20},
		{"vlan 5000", `filter "vlan 5000": column 6, at "5000": VLAN tag 5000 greater than maximum 4095`, 5},
		{"tcp\x00udp", `filter "tcp\x00udp": column 4, at "\x00udp": control character`, 3},
	} {
		_, err := Compile(c.expr, packet.LinkEthernet, 0)
		e, ok := errors.AsType[*SyntaxError](err)
		if !ok || e.Pos != c.pos || err.Error() != c.want {
			t.Errorf("%q: %v\nwant %s", c.expr, err, c.want)
		}
	}
}

// TestKernel checks what a packet socket cannot do.
func TestKernel(t *testing.T) {
	needLibrary(t)
	p, err := Compile("ip6 protochain 17", packet.LinkEthernet, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Kernel(false); err == nil || !strings.Contains(err.Error(), "leave out protochain") {
		t.Error(err)
	}
	hosts := func(n int) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprintf("host 10.%d.%d.1", i>>8, i&0xff))
		}
		return strings.Join(out, " or ")
	}
	p, err = Compile(hosts(200), packet.LinkEthernet, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Kernel(false); err != nil {
		t.Error(err)
	}
	if _, err := Compile(hosts(400), packet.LinkEthernet, 0); err == nil || err.Error() != "filter: 1199 words: 1000 at the most; networks take fewer than hosts" {
		t.Error(err)
	}
	if _, err := (Program{code: make([]Instruction, maxLen+1)}).Kernel(false); err == nil || err.Error() != "filter of 0 bytes: 4097 steps, the kernel takes 4096" {
		t.Error(err)
	}

	out, err := Snap(77).Kernel(true)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[uint32]uint32{0: 0, 3: 0, 4: 77} {
		if got := run(out, nil, 0, aside{pktType: kind}); got != want {
			t.Errorf("packet type %d: keeps %d, want %d", kind, got, want)
		}
	}
}

// TestLongJumps checks jumps that grow too long for their 8 bits.
func TestLongJumps(t *testing.T) {
	odd := Instruction{Op: opLdW, K: 13} // becomes many
	code := []Instruction{{Op: opLdB, K: 0}, {Op: opJeq, K: 1, Jt: 100, Jf: 0}}
	for range 100 {
		code = append(code, odd)
	}
	code = append(code, Instruction{Op: opRet, K: 7})
	got, err := reinsert(code)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(got); err != nil {
		t.Fatal(err)
	}
	for first, want := range map[byte]uint32{1: 7, 2: 0} { // what does not jump loads beyond the frame
		if n := run(got, []byte{first, 0}, 2, aside{}); n != want {
			t.Errorf("%d: %d, want %d", first, n, want)
		}
	}
}

// FuzzRun checks that no program that is said to be sound leaves its bounds.
func FuzzRun(f *testing.F) {
	f.Add([]byte{0x28, 0, 0, 0, 0, 0, 0, 12, 0x15, 0, 0, 1, 0, 0, 8, 0, 6, 0, 0, 0, 0, 4, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 60))
	f.Add([]byte{0x05, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 6, 0, 0, 0, 0, 0, 0, 0}, []byte{})
	f.Fuzz(func(t *testing.T, text, frame []byte) {
		var code []Instruction
		for ; len(text) >= 8 && len(code) < 200; text = text[8:] {
			code = append(code, Instruction{uint16(text[0]) | uint16(text[1])<<8, text[2], text[3], binary.BigEndian.Uint32(text[4:])})
		}
		if validate(code) != nil {
			return
		}
		run(code, frame, uint32(len(frame)), aside{})
		for i, ins := range code {
			if ins.Op == opJa && int64(i)+1+int64(ins.K) >= int64(len(code)) {
				return // back: Kernel refuses it
			}
		}
		moved, err := reinsert(code)
		if err != nil {
			return
		}
		if err := validate(moved); err != nil {
			t.Fatal(err)
		}
		run(moved, frame, uint32(len(frame)), aside{tagged: true})
	})
}

// FuzzWords checks that words neither overlap nor leave anything out.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"tcp port 80", "ip[2:2]>=\\tcp", "a&&b||!c", "\u00e4 \x80", "vlan\t10"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		end := 0
		for _, w := range words(s) {
			if w.start < end || w.end <= w.start || w.end > len(s) || strings.TrimSpace(s[end:w.start]) != "" {
				t.Fatalf("word %d-%d behind %d of %q", w.start, w.end, end, s)
			}
			end = w.end
		}
		if strings.TrimSpace(s[end:]) != "" {
			t.Fatalf("%q left over", s[end:])
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	needLibrary(b)
	f := ether53()
	for _, expr := range []string{"tcp port 443", "host 10.0.0.1 and port 53"} {
		b.Run(expr, func(b *testing.B) {
			p, err := Compile(expr, packet.LinkEthernet, 0)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				p.Match(f, uint32(len(f)))
			}
		})
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	needLibrary(t)
	p, err := Compile("host 10.0.0.1 and port 53", packet.LinkEthernet, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := ether53()
	if n := testing.AllocsPerRun(100, func() {
		if !p.Match(f, uint32(len(f))) {
			t.Error("no match")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// ether53 makes a question to a name server.
func ether53() []byte {
	return append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0}, ipv4(0x0a000001, 0x0a000002, 17, 5, 0, ports(40000, 53, 0)...)...)
}

func TestSnap(t *testing.T) {
	for _, p := range []Program{{}, Snap(0), Snap(100)} {
		if !p.Match(nil, 0) {
			t.Errorf("%v refuses a frame", p.Raw())
		}
	}
	if got := run(Snap(100).Raw(), nil, 0, aside{}); got != 100 {
		t.Errorf("keeps %d of 100 bytes", got)
	}
}
