package host

import (
	"net/netip"
	"testing"
)

func TestNetwork(t *testing.T) {
	n := NewNames()
	n.AddNetwork(netip.MustParsePrefix("10.9.9.9/8"), "Campus")
	n.AddNetwork(netip.MustParsePrefix("10.1.0.0/16"), "old title")
	n.AddNetwork(netip.MustParsePrefix("10.1.0.0/16"), "")
	n.AddNetwork(netip.MustParsePrefix("198.51.0.0/16"), "Branch")
	n.AddNetwork(netip.MustParsePrefix("::ffff:172.16.0.0/112"), "")
	n.AddNetwork(netip.MustParsePrefix("2606:4700::/32"), "Provider")
	for addr, want := range map[string]string{
		"192.168.1.5": "192.168.1.0/24", "10.9.9.9": "Campus", "10.1.2.3": "10.1.0.0/16", "::ffff:10.1.2.3": "10.1.0.0/16",
		"10.1.255.255": Groups, "10.255.255.255": Groups, "10.2.0.255": "Campus", "192.168.1.255": Groups,
		"8.8.8.8": Internet, "8.8.8.255": Internet, "198.51.7.7": "Branch", "172.16.3.4": "172.16.0.0/16", "172.17.3.4": "172.17.3.0/24",
		"100.64.1.2": "100.64.1.0/24", "127.3.2.1": "127.0.0.0/8", "127.255.255.255": "127.0.0.0/8", "169.254.7.7": "169.254.0.0/16",
		"fd00::1": "fd00::/64", "fe80::1%eth0": "fe80::/64", "2606:4700::1": "Provider", "2607::1": Internet, "::1": "::/64",
		"224.0.0.251": Groups, "ff02::fb": Groups, "255.255.255.255": Groups,
	} {
		if got := n.Network(netip.MustParseAddr(addr)); got != want {
			t.Errorf("network of %s = %q, want %q", addr, got, want)
		}
	}
	if got := n.Network(netip.Addr{}); got != "invalid IP" {
		t.Errorf("network of no address = %q", got)
	}
}

func TestIsPublic(t *testing.T) {
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "::ffff:8.8.8.8": true, "2606:4700::1": true, "172.32.0.1": true, "100.128.0.1": true, "11.0.0.1": true,
		"10.0.0.1": false, "::ffff:10.0.0.1": false, "172.31.255.255": false, "192.168.0.1": false, "100.64.0.1": false,
		"127.0.0.1": false, "169.254.0.1": false, "0.0.0.0": false, "192.0.2.1": false, "198.19.0.1": false, "203.0.113.9": false,
		"224.0.0.1": false, "255.255.255.255": false, "::1": false, "::": false, "fd00::1": false, "fe80::1%eth0": false,
		"2001:db8::1": false, "ff02::1": false,
	} {
		if got := IsPublic(netip.MustParseAddr(addr)); got != want {
			t.Errorf("IsPublic(%s) = %v, want %v", addr, got, want)
		}
	}
}

// TestLongestPrefixWins does not depend on the order in which networks came.
func TestLongestPrefixWins(t *testing.T) {
	prefixes := []string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.128/25", "10.2.0.0/16"}
	for turn := range prefixes {
		n := NewNames()
		for i := range prefixes {
			n.AddNetwork(netip.MustParsePrefix(prefixes[(i+turn)%len(prefixes)]), "")
		}
		for addr, want := range map[string]string{
			"10.1.2.200": "10.1.2.128/25", "10.1.2.3": "10.1.2.0/24", "10.1.9.9": "10.1.0.0/16", "10.2.9.9": "10.2.0.0/16", "10.7.7.7": "10.0.0.0/8",
		} {
			if got := n.Network(netip.MustParseAddr(addr)); got != want {
				t.Errorf("turn %d: network of %s = %q, want %q", turn, addr, got, want)
			}
		}
	}
}
