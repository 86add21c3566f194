package packet

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/portolan/portolan/internal/flow"
)

// Generated frames decode as gopacket decodes them.
func TestDecodeOracle(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 20000 {
		data := generate(t, random)
		f := Frame{Data: data, Wire: uint32(len(data)), Link: LinkEthernet, Time: int64(i)}
		var got Headers
		got.Decode(&f)
		check(t, &f, &got)
		want := oracle(t, data)
		want.Time = f.Time
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("frame %d, %x: -gopacket +ours\n%s", i, data, diff)
		}
	}
}

// generate builds a frame: tags, up to two tunnels, a transport, a payload.
func generate(t *testing.T, random *rand.Rand) []byte {
	t.Helper()
	bytes := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = uint8(random.Uint32())
		}
		return b
	}
	var stack []gopacket.SerializableLayer
	ethernet := func() func(layers.EthernetType) {
		eth := &layers.Ethernet{SrcMAC: bytes(6), DstMAC: bytes(6)}
		stack = append(stack, eth)
		set := func(kind layers.EthernetType) { eth.EthernetType = kind }
		for range max(0, random.IntN(5)-2) {
			tag := &layers.Dot1Q{VLANIdentifier: uint16(1 + random.IntN(4094)), Priority: uint8(random.IntN(8))}
			stack = append(stack, tag)
			set(layers.EthernetTypeDot1Q)
			set = func(kind layers.EthernetType) { tag.Type = kind }
		}
		return set
	}
	var network gopacket.NetworkLayer
	ip := func(proto layers.IPProtocol, set func(layers.EthernetType)) {
		if random.IntN(2) == 0 {
			h := &layers.IPv4{
				Version: 4, TTL: uint8(random.Uint32()), Id: uint16(random.Uint32()),
				SrcIP: net.IP(bytes(4)), DstIP: net.IP(bytes(4)), Protocol: proto, Flags: layers.IPv4DontFragment,
			}
			if random.IntN(4) == 0 {
				h.Options = []layers.IPv4Option{{OptionType: 148, OptionLength: 4, OptionData: bytes(2)}}
			}
			network = h
			set(layers.EthernetTypeIPv4)
			stack = append(stack, h)
			return
		}
		h := &layers.IPv6{
			Version: 6, HopLimit: uint8(random.Uint32()),
			SrcIP: net.IP(bytes(16)), DstIP: net.IP(bytes(16)), NextHeader: proto,
		}
		network = h
		set(layers.EthernetTypeIPv6)
		stack = append(stack, h)
	}
	set := ethernet()
	for range max(0, random.IntN(5)-2) {
		switch random.IntN(3) {
		case 0:
			ip(layers.IPProtocolGRE, set)
			gre := &layers.GRE{KeyPresent: random.IntN(2) == 0, Key: random.Uint32()}
			stack = append(stack, gre)
			set = func(kind layers.EthernetType) { gre.Protocol = kind }
		case 1:
			ip(layers.IPProtocolUDP, set)
			u := &layers.UDP{SrcPort: layers.UDPPort(20000 + random.IntN(10000)), DstPort: 4789}
			if err := u.SetNetworkLayerForChecksum(network); err != nil {
				t.Fatal(err)
			}
			stack = append(stack, u, &layers.VXLAN{ValidIDFlag: true, VNI: random.Uint32() >> 8})
			set = ethernet()
		case 2:
			ip(layers.IPProtocolUDP, set)
			u := &layers.UDP{SrcPort: layers.UDPPort(20000 + random.IntN(10000)), DstPort: 6081}
			if err := u.SetNetworkLayerForChecksum(network); err != nil {
				t.Fatal(err)
			}
			geneve := &layers.Geneve{VNI: random.Uint32() >> 8, Protocol: layers.EthernetTypeTransparentEthernetBridging}
			stack = append(stack, u, geneve)
			set = ethernet()
		}
	}
	switch random.IntN(3) {
	case 0:
		ip(layers.IPProtocolTCP, set)
		h := &layers.TCP{
			SrcPort: layers.TCPPort(random.Uint32()), DstPort: layers.TCPPort(random.Uint32()),
			Seq: random.Uint32(), Ack: random.Uint32(), Window: uint16(random.Uint32()),
			SYN: random.IntN(2) == 0, ACK: random.IntN(2) == 0, PSH: random.IntN(2) == 0, CWR: random.IntN(2) == 0,
		}
		if random.IntN(2) == 0 {
			h.Options = []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: bytes(2)}}
		}
		if err := h.SetNetworkLayerForChecksum(network); err != nil {
			t.Fatal(err)
		}
		stack = append(stack, h)
	case 1:
		ip(layers.IPProtocolUDP, set)
		h := &layers.UDP{SrcPort: layers.UDPPort(20000 + random.IntN(10000)), DstPort: layers.UDPPort(20000 + random.IntN(10000))}
		if err := h.SetNetworkLayerForChecksum(network); err != nil {
			t.Fatal(err)
		}
		stack = append(stack, h)
	case 2:
		ip(layers.IPProtocolSCTP, set)
		stack = append(stack, &layers.SCTP{SrcPort: layers.SCTPPort(random.Uint32()), DstPort: layers.SCTPPort(random.Uint32())})
	}
	stack = append(stack, gopacket.Payload(bytes(random.IntN(40))))
	buffer := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true}, stack...); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// oracle fills Headers from gopacket's layers.
