package packet

import (
	"bytes"
	"testing"
)

// Decode ends, does not panic, leaves the frame alone, and what it says lies
// within the frame.
func FuzzDecode(f *testing.F) {
	packet, packet6 := v4(6, tcp()), v6(17, dns())
	for _, seed := range []struct {
		link LinkType
		data []byte
	}{
		{LinkEthernet, join(ether("08 00"), packet)},
		{LinkEthernet, join(ether("81 00 00 05 86 dd"), packet6)},
		{LinkEthernet, join(ether("88 47 00 02 01 40"), packet)},
		{LinkEthernet, join(ether("88 64 11 00 00 01 00 30 00 21"), packet)},
		{LinkRaw, v4(1, join(unhex("03 03 00 00 00 00 00 00"), packet))},
		{LinkRaw, v4(4, packet)},
		{LinkRaw, v4(47, join(unhex("b0 00 08 00 12 34 00 00 00 00 00 07 00 00 00 01"), packet))},
		{LinkRaw, v4(17, udp(1, 4789, join(unhex("08 00 00 00 00 00 07 00"), ether("08 00"), packet)))},
		{LinkRaw, v4(17, udp(1, 2152, join(unhex("34 ff 00 52 00 00 00 07 00 00 00 85 01 10 00 00"), packet6)))},
		{LinkRaw, v4(17, udp(3544, 1, packet6))},
		{LinkRaw, v4(17, udp(1701, 1, join(unhex("00 02 00 01 00 02 00 21"), packet)))},
		{LinkRaw, v6(0, join(unhex("2c 00 01 04 00 00 00 00 11 00 00 01 00 00 00 07"), dns()))},
		{LinkRadiotap, join(unhex("00 00 08 00 00 00 00 00 08 01 00 00"), make([]byte, 20), unhex("aa aa 03 00 00 00 08 00"), packet)},
		{LinkNFLog, join(unhex("02 00 00 01 05 00 0a 00 00 00 00 00 32 00 09 00"), packet)},
	} {
		f.Add(uint16(seed.link), uint16(0), uint32(len(seed.data)), seed.data)
	}
	f.Fuzz(func(t *testing.T, link, vlan uint16, wire uint32, data []byte) {
		before := bytes.Clone(data)
		frame := Frame{Data: data[:len(data):len(data)], Time: 1, Wire: wire, Iface: 2, Link: LinkType(link), VLAN: vlan}
		h := Headers{Reason: TooDeep, Later: true, TCPFlags: 0xff}
		h.Decode(&frame)
		check(t, &frame, &h)
		if !bytes.Equal(data, before) {
			t.Error("the frame was changed")
		}
		var again Headers
		again.Decode(&frame)
		if again != h {
			t.Errorf("depends on what was there before: %+v, %+v", h, again)
		}
		if frame.Link == LinkEthernet { // the long way says the same
			long := Frame{Data: join(unhex("00 00 08 00 01 00 00 00 # PPI, Ethernet"), data), Time: 1, Iface: 2, Link: LinkPPI, VLAN: vlan}
			if wire != 0 {
				long.Wire = wire + 8
			}
			again.Decode(&long)
			if again.Reason == None {
				again.IPOffset -= 8
				again.PayloadOffset -= 8
			}
			if again != h {
				t.Errorf("short way %+v, long way %+v", h, again)
			}
			again.Decode(&frame)
		}
		if h.Reason == None && h.Tuple.VLAN() != vlan&0xfff && vlan&0xfff != 0 {
			t.Errorf("vlan %d, want the outer %d", h.Tuple.VLAN(), vlan&0xfff)
		}
		if h.Tuple.Hash(7) != again.Tuple.Hash(7) {
			t.Error("hashes of one tuple differ")
		}
	})
}
