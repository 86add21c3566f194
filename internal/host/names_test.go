package host

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, text, err string }{
		{"hosts", "# lab\n192.168.1.66 ubuntu-nuc nuc\n\nfd00::5\tdb # main\n", ""},
		{"csv", "address,name,kind\n192.168.1.66,ubuntu-nuc,vm\nfd00::5,db,physical\n", ""},
		{"word", "10.0.0.1 a\nlocalhost b\n", `:2: "localhost" is no address`},
		{"bare", "10.0.0.1\n", ":1: no name behind address 10.0.0.1"},
		{"kind", "10.0.0.1,a,toaster\n", `:1: kind "toaster": must be vm or physical`},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		n := NewNames()
		err := n.ReadFile(path)
		if c.err != "" {
			if err == nil || err.Error() != path+c.err {
				t.Errorf("%s: error %v, want %s", c.name, err, path+c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if n.Name(netip.MustParseAddr("::ffff:192.168.1.66")) != "ubuntu-nuc" || n.Name(netip.MustParseAddr("fd00::5")) != "db" {
			t.Errorf("%s: names %v", c.name, n.names)
		}
	}
}

func TestNetwork(t *testing.T) {
	n := NewNames()
	n.AddNetwork(netip.MustParsePrefix("10.0.0.0/8"), "Campus")
	n.AddNetwork(netip.MustParsePrefix("10.1.0.0/16"), "")
	for addr, want := range map[string]string{
		"192.168.1.5": "192.168.1.0/24", "10.9.9.9": "Campus", "10.1.2.3": "10.1.0.0/16", "8.8.8.8": "Internet",
		"100.64.1.2": "100.64.1.0/24", "fd00::1": "fd00::/64", "2606:4700::1": "Internet", "224.0.0.251": "Groups",
	} {
		if got := n.Network(netip.MustParseAddr(addr)); got != want {
			t.Errorf("network of %s = %q, want %q", addr, got, want)
		}
	}
}