func oracle(t *testing.T, data []byte) Headers {
	t.Helper()
	packet := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.DecodeOptions{NoCopy: true})
	var h Headers
	var src, dst netip.Addr
	var vlan, sport, dport uint16
	var proto flow.Proto
	networks := 0
	at := 0
	transport := func(header int) {
		h.PayloadOffset, h.PayloadLen = uint32(at+header), h.IPOffset+h.Bytes-uint32(at+header)
		h.Segment = h.PayloadLen
	}
	for _, l := range packet.Layers() {
		if proto != 0 {
			break
		}
		switch l := l.(type) {
		case *layers.Dot1Q:
			if vlan == 0 {
				vlan = l.VLANIdentifier
			}
		case *layers.IPv4:
			networks++
			src, _ = netip.AddrFromSlice(l.SrcIP.To4())
			dst, _ = netip.AddrFromSlice(l.DstIP.To4())
			h.IPOffset, h.Bytes, h.TTL, h.IPID = uint32(at), uint32(l.Length), l.TTL, uint32(l.Id)
		case *layers.IPv6:
			networks++
			src, _ = netip.AddrFromSlice(l.SrcIP)
			dst, _ = netip.AddrFromSlice(l.DstIP)
			h.IPOffset, h.Bytes, h.TTL, h.IPID = uint32(at), 40+uint32(l.Length), l.HopLimit, 0
		case *layers.TCP:
			proto, sport, dport = flow.TCP, uint16(l.SrcPort), uint16(l.DstPort)
			h.Seq, h.Ack, h.Window, h.TCPFlags = l.Seq, l.Ack, l.Window, l.Contents[13]
			transport(len(l.Contents))
		case *layers.UDP:
			if l.DstPort == 4789 || l.DstPort == 6081 {
				break
			}
			proto, sport, dport = flow.UDP, uint16(l.SrcPort), uint16(l.DstPort)
			transport(8)
		case *layers.SCTP:
			proto, sport, dport = flow.SCTP, uint16(l.SrcPort), uint16(l.DstPort)
			transport(12)
		}
		at += len(l.LayerContents())
	}
	if proto == 0 {
		t.Fatalf("gopacket finds no transport in %x: %v", data, packet)
	}
	h.Tunnelled = networks > 1
	h.Tuple, h.Reversed = MakeTuple(netip.AddrPortFrom(src, sport), netip.AddrPortFrom(dst, dport), proto, vlan)
	return h
}
