package host

import (
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	const hosts, table = "# lab\n192.168.1.66 ubuntu-nuc nuc\n\nfd00::5\tdb # main\n", "192.168.1.66,ubuntu-nuc,vm\n"
	for _, c := range []struct {
		name, text string
		addr, want string
		kind       Kind
	}{
		{"hosts", hosts, "192.168.1.66", "ubuntu-nuc", Unknown},
		{"hosts, IPv6", hosts, "fd00::5", "db", Unknown},
		{"4-in-6", hosts, "::ffff:192.168.1.66", "ubuntu-nuc", Unknown},
		{"csv", table, "192.168.1.66", "ubuntu-nuc", Virtual},
		{"head", "address,name,kind\n" + table, "192.168.1.66", "ubuntu-nuc", Virtual},
		{"byte order mark", "\ufeffIP,Name\r\n" + table, "192.168.1.66", "ubuntu-nuc", Virtual},
		{"semicolons", "192.168.1.66;ubuntu, the nuc;physical\n", "192.168.1.66", "ubuntu, the nuc", Physical},
		{"quotes", `192.168.1.66, "a ""b"", c # d"` + "\n", "192.168.1.66", `a "b", c # d`, Unknown},
		{"comment", "# x\n  # y\n" + table, "192.168.1.66", "ubuntu-nuc", Virtual},
		{"zone", "fe80::1%eth0 router\n", "fe80::1%eth1", "router", Unknown},
		{"last name wins", "10.0.0.1 a\n10.0.0.1,b,vm\n", "10.0.0.1", "b", Virtual},
		{"bad UTF-8", "10.0.0.1 a\xff\n", "10.0.0.1", "a\ufffd", Unknown},
		{"no line end", "10.0.0.1 a", "10.0.0.1", "a", Unknown},
		{"unknown", "", "10.0.0.1", "", Unknown},
	} {
		n := NewNames()
		if err := n.Read(strings.NewReader(c.text), "f"); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		a := netip.MustParseAddr(c.addr)
		if n.Name(a) != c.want || n.Kind(a) != c.kind {
			t.Errorf("%s: %s is %q, kind %d; want %q, kind %d", c.name, a, n.Name(a), n.Kind(a), c.want, c.kind)
		}
	}
}

func TestReadErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"10.0.0.1 a\nlocalhost b\n", `f:2: "localhost" is no address`},
		{"10.0.0.1\n", "f:1: no name behind address 10.0.0.1"},
		{"10.0.0.1, ,vm\n", "f:1: no name behind address 10.0.0.1"},
		{"10.0.0.1 # a\n", "f:1: no name behind address 10.0.0.1"},
		{"10.0.0.1,a,toaster\n", `f:1: kind "toaster": must be vm or physical`},
		{"10.0.0.1,\"a\n", `f:1: column 12: extraneous or missing " in quoted-field`},
		{"10.0.0.0/8,a\n", `f:1: "10.0.0.0/8" is no address`},
		{"10.0.0.1 a\naddress,name\n", `f:2: "address" is no address`},
		{"10.0.0.1 " + strings.Repeat("a", maxLine), "f:1: the line is longer than 1048576 bytes"},
	} {
		err := NewNames().Read(strings.NewReader(c.text), "f")
		if err == nil || err.Error() != c.want {
			t.Errorf("%.40q: error %v, want %s", c.text, err, c.want)
		}
	}
	missing := filepath.Join(t.TempDir(), "none")
	if err := NewNames().ReadFile(missing); err == nil || err.Error() != missing+": no such file or directory" {
		t.Errorf("missing file: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"10.0.0.1 a b\n", "address,name\n10.0.0.1,\"x, y\",vm\n", "fd00::1;z", "#", "\ufeff", "1.2.3.4,\"\n\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := NewNames()
		if err := n.Read(strings.NewReader(s), "f"); err != nil && !strings.HasPrefix(err.Error(), "f:") {
			t.Errorf("the error does not say where: %v", err)
		}
		if len(n.machines) > strings.Count(s, "\n")+1 {
			t.Errorf("%d machines of %q", len(n.machines), s)
		}
	})
}
