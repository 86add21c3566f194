//go:build ndpi && cgo

package ndpi

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
	"github.com/portolan/portolan/internal/meter"
)

func open(t testing.TB, cfg Config) *Identifier {
	t.Helper()
	i, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Close)
	return i
}

// hear shows a whole talk, as long as more is wanted, and asks.
func hear(i *Identifier, slot uint32, c *talk) meter.Verdict {
	for _, p := range c.payloads() {
		if i.Packet(slot, p) {
			break
		}
	}
	return i.Verdict(slot)
}

func TestVerdicts(t *testing.T) {
	i := open(t, Config{})
	for _, tt := range []struct {
		name     string
		talk     talk
		app      string
		guess    bool
		info     string
		software string
	}{
		{"dns", dnsTalk, "DNS", false, "www.example.org", ""},
		{"http", httpTalk, "HTTP", false, "www.example.org", ""},
		{"ssh", sshTalk, "SSH", false, "", "SSH-2.0-OpenSSH_9.2p1 Debian-2"},
		{"by port", muteTalk, "MySQL", true, "", ""},
		{"unknown", darkTalk, "", false, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := hear(i, 7, &tt.talk)
			if got := l7.AppName(v.App); got != tt.app || v.App.Guess != tt.guess {
				t.Errorf("%q, guess %v; want %q, %v", got, v.App.Guess, tt.app, tt.guess)
			}
			if v.Info != tt.info {
				t.Errorf("info %q, want %q", v.Info, tt.info)
			}
			var d flow.Details
			if v.Details != nil {
				d = *v.Details
			}
			if d.Software = strings.TrimPrefix(d.Software, "nginx/1.22.1"); d != (flow.Details{Software: tt.software}) {
				t.Errorf("details %+v, want software %q", d, tt.software)
			}
		})
	}
	want := Stats{Packets: 10, Named: 4, Guessed: 1, Unknown: 1}
	got := i.Stats()
	got.Packets = want.Packets // when enough was seen is the library's affair
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestConversationsDoNotMix(t *testing.T) {
	i := open(t, Config{})
	talks := []talk{dnsTalk, httpTalk, sshTalk, muteTalk}
	want := []string{"DNS", "HTTP", "SSH", "MySQL"}
	const rounds = 50
	done := map[uint32]bool{}
	for line := range 2 {
		for round := range uint32(rounds) {
			for n := range talks {
				slot := round*uint32(len(talks)) + uint32(n)
				if !done[slot] {
					done[slot] = i.Packet(slot, talks[n].payloads()[line])
				}
			}
		}
	}
	if got := i.Stats().Open; got != rounds*len(talks) {
		t.Errorf("%d conversations are open, want %d", got, rounds*len(talks))
	}
	for slot := range uint32(rounds * len(talks)) {
		if got := l7.AppName(i.Verdict(slot).App); got != want[slot%4] {
			t.Fatalf("slot %d is %q, want %q", slot, got, want[slot%4])
		}
	}
	if got := i.Stats().Open; got != 0 {
		t.Errorf("%d conversations wait for ever", got)
	}
}

func TestFlowsAreLimited(t *testing.T) {
	i := open(t, Config{MaxFlows: 2})
	p := dnsTalk.payloads()[0]
	for slot := range uint32(3) {
		if got := i.Packet(slot, p); slot == 2 && !got {
			t.Error("more of a conversation is wanted that nobody looks at")
		}
	}
	if s := i.Stats(); s.Open != 2 || s.Refused != 1 {
		t.Errorf("%d open, %d refused; want 2, 1", s.Open, s.Refused)
	}
	if v := i.Verdict(2); v != (meter.Verdict{}) {
		t.Errorf("a conversation that was not looked at is %+v", v)
	}
	i.Verdict(0)
	if v := hear(i, 2, &dnsTalk); l7.AppName(v.App) != "DNS" {
		t.Errorf("after one ended, the next is %+v", v)
	}
}

func TestVerdictEndsAConversation(t *testing.T) {
	i := open(t, Config{})
	if v := i.Verdict(5); v != (meter.Verdict{}) {
		t.Errorf("nobody spoke: %+v", v)
	}
	hear(i, 5, &dnsTalk)
	if v := i.Verdict(5); v != (meter.Verdict{}) {
		t.Errorf("asked twice: %+v", v)
	}
	if v := hear(i, 5, &httpTalk); l7.AppName(v.App) != "HTTP" {
		t.Errorf("the next in the slot is %+v", v)
	}
}

func TestClosedIdentifierKnowsNothing(t *testing.T) {
	i, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	i.Packet(0, dnsTalk.payloads()[0])
	i.Close()
	i.Close()
	if done := i.Packet(1, dnsTalk.payloads()[0]); !done {
		t.Error("wants more after Close")
	}
	if v := i.Verdict(0); v != (meter.Verdict{}) {
		t.Errorf("after Close: %+v", v)
	}
}

