package dissect

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
	"github.com/portolan/portolan/internal/meter"
)

// unhex turns hexadecimal with blanks into bytes.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A talk is one conversation that an Identifier listens to.
type talk struct {
	d              *Identifier
	slot           uint32
	proto          flow.Proto
	client, server uint16
	seq            [2]uint32
	done           bool
}

func newTalk(proto flow.Proto, server uint16) *talk {
	return &talk{d: New(Default()), proto: proto, client: 40000, server: server, seq: [2]uint32{1000, 0xfffffff0}}
}

// ask says something to the server, answer to the client.
func (k *talk) ask(b []byte) *talk    { return k.say(0, 0, b) }
func (k *talk) answer(b []byte) *talk { return k.say(1, 0, b) }

// say sends b, skip bytes further than is its turn, or as a retransmission if
// skip is negative: the next turn does not depend on it then.
func (k *talk) say(side, skip int, b []byte) *talk {
	p := meter.Payload{Data: b, Time: 1e18, Proto: k.proto, Reply: side == 1, SenderPort: k.client, ReceiverPort: k.server}
	if side == 1 {
		p.SenderPort, p.ReceiverPort = k.server, k.client
	}
	if k.proto == flow.TCP {
		p.IP = tcpSegment(k.seq[side]+uint32(skip), b)
	}
	if skip == 0 {
		k.seq[side] += uint32(len(b))
	}
	k.done = k.d.Packet(k.slot, p)
	return k
}

func (k *talk) verdict() meter.Verdict { return k.d.Verdict(k.slot) }

func tcpSegment(seq uint32, b []byte) []byte {
	ip := make([]byte, 40, 40+len(b))
	ip[0], ip[9] = 0x45, 6
	binary.BigEndian.PutUint32(ip[24:], seq)
	ip[32] = 5 << 4
	return append(ip, b...)
}

// want compares a verdict with what it should say.
func want(t *testing.T, v meter.Verdict, app, info string, details *flow.Details) {
	t.Helper()
	if got := l7.AppName(v.App); got != app || v.Info != info || v.App.Guess {
		t.Errorf("said %q, %q, want %q, %q", got, v.Info, app, info)
	}
	if diff := cmp.Diff(details, v.Details); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

// listen shows a fuzzer's bytes to an Identifier: each side in parts, as one
// protocol at one port. It fails if what comes out breaks a promise.
func listen(t *testing.T, proto flow.Proto, port uint16, parts [][]byte) {
	t.Helper()
	told := 0
	cfg := Default()
	cfg.Names = func(addr netip.Addr, name string, at int64) {
		told++
		if !addr.IsValid() || name == "" || len(name) > maxInfo {
			t.Errorf("told %v is %q", addr, name)
		}
	}
	k := newTalk(proto, port)
	k.d = New(cfg)
	for i, b := range parts {
		if len(b) == 0 {
			continue
		}
		before := bytes.Clone(b)
		k.say(i&1, 0, b)
		if !bytes.Equal(b, before) {
			t.Error("the payload was changed")
		}
		if k.done {
			break
		}
	}
	v := k.verdict()
	if len(v.Info) > maxInfo || strings.ToValidUTF8(v.Info, "") != v.Info {
		t.Errorf("info is %q", v.Info)
	}
	if v.Details != nil && (len(v.Details.Software) > maxSoftware || strings.ToValidUTF8(v.Details.Software, "") != v.Details.Software) {
		t.Errorf("software is %q", v.Details.Software)
	}
	if v.App.Master == 0 && (v.App.App != 0 || v.Info != "" || v.Details != nil) {
		t.Errorf("nothing is known, but %+v", v)
	}
	if k.d.keeper.lent != 0 {
		t.Errorf("%d bytes were not given back", k.d.keeper.lent)
	}
	if told > maxAnswers*len(parts) {
		t.Errorf("told %d names", told)
	}
}

// fuzz tries a protocol with a first message, its rest, and an answer.
func fuzz(f *testing.F, proto flow.Proto, port uint16, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s, []byte{}, s)
		f.Add(s[:len(s)/2], s[len(s)/2:], []byte{})
	}
	f.Fuzz(func(t *testing.T, first, rest, reply []byte) {
		listen(t, proto, port, [][]byte{first, nil, rest, reply})
		listen(t, proto, 40001, [][]byte{first, reply, rest})
	})
}

func TestNumbersAreThoseOfNDPI(t *testing.T) {
	for id, name := range map[uint16]string{
		appDNS: "DNS", appHTTP: "HTTP", appMDNS: "MDNS", appPOPS: "POPS", appVMware: "VMware", appSMTPS: "SMTPS", appDTLS: "DTLS",
		appIMAPS: "IMAPS", appTLS: "TLS", appHTTPConnect: "HTTP_Connect", appHTTPProxy: "HTTP_Proxy", appLLMNR: "LLMNR",
		appOCSP: "OCSP", appDNScrypt: "DNScrypt", appQUIC: "QUIC", appDoHDoT: "DoH_DoT", appWebSocket: "WebSocket", appSOAP: "SOAP",
	} {
		if got := l7.AppName(flow.App{Master: id}); got != name {
			t.Errorf("%d is %s, not %s", id, got, name)
		}
	}
}

