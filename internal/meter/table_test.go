package meter

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

const (
	ms = time.Millisecond
	s  = time.Second
)

func TestRecordsFillCacheLines(t *testing.T) {
	if n := unsafe.Sizeof(hot{}); n != 64 {
		t.Errorf("a hot record has %d bytes, want 64", n)
	}
	if n := unsafe.Sizeof(cold{}); n != 192 {
		t.Errorf("a cold record has %d bytes, want 192", n)
	}
}

func TestConfigIsChecked(t *testing.T) {
	emit := func(*flow.Batch) error { return nil }
	cfg := Default()
	cfg.MaxFlows, cfg.Idle = 0, time.Millisecond
	_, err := New(cfg, emit)
	want := "meter: MaxFlows is 0: must be 1 to 67108864\nmeter: Idle is 1ms: must be 1s or more"
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
	if _, err := New(Default(), nil); err == nil {
		t.Error("a table without emit was made")
	}
}

func TestConnectionBecomesOneRecord(t *testing.T) {
	const c, v = "10.0.0.9:40000", "10.0.0.1:443"
	sc := newScript(t, func(c *Config) {
		c.Observer = func(uint32) string { return "eth0" }
		c.Guess = func(k flow.Key) flow.App { return flow.App{Master: k.ServerPort, Guess: true} }
	})
	sc.send(
		pkt(0, flow.TCP, c, v, tcp("S", 100, 0, 0)),
		pkt(20*ms, flow.TCP, v, c, tcp("SA", 900, 101, 0)),
		pkt(23*ms, flow.TCP, c, v, tcp("A", 101, 901, 0)),
		pkt(24*ms, flow.TCP, c, v, tcp("PA", 101, 901, 60), bytes(112)),
		pkt(50*ms, flow.TCP, v, c, tcp("PA", 901, 161, 500), bytes(552)),
		pkt(60*ms, flow.TCP, v, c, tcp("FA", 1401, 161, 0)),
		pkt(61*ms, flow.TCP, c, v, tcp("FA", 161, 1402, 0)),
		pkt(81*ms, flow.TCP, v, c, tcp("A", 1402, 162, 0)),
	)
	got := sc.one()
	if got.ID == 0 {
		t.Error("a record without an ID")
	}
	want := flow.Record{
		Key: flow.NewKey(flow.TCP, end(c), end(v)), ID: got.ID, Start: epoch, End: epoch + int64(81*ms),
		ToServer: flow.Counters{Packets: 4, Bytes: 412}, ToClient: flow.Counters{Packets: 4, Bytes: 852},
		TCP: flow.TCPFacts{
			ServerRTT: 20 * ms, ClientRTT: 3 * ms,
			FlagsToServer: flagSYN | flagACK | flagFIN | 8, FlagsToClient: flagSYN | flagACK | flagFIN | 8,
		},
		App: flow.App{Master: 443, Guess: true}, Evidence: flow.SYNSeen, Cause: flow.EndOfFlow, Observer: "eth0",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestConversationsEnd(t *testing.T) {
	const a, b = "10.0.0.9:40000", "10.0.0.1:443"
	udp := func(at time.Duration) packet.Headers { return pkt(at, flow.UDP, a, b) }
	open := []packet.Headers{
		pkt(0, flow.TCP, a, b, tcp("S", 100, 0, 0)),
		pkt(1*ms, flow.TCP, b, a, tcp("SA", 900, 101, 0)),
		pkt(2*ms, flow.TCP, a, b, tcp("A", 101, 901, 0)),
	}
	closed := append(open[:3:3],
		pkt(3*ms, flow.TCP, a, b, tcp("FA", 101, 901, 0)),
		pkt(4*ms, flow.TCP, b, a, tcp("FA", 901, 102, 0)))
	reset := append(open[:3:3], pkt(3*ms, flow.TCP, b, a, tcp("R", 901, 0, 0)))
	idle, over, forced := flow.IdleTimeout, flow.EndOfFlow, flow.Forced
	for _, c := range []struct {
		name string
		in   []packet.Headers
		want []flow.Cause
	}{
		{"UDP goes on after 30 s", []packet.Headers{udp(0), udp(30 * s)}, []flow.Cause{forced}},
		{"UDP is new after more", []packet.Headers{udp(0), udp(31 * s)}, []flow.Cause{idle, forced}},
		{"quiet TCP stays", append(open[:3:3], pkt(899*s, flow.TCP, a, b, tcp("A", 101, 901, 10))), []flow.Cause{flow.ActiveTimeout, forced}},
		{"dead TCP goes", append(open[:3:3], pkt(902*s, flow.TCP, a, b, tcp("A", 101, 901, 10))), []flow.Cause{idle, forced}},
		{"SYN again is the same", []packet.Headers{open[0], pkt(1*s, flow.TCP, a, b, tcp("S", 100, 0, 0)), pkt(3*s, flow.TCP, a, b, tcp("S", 100, 0, 0))}, []flow.Cause{forced}},
		{"unanswered SYN with a new number is the same", []packet.Headers{open[0], pkt(1*s, flow.TCP, a, b, tcp("S", 777, 0, 0))}, []flow.Cause{forced}},
		{"unanswered SYN goes", []packet.Headers{open[0], pkt(31*s, flow.TCP, a, b, tcp("S", 100, 0, 0))}, []flow.Cause{idle, forced}},
		{"stray ACK after the end", append(closed[:5:5], pkt(4*s, flow.TCP, a, b, tcp("A", 102, 902, 0))), []flow.Cause{over}},
		{"stray ACK long after", append(closed[:5:5], pkt(10*s, flow.TCP, a, b, tcp("A", 102, 902, 0))), []flow.Cause{over, forced}},
		{"port used again after the end", append(closed[:5:5], pkt(1*s, flow.TCP, a, b, tcp("S", 5000, 0, 0))), []flow.Cause{over, forced}},
		{"port used again after a reset", append(reset[:4:4], pkt(1*s, flow.TCP, a, b, tcp("S", 5000, 0, 0))), []flow.Cause{over, forced}},
		{"the same SYN after a reset", append(reset[:4:4], pkt(1*s, flow.TCP, a, b, tcp("S", 100, 0, 0))), []flow.Cause{over}},
		{"port used again without an end", append(open[:3:3], pkt(9*s, flow.TCP, a, b, tcp("S", 5000, 0, 0))), []flow.Cause{over, forced}},
		{"port used again, only answers seen", []packet.Headers{
			open[1], pkt(1*s, flow.TCP, b, a, tcp("FA", 901, 102, 0)), pkt(2*s, flow.TCP, b, a, tcp("SA", 7000, 5001, 0)),
		}, []flow.Cause{over, forced}},
		{"port used again after a middle", []packet.Headers{
			pkt(0, flow.TCP, b, a, tcp("A", 1, 1, 10)), pkt(1*s, flow.TCP, a, b, tcp("S", 100, 0, 0)), pkt(2*s, flow.TCP, b, a, tcp("SA", 900, 101, 0)),
		}, []flow.Cause{over, forced}},
		{"SYN-ACK before its SYN", []packet.Headers{open[1], open[0], open[2]}, []flow.Cause{forced}},
		{"both open at once", []packet.Headers{
			open[0], pkt(0, flow.TCP, b, a, tcp("S", 900, 0, 0)), pkt(1*ms, flow.TCP, a, b, tcp("SA", 100, 901, 0)), pkt(1*ms, flow.TCP, b, a, tcp("SA", 900, 101, 0)),
		}, []flow.Cause{forced}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sc := newScript(t, nil)
			for _, h := range c.in { // one at a time and all at once agree
				sc.send(h)
			}
			var got []flow.Cause
			for _, r := range sc.finish() {
				got = append(got, r.Cause)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			all := newScript(t, nil)
			all.send(c.in...)
			if d := cmp.Diff(sc.got, all.finish()); d != "" {
				t.Errorf("in one batch: %s", d)
			}
		})
	}
}

func TestLongConversationIsSliced(t *testing.T) {
	const a, b = "10.0.0.9:40000", "10.0.0.1:443"
	sc := newScript(t, nil)
	for i := range 200 {
		sc.send(pkt(time.Duration(i)*s, flow.UDP, a, b))
	}
	got := sc.finish()
	if len(got) < 3 || len(got) > 4 {
		t.Fatalf("%d slices of 200 s, want 3 or 4", len(got))
	}
	for i, r := range got {
		if r.ID != got[0].ID || r.Key != got[0].Key || r.Evidence != got[0].Evidence || int(r.Slice) != i {
			t.Errorf("slice %d is %+v", i, r)
		}
		if i > 0 && r.Start <= got[i-1].End {
			t.Errorf("slice %d starts before the one before ends", i)
		}
		if d := time.Duration(r.End - r.Start); d > 62*s {
			t.Errorf("slice %d lasts %v", i, d)
		}
	}
}

func TestAdvanceExportsWithoutPackets(t *testing.T) {
	sc := newScript(t, nil)
	sc.send(pkt(0, flow.UDP, "10.0.0.9:40000", "10.0.0.1:53"))
	if err := sc.table.Advance(epoch + int64(29*s)); err != nil || len(sc.got) != 0 {
		t.Fatalf("after 29 s: %d records, error %v", len(sc.got), err)
	}
	if err := sc.table.Advance(epoch + int64(32*s)); err != nil || len(sc.got) != 1 {
		t.Fatalf("after 32 s: %d records, error %v", len(sc.got), err)
	}
	sc.one()
}

func TestICMP(t *testing.T) {
	const a, b = "10.0.0.9", "10.0.0.1"
	t.Run("echo", func(t *testing.T) {
		sc := newScript(t, nil)
		sc.send(pkt(0, flow.ICMP, b, a, echo(0, 77)), pkt(1, flow.ICMP, a, b, echo(8, 77)), pkt(2, flow.ICMP, b, a, echo(0, 77)))
		r := sc.one()
		if r.Key != flow.NewKey(flow.ICMP, end(a), end(b)) || r.Evidence != flow.RequestSeen || r.ToClient.Packets != 2 {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("complaint of a known conversation", func(t *testing.T) {
		sc := newScript(t, nil)
		const c, v = "10.0.0.9:5000", "10.0.0.1:5000"
		sc.send(pkt(0, flow.UDP, c, v), pkt(1*ms, flow.UDP, v, c, complaint, icmp(3, 3)))
		r := sc.one()
		if r.Key != flow.NewKey(flow.UDP, end(c), end(v)) || r.ToClient.Packets != 1 {
			t.Errorf("got %+v", r)
		}
		if st := sc.table.Stats(); st.ICMPErrors != 1 {
			t.Errorf("%d complaints", st.ICMPErrors)
		}
	})
	t.Run("complaint of an unknown conversation", func(t *testing.T) {
		sc := newScript(t, nil)
		const c, v = "10.0.0.9:5000", "10.0.0.1:5000"
		sc.send(pkt(1*ms, flow.UDP, v, c, complaint, icmp(3, 3)))
		if r := sc.one(); r.Key != flow.NewKey(flow.UDP, end(c), end(v)) || r.ToClient.Packets != 1 {
			t.Errorf("got %+v", r)
		}
	})
}

func TestFragmentsFindTheirPorts(t *testing.T) {
	for _, ends := range [][2]string{
		{"10.0.0.9:5000", "10.0.0.1:53"}, {"10.0.0.1:53", "10.0.0.9:5000"},
		{"[2001:db8::9]:5000", "[2001:db8::1]:53"}, {"10.0.0.1:5000", "10.0.0.1:53"},
	} {
		from, to := end(ends[0]).Addr().String(), end(ends[1]).Addr().String()
		sc := newScript(t, nil)
		sc.send(
			pkt(0, flow.UDP, ends[0], ends[1], first(7)), pkt(0, flow.UDP, from, to, later(7)),
			pkt(1, flow.UDP, from, to, later(7)), pkt(2, flow.UDP, from, to, later(8)), // never had a first
			pkt(31*s, flow.UDP, from, to, later(7)), // too late
		)
		sc.finish()
		joined := 0
		for _, r := range sc.got {
			if r.ServerPort == 53 {
				joined += int(r.Packets())
			}
		}
		if st := sc.table.Stats(); joined != 3 || st.FragmentsJoined != 2 || st.FragmentsUnjoined != 2 {
			t.Errorf("%v: %d packets with ports, stats %+v", ends, joined, st)
		}
	}
}

func TestManyFragmentsAreBounded(t *testing.T) {
	sc := newScript(t, nil)
	for i := range uint32(3 * maxFragments) {
		sc.send(pkt(0, flow.UDP, "10.0.0.9:5000", "10.0.0.1:53", first(i)))
	}
	sc.send(pkt(0, flow.UDP, "10.0.0.9", "10.0.0.1", later(0)), pkt(0, flow.UDP, "10.0.0.9", "10.0.0.1", later(2*maxFragments)))
	if st := sc.table.Stats(); st.FragmentsJoined != 1 || st.FragmentsUnjoined != 1 {
		t.Errorf("stats %+v", st)
	}
	sc.finish()
}

func TestKeysAreKeptApart(t *testing.T) {
	const a, b = "10.0.0.9:40000", "10.0.0.1:443"
	sc := newScript(t, func(c *Config) {
		c.Observer = func(n uint32) string { return []string{"eth0", "eth1", "eth0"}[n] }
	})
	sc.send(
		pkt(0, flow.UDP, a, b), pkt(0, flow.UDP, a, b, vlan(7)), pkt(0, flow.TCP, a, b),
		pkt(0, flow.UDP, a, b, iface(1)), pkt(0, flow.UDP, b, a, iface(2)),
	)
	got := sc.finish()
	if len(got) != 4 {
		t.Fatalf("%d records, want 4", len(got))
	}
	if got[0].Observer != "eth0" || got[0].Packets() != 2 || got[1].VLAN != 7 || got[2].Proto != flow.TCP || got[3].Observer != "eth1" {
		t.Errorf("got %+v", got)
	}
}

func TestManyObservers(t *testing.T) {
	sc := newScript(t, func(c *Config) {
		c.Observer = func(n uint32) string { return strings.Repeat("x", int(n%1000)) }
	})
	for i := range uint32(300) {
		sc.send(pkt(0, flow.UDP, "10.0.0.9:1", "10.0.0.1:2", iface(i)))
	}
	sc.send(pkt(0, flow.UDP, "10.0.0.9:1", "10.0.0.1:2", iface(1<<31)))
	got := sc.finish()
	if len(got) != 256 || len(got[254].Observer) != 254 || len(got[255].Observer) != 255 || got[255].Packets() != 46 {
		t.Errorf("%d records", len(got))
	}
}

func TestTimeGoesBack(t *testing.T) {
	const a, b = "10.0.0.9:40000", "10.0.0.1:443"
	t.Run("a little", func(t *testing.T) {
		sc := newScript(t, nil)
		sc.send(pkt(0, flow.UDP, a, b), pkt(-500*ms, flow.UDP, b, a), pkt(-5*s, flow.UDP, b, a), pkt(1*s, flow.UDP, a, b))
		r := sc.one()
		if r.Start != epoch-int64(5*s) || r.End != epoch+int64(s) {
			t.Errorf("from %v to %v", time.Duration(r.Start-epoch), time.Duration(r.End-epoch))
		}
	})
	t.Run("for good", func(t *testing.T) {
		sc := newScript(t, nil)
		sc.send(pkt(3600*s, flow.UDP, "10.0.0.5:1", b))
		for i := range 500 {
			sc.send(pkt(time.Duration(i)*s, flow.UDP, a, b))
		}
		got := sc.finish()
		if n := len(got); n < 7 || n > 10 {
			t.Errorf("%d records of 500 s and an outlier, want 7 to 10", n)
		}
		for i, r := range got {
			if r.ClientPort == 40000 && (r.Start < epoch || r.End >= epoch+int64(500*s)) {
				t.Errorf("record %d lasts from %v to %v", i, time.Duration(r.Start-epoch), time.Duration(r.End-epoch))
			}
		}
		if st := sc.table.Stats(); st.ClockSteps != 1 {
			t.Errorf("%d clock steps, want 1", st.ClockSteps)
		}
	})
	t.Run("two clocks", func(t *testing.T) {
		sc := newScript(t, nil)
		for i := range 50 {
			sc.send(pkt(time.Duration(i)*s, flow.UDP, a, b), pkt(3600*s+time.Duration(i)*s, flow.UDP, "10.0.0.5:1", b))
		}
		if got := sc.finish(); len(got) != 2 && len(got) != 3 {
			t.Errorf("%d records, want one for each", len(got))
		}
	})
	t.Run("absurdly", func(t *testing.T) {
		sc := newScript(t, nil)
		for _, at := range []int64{0, -1 << 63, 1<<63 - 1, 5, 1 << 62, 1<<62 + 1, -5} {
			for range 200 {
				h := pkt(0, flow.UDP, a, b)
				h.Time = at
				sc.send(h)
			}
		}
		sc.finish()
	})
}

func TestFullTableExportsTheQuietest(t *testing.T) {
	sc := newScript(t, func(c *Config) { c.MaxFlows = 16 })
	for i := range 16 {
		sc.send(pkt(time.Duration(i)*ms, flow.UDP, "10.0.0.9:40000", "10.0.1."+string(rune('0'+i%10))+":"+string(rune('1'+i/10))))
	}
	sc.send(pkt(20*ms, flow.UDP, "10.0.0.9:40000", "10.0.1.0:1")) // the first one speaks again
	sc.send(pkt(21*ms, flow.UDP, "10.0.0.8:40000", "10.0.1.0:1"))
	st := sc.table.Stats()
	if st.Early != 1 || st.Live != 16 {
		t.Errorf("stats %+v", st)
	}
	got := sc.finish()
	if got[0].Cause != flow.LackOfMemory || got[0].Start != epoch+int64(ms) {
		t.Errorf("first out was %+v", got[0])
	}
}

func TestEmitsErrorStays(t *testing.T) {
	full := errors.New("disk full")
	cfg := Default()
	cfg.MaxFlows = 1
	table, err := New(cfg, func(*flow.Batch) error { return full })
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	for i := 0; err == nil && i < 2000; i++ {
		err = table.Observe(nil, []packet.Headers{pkt(0, flow.UDP, "10.0.0.9:1", "10.0.0.1:2"), pkt(0, flow.UDP, "10.0.0.9:1", "10.0.0.1:3")})
	}
	if !errors.Is(err, full) || !errors.Is(table.Flush(), full) || !errors.Is(table.Advance(epoch), full) {
		t.Errorf("error = %v, want that of emit", err)
	}
}

// TestNothingIsLost sends random packets through small tables: whatever ends
// and slices conversations, the records hold what was sent.
func TestNothingIsLost(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var first []flow.Record
		flows, packets := 1+rng.IntN(300), 1+rng.IntN(5000)
		for run := range uint64(2) { // with two seeds of the table
			rng := rand.New(rand.NewPCG(seed, 1))
			sc := newScript(t, func(c *Config) {
				c.MaxFlows = 1 + int(seed*7)%100
				c.Seed = run + 1
				c.Identifier = &finder{after: 3}
				c.MaxPending = 20
			})
			var batch []packet.Headers
			var frames []packet.Frame
			at := time.Duration(0)
			for range packets {
				at += time.Duration(rng.ExpFloat64() * float64(100*ms))
				if rng.IntN(500) == 0 {
					at += time.Duration(rng.IntN(2000)-500) * s
				}
				batch = append(batch, randomPacket(rng, at, flows))
				frames = append(frames, packet.Frame{Data: make([]byte, 64)})
				if rng.IntN(40) == 0 {
					sc.sendFrames(frames, batch)
					batch, frames = batch[:0], frames[:0]
				}
			}
			sc.sendFrames(frames, batch)
			got := sc.finish()
			if run == 0 {
				first = got
			} else if d := cmp.Diff(first, got); d != "" {
				t.Fatalf("seed %d: records depend on the table's seed: %s", seed, d)
			}
			if err := sc.table.check(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// check tells whether a flushed table is really empty.
func (t *Table) check() error {
	for _, slot := range t.index.slots {
		if slot != 0 {
			return errors.New("an index of an empty table holds something")
		}
	}
	if t.pending != 0 {
		return errors.New("an empty table waits for verdicts")
	}
	return nil
}

func (sc *script) sendFrames(fs []packet.Frame, hs []packet.Headers) {
	sc.t.Helper()
	for i := range hs {
		sc.sent = sc.sent.Add(flow.Counters{Packets: 1, Bytes: uint64(hs[i].Bytes)})
	}
	if err := sc.table.Observe(fs, hs); err != nil {
		sc.t.Fatal(err)
	}
}

func randomPacket(rng *rand.Rand, at time.Duration, flows int) packet.Headers {
	n := rng.IntN(flows)
	h := packet.Headers{Time: epoch + int64(at), Bytes: rng.Uint32() >> rng.IntN(32), Iface: uint32(n % 3)}
	h.PayloadOffset, h.PayloadLen = 40, uint32(rng.IntN(20))
	a, b := uint64(n%7)+1, uint64(n%11)+20
	port := uint64(n)
	proto := []flow.Proto{flow.TCP, flow.UDP, flow.ICMP, flow.TCP}[n%4]
	h.Reversed = rng.IntN(2) == 0
	tail := uint64(proto)
	if h.Later = rng.IntN(50) == 0; h.Later {
		port = 0
	}
	if n%5 == 0 {
		h.Tuple = packet.Tuple{0x20010db8 << 32, a, 0x20010db8 << 32, b, port<<48 | 443<<32 | tail | 6<<8}
		if h.Later {
			h.Tuple[4] = tail | 6<<8
		}
	} else {
		h.Tuple = packet.Tuple{a<<16 | port, b<<16 | port, 0, 0, tail | 4<<8}
	}
	h.Fragment = h.Later || rng.IntN(50) == 0
	h.IPID = uint32(rng.IntN(8))
	h.ICMPError = !h.Fragment && rng.IntN(50) == 0
	if proto == flow.TCP && !h.Later && !h.ICMPError {
		h.TCPFlags = []uint8{16, 16, 16, 16, 16, 24, 2, 18, 17, 4, 0}[rng.IntN(11)]
		h.Seq, h.Ack, h.Window = rng.Uint32()>>rng.IntN(32), rng.Uint32(), uint16(rng.IntN(3))
		h.Segment = uint32(rng.IntN(1500))
	}
	h.ICMPType = uint8(rng.IntN(20))
	return h
}
