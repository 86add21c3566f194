package packet

import "testing"

var mixes = []struct {
	name string
	data []byte
}{
	{"tcp", join(ether("08 00"), v4(6, tcp()))},
	{"udp", join(ether("08 00"), v4(17, udp(50000, 53, make([]byte, 32))))},
	{"v6", join(ether("86 dd"), v6(6, tcp()))},
	{"vlan", join(ether("81 00 00 05 08 00"), v4(6, tcp()))},
	{"vlan+mpls", join(ether("81 00 00 05 88 47 00 01 00 40 00 02 01 40"), v4(6, tcp()))},
	{"vxlan", join(ether("08 00"), v4(17, udp(50000, 4789, join(unhex("08 00 00 00 00 00 07 00"), ether("08 00"), v4(6, tcp())))))},
	{"gre", join(ether("08 00"), v4(47, join(unhex("00 00 08 00"), v4(6, tcp()))))},
	{"icmp error", join(ether("08 00"), v4(1, join(unhex("03 03 00 00 00 00 00 00"), v4(6, tcp()))))},
	{"arp", join(ether("08 06"), make([]byte, 46))},
}

func TestDecodeAllocs(t *testing.T) {
	for _, m := range mixes {
		f := Frame{Data: m.data, Wire: uint32(len(m.data)), Link: LinkEthernet}
		var h Headers
		if n := testing.AllocsPerRun(100, func() { h.Decode(&f); h.Tuple.Hash(7) }); n != 0 {
			t.Errorf("%s: %v allocations", m.name, n)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, m := range mixes {
		b.Run(m.name, func(b *testing.B) {
			f := Frame{Data: m.data, Wire: uint32(len(m.data)), Link: LinkEthernet}
			var h Headers
			var sum uint64
			b.ReportAllocs()
			b.SetBytes(int64(len(m.data)))
			for b.Loop() {
				h.Decode(&f)
				sum += h.Tuple.Hash(7)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/packet")
			if sum == 1 {
				b.Log(sum)
			}
		})
	}
}