func TestRegistry(t *testing.T) {
	if len(protocols) > 254 {
		t.Fatalf("%d protocols: owner is a byte", len(protocols))
	}
	for i := range protocols {
		p := &protocols[i]
		if l7.AppName(flow.App{Master: p.app}) == "" || p.over == 0 || p.recognise == nil {
			t.Errorf("line %d is not complete: %+v", i, p)
		}
		if p.first == "" {
			continue
		}
		n := 0
		for b := range 256 {
			if p.begins(byte(b)) {
				n++
			}
		}
		if n == 0 {
			t.Errorf("line %d begins with nothing", i)
		}
	}
}

func TestPortAloneSaysNothing(t *testing.T) {
	for _, proto := range []flow.Proto{flow.TCP, flow.UDP} {
		for i := range protocols {
			for _, port := range protocols[i].ports {
				for _, b := range []string{"\x00", "hello, is there anybody?", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", strings.Repeat("\x00", 64)} {
					if v := newTalk(proto, port).ask([]byte(b)).verdict(); v != (meter.Verdict{}) {
						t.Errorf("%v %d says %s to %q", proto, port, l7.AppName(v.App), b)
					}
				}
			}
		}
	}
}

const request = "GET /index.html?x=1 HTTP/1.1\r\nUser-Agent: test\r\nHost: WWW.Example.com:8080\r\n\r\n"

func TestSegments(t *testing.T) {
	whole := []byte(request)
	// where is the offset of a part, parts go in the order of the list
	type part struct{ from, to int }
	n := len(whole)
	for _, tc := range []struct {
		name  string
		parts []part
		host  string
	}{
		{"one", []part{{0, n}}, "www.example.com"},
		{"two", []part{{0, 40}, {40, n}}, "www.example.com"},
		{"bytes", func() (p []part) {
			for i := range n {
				p = append(p, part{i, i + 1})
			}
			return p
		}(), "www.example.com"},
		{"again", []part{{0, 40}, {0, 40}, {40, n}}, "www.example.com"},
		{"overlapping", []part{{0, 40}, {20, 60}, {10, n}}, "www.example.com"},
		{"late", []part{{0, 40}, {60, n}, {40, 60}}, "www.example.com"},
		{"late twice", []part{{0, 10}, {60, n}, {30, 60}, {10, 30}}, "www.example.com"},
		{"all backwards", []part{{0, 10}, {50, n}, {40, 50}, {30, 40}, {20, 30}, {10, 20}}, "www.example.com"},
		{"hole", []part{{0, 40}, {60, n}}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := newTalk(flow.TCP, 80)
			k.seq[0] = 0xffffffe0 // wraps in the middle
			for _, p := range tc.parts {
				k.d.Packet(0, meter.Payload{IP: tcpSegment(k.seq[0]+uint32(p.from), whole[p.from:p.to]), Data: whole[p.from:p.to], Proto: flow.TCP, SenderPort: 40000, ReceiverPort: 80})
			}
			want(t, k.verdict(), "HTTP", tc.host, nil)
			if k.d.keeper.lent != 0 {
				t.Errorf("%d bytes were not given back", k.d.keeper.lent)
			}
		})
	}
}

