package bpf

import (
	"errors"
	"os"
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