func TestOddPackets(t *testing.T) {
	i := open(t, Config{})
	long := make([]byte, 1<<17)
	copy(long, dnsTalk.payloads()[0].IP)
	for n, ip := range [][]byte{nil, {}, {0x45}, {0x60}, make([]byte, 20), long, dnsTalk.payloads()[0].IP[:27]} {
		i.Packet(uint32(n), meter.Payload{IP: ip, Time: -5, Proto: flow.UDP})
		i.Verdict(uint32(n))
	}
	if got := i.Stats().Open; got != 0 {
		t.Errorf("%d conversations wait for ever", got)
	}
}

func TestProtocolsFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "protos.txt")
	text := "# ours\ntcp:40005,udp:40005@Warehouse\nhost:\"tills.example\"@Tills\ntcp:2323@SSH\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	i := open(t, Config{Protocols: name})
	called := func(a flow.App) string {
		if n := i.Names()[a.Master]; n != "" {
			return n
		}
		return l7.AppName(flow.App{Master: a.Master}) + "." + i.Names()[a.App]
	}
	if v := hear(i, 0, &darkTalk); called(v.App) != "Warehouse" {
		t.Errorf("by port: %+v, %v", v, i.Names())
	}
	tills := talk{flow.TCP, 40001, 80, []line{{false, strings.ReplaceAll(httpRequest, "example.org", "tills.example")}, {true, httpResponse}}}
	if v := hear(i, 0, &tills); called(v.App) != "HTTP.Tills" || v.App.Guess {
		t.Errorf("by host: %+v, %v", v, i.Names())
	}
	if n := len(i.Names()); n != 2 {
		t.Errorf("%d names of our own, want 2: %v", n, i.Names())
	}
}

func TestProtocolsFileThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ name, file, want string }{
		{"missing", filepath.Join(dir, "none"), fmt.Sprintf("ndpi: open %s: no such file or directory", filepath.Join(dir, "none"))},
		{"folder", dir, fmt.Sprintf("ndpi: %s: is no regular file", dir)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := New(Config{Protocols: tt.file}); err == nil || err.Error() != tt.want {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// The library's numbers are l7's as long as both are of nDPI 4.2.
func TestNumbersOfTheLibrary(t *testing.T) {
	if !strings.HasPrefix(Version(), "4.2.") {
		t.Skipf("l7 has the numbers of nDPI 4.2, the library is %s", Version())
	}
	i := open(t, Config{})
	if len(i.numbers.known) < 250 {
		t.Fatalf("the library knows %d protocols", len(i.numbers.known))
	}
	for id, got := range i.numbers.known {
		if int(got) != id {
			t.Errorf("%d of the library is %d: %s", id, got, i.numbers.names[got])
		}
	}
}

func TestGuess(t *testing.T) {
	i := open(t, Config{})
	for _, tt := range []struct {
		name string
		key  flow.Key
		want string
	}{
		{"port", key(flow.TCP, "10.0.0.1:40000", "10.0.0.2:3306"), "MySQL"},
		{"port and address", key(flow.TCP, "10.0.0.1:40000", "17.253.144.10:443"), "TLS.Apple"},
		{"address", key(flow.TCP, "10.0.0.1:40000", "8.8.8.8:5228"), "Google"},
		{"IPv6", key(flow.TCP, "[2001:db8::9]:40000", "[2001:db8::1]:443"), "TLS"},
		{"nothing", key(flow.TCP, "10.0.0.1:40000", "10.0.0.2:40001"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := i.Guess(tt.key)
			if got := l7.AppName(a); got != tt.want || a.Guess != (tt.want != "") {
				t.Errorf("%q, guess %v; want %q", got, a.Guess, tt.want)
			}
		})
	}
	if a := i.Guess(key(flow.ICMP, "10.0.0.1:0", "10.0.0.2:0")); l7.AppName(a) != "ICMP" || a.Guess {
		t.Errorf("ICMP: %+v", a)
	}
}

func TestSeveralAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			i, err := New(Config{})
			if err != nil {
				t.Error(err)
				return
			}
			defer i.Close()
			for round := range uint32(500) {
				if v := hear(i, round%7, &httpTalk); l7.AppName(v.App) != "HTTP" || v.Info != "www.example.org" {
					t.Errorf("%+v", v)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestNothingIsAllocatedPerPacket(t *testing.T) {
	i := open(t, Config{})
	packets := darkTalk.payloads()
	i.Packet(0, packets[0])
	i.Verdict(0)
	n := testing.AllocsPerRun(200, func() {
		for _, p := range packets {
			i.Packet(0, p)
		}
		i.Verdict(0)
	})
	if n != 0 {
		t.Errorf("%v allocations for a conversation without a name", n)
	}
}

func BenchmarkConversation(b *testing.B) {
	i := open(b, Config{})
	for _, bb := range []struct {
		name string
		talk *talk
	}{{"dns", &dnsTalk}, {"http", &httpTalk}, {"unknown", &darkTalk}} {
		b.Run(bb.name, func(b *testing.B) {
			packets := bb.talk.payloads()
			b.ReportAllocs()
			for b.Loop() {
				for _, p := range packets {
					if i.Packet(0, p) {
						break
					}
				}
				i.Verdict(0)
			}
		})
	}
}