func TestSequenceNumbers(t *testing.T) {
	v6 := append([]byte{0x60, 0, 0, 0, 0, 28, 0, 64}, make([]byte, 32)...)
	v6 = append(v6, 6, 0, 0, 0, 0, 0, 0, 0) // hop-by-hop options
	v6 = append(v6, 0, 80, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 5<<4, 0x10)
	syn := tcpSegment(0x01020304, nil)
	syn[33] = 0x02
	for _, tc := range []struct {
		name string
		ip   []byte
		seq  uint32
		ok   bool
	}{
		{"v4", tcpSegment(0x01020304, nil), 0x01020304, true},
		{"v6", v6, 0x01020304, true},
		{"data in the SYN", syn, 0x01020305, true},
		{"v6 cut", v6[:61], 0, false},
		{"v4 cut", tcpSegment(1, nil)[:33], 0, false},
		{"udp", append([]byte{0x45, 0, 0, 0, 0, 0, 0, 0, 0, 17}, make([]byte, 30)...), 0, false},
		{"nothing", nil, 0, false},
	} {
		if seq, ok := sequence(tc.ip); seq != tc.seq || ok != tc.ok {
			t.Errorf("%s: %x, %v", tc.name, seq, ok)
		}
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	k := newTalk(flow.TCP, 80)
	k.ask([]byte("GET / HTTP/1.1\r\n"))
	line := []byte("X-Long: " + strings.Repeat("x", 1000) + "\r\n")
	for range 20 {
		k.ask(line)
	}
	if got := k.d.Stats(); got.Cut != 1 {
		t.Errorf("counted %d directions that were cut", got.Cut)
	}
	if k.d.keeper.lent > maxKept {
		t.Errorf("holds %d bytes", k.d.keeper.lent)
	}
	want(t, k.verdict(), "HTTP", "", nil)
	if k.d.keeper.lent != 0 {
		t.Errorf("%d bytes were not given back", k.d.keeper.lent)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	d := New(Config{Memory: 10 * smallKept})
	for slot := range uint32(100) {
		b := []byte(request)[:50]
		d.Packet(slot, meter.Payload{IP: tcpSegment(1, b), Data: b, Proto: flow.TCP, SenderPort: 40000, ReceiverPort: 80})
	}
	if d.keeper.lent > 10*smallKept {
		t.Errorf("holds %d bytes", d.keeper.lent)
	}
	if s := d.Stats(); s.Starved != 90 || s.Conversations != 100 {
		t.Errorf("stats %+v", s)
	}
	for slot := range uint32(100) {
		want(t, d.Verdict(slot), "HTTP", "", nil)
	}
	if d.keeper.lent != 0 || len(d.convs) != 100 || len(d.spare) != 100 {
		t.Errorf("%d bytes, %d of %d conversations are free", d.keeper.lent, len(d.spare), len(d.convs))
	}
}

func TestSlotsAreForgotten(t *testing.T) {
	d := New(Default())
	b := []byte(request)
	p := meter.Payload{IP: tcpSegment(1, b), Data: b, Proto: flow.TCP, SenderPort: 40000, ReceiverPort: 80}
	d.Packet(7, p)
	want(t, d.Verdict(7), "HTTP", "www.example.com", nil)
	want(t, d.Verdict(7), "", "", nil)
	want(t, d.Verdict(1e6), "", "", nil)
	d.Packet(7, meter.Payload{IP: tcpSegment(1, []byte("??")), Data: []byte("??"), Proto: flow.TCP})
	want(t, d.Verdict(7), "", "", nil)
}

func TestNobodyKnowsIt(t *testing.T) {
	k := newTalk(flow.TCP, 4711)
	for i := range patience {
		if k.done {
			t.Fatalf("gave up after %d payloads", i)
		}
		k.ask([]byte("\xee\xee\xee\xee\xee"))
	}
	if !k.done {
		t.Error("never gave up")
	}
}

func TestOnlyTheApplication(t *testing.T) {
	k := newTalk(flow.TCP, 80)
	k.d = New(Config{AppOnly: true, Memory: 1 << 20, Names: func(netip.Addr, string, int64) { t.Error("told a name") }})
	k.ask([]byte(request)).answer([]byte("HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n"))
	want(t, k.verdict(), "HTTP", "", nil)
}

func TestClean(t *testing.T) {
	for in, out := range map[string]string{
		"nginx/1.22": "nginx/1.22", "a\x00b\x1b[1m": "a?b?[1m", "\xff\xfe": "??", "Grüße": "Grüße", "": "",
		strings.Repeat("ü", 10): "üüüüü", "12345678ü€": "12345678ü",
	} {
		if got := clean([]byte(in), 10); got != out && !(in == strings.Repeat("ü", 10) && got == out) {
			t.Errorf("%q becomes %q, not %q", in, got, out)
		}
	}
}

func TestHosts(t *testing.T) {
	for in, out := range map[string]string{
		"Example.COM": "example.com", "example.com.": "example.com", "example.com:443": "example.com", "[2001:DB8::1]:80": "2001:db8::1",
		"2001:db8::1": "2001:db8::1", "192.0.2.1:80": "192.0.2.1", "": "", ":80": "", "a b\xff": "a_b?", "x:": "x",
		"12345": "12345", strings.Repeat("a", 300): strings.Repeat("a", 255),
	} {
		if got := string(appendHost(nil, []byte(in))); got != out {
			t.Errorf("%q becomes %q, not %q", in, got, out)
		}
	}
}

func TestNoAllocationPerPacket(t *testing.T) {
	d := New(Default())
	b := []byte(request)
	parts := []meter.Payload{}
	for i := 0; i < len(b); i += 10 {
		part := b[i:min(len(b), i+10)]
		parts = append(parts, meter.Payload{IP: tcpSegment(uint32(i), part), Data: part, Proto: flow.TCP, SenderPort: 40000, ReceiverPort: 80})
	}
	var info string
	n := testing.AllocsPerRun(100, func() {
		for _, p := range parts {
			d.Packet(3, p)
		}
		info = d.Verdict(3).Info
	})
	if n != 1 { // the name
		t.Errorf("%v allocations for a conversation of %d packets named %s", n, len(parts), info)
	}
}
