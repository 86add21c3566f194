package ndpi

import (
	"net/netip"
	"testing"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

func key(proto flow.Proto, client, server string) flow.Key {
	return flow.NewKey(proto, netip.MustParseAddrPort(client), netip.MustParseAddrPort(server))
}

// Our decoder is the judge of what we write.
func TestOpenerIsAPacketOfItsConversation(t *testing.T) {
	for _, k := range []flow.Key{
		key(flow.TCP, "10.0.0.1:40000", "192.0.2.1:443"),
		key(flow.TCP, "[2001:db8::9]:40000", "[2001:db8::1]:443"),
		key(flow.UDP, "192.0.2.1:53", "10.0.0.1:40000"),
		key(flow.UDP, "[2001:db8::9]:40000", "[2001:db8::1]:53"),
	} {
		ip := appendOpener(nil, &k)
		f := packet.Frame{Data: ip, Link: packet.LinkRaw}
		var h packet.Headers
		h.Decode(&f)
		if h.Reason != packet.None || h.PayloadLen != 0 || int(h.Bytes) != len(ip) || len(ip) > maxOpener {
			t.Fatalf("%+v: %+v", k, h)
		}
		if got := h.Tuple.Key(h.Reversed); got != k {
			t.Errorf("a packet of %+v, want %+v", got, k)
		}
		if k.Proto == flow.TCP && h.TCPFlags != 0x02 {
			t.Errorf("flags %#x, want SYN alone", h.TCPFlags)
		}
	}
}
