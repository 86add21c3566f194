package meter

import (
	"net/netip"
	"testing"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

// epoch is when tests happen, ns since 1970.
const epoch = int64(1_700_000_000_000_000_000)

// A script feeds packets to a table and keeps what it exports.
type script struct {
	t     *testing.T
	table *Table
	got   []flow.Record
	sent  flow.Counters
}

func newScript(t *testing.T, change func(*Config)) *script {
	t.Helper()
	s := &script{t: t}
	cfg := Default()
	cfg.MaxFlows = 1000
	cfg.Seed = 1
	cfg.Registered = func(_ flow.Proto, port uint16) bool {
		return port < 1024 || port == 1433 || port == 3306 || port == 5353
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	s.table, err = New(cfg, func(b *flow.Batch) error {
		s.got = append(s.got, b.Records...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.table.Close)
	return s
}

// An option changes a packet of a script.
type option func(*packet.Headers)

// pkt makes a packet of 100 IP bytes, sent at after epoch.
func pkt(at time.Duration, proto flow.Proto, from, to string, options ...option) packet.Headers {
	h := packet.Headers{Time: epoch + int64(at), Bytes: 100}
	h.Tuple, h.Reversed = packet.MakeTuple(end(from), end(to), proto, 0)
	for _, o := range options {
		o(&h)
	}
	return h
}

func end(s string) netip.AddrPort {
	if e, err := netip.ParseAddrPort(s); err == nil {
		return e
	}
	return netip.AddrPortFrom(netip.MustParseAddr(s), 0)
}

func tcp(flags string, seq, ack, payload uint32) option {
	return func(h *packet.Headers) {
		for _, c := range flags {
			h.TCPFlags |= map[rune]uint8{'S': flagSYN, 'A': flagACK, 'F': flagFIN, 'R': flagRST, 'P': 8}[c]
		}
		h.Seq, h.Ack, h.Segment, h.Window = seq, ack, payload, 1000
		if h.TCPFlags&flagRST != 0 {
			h.Window = 0
		}
	}
}

func window(w uint16) option { return func(h *packet.Headers) { h.Window = w } }
func bytes(n uint32) option  { return func(h *packet.Headers) { h.Bytes = n } }
func iface(n uint32) option  { return func(h *packet.Headers) { h.Iface = n } }
func icmp(kind, code uint8) option {
	return func(h *packet.Headers) { h.ICMPType, h.ICMPCode = kind, code }
}
func complaint(h *packet.Headers) { h.ICMPError = true }
func vlan(id uint16) option       { return func(h *packet.Headers) { h.Tuple[4] |= uint64(id) << 16 } }
func first(id uint32) option      { return func(h *packet.Headers) { h.Fragment, h.IPID = true, id } }
func later(id uint32) option {
	return func(h *packet.Headers) { h.Fragment, h.Later, h.IPID = true, true, id }
}

// echo gives both ends of an ICMP tuple the same identifier, as Decode does.
func echo(kind uint8, id uint16) option {
	return func(h *packet.Headers) {
		h.ICMPType = kind
		h.Tuple[0] |= uint64(id)
		h.Tuple[1] |= uint64(id)
	}
}

func (s *script) send(hs ...packet.Headers) {
	s.t.Helper()
	for i := range hs {
		s.sent = s.sent.Add(flow.Counters{Packets: 1, Bytes: uint64(hs[i].Bytes)})
	}
	if err := s.table.Observe(nil, hs); err != nil {
		s.t.Fatal(err)
	}
}

// finish flushes and returns all records, having checked that nothing was lost.
func (s *script) finish() []flow.Record {
	s.t.Helper()
	if err := s.table.Flush(); err != nil {
		s.t.Fatal(err)
	}
	var sum flow.Counters
	for i := range s.got {
		r := &s.got[i]
		sum = sum.Add(flow.Counters{Packets: r.Packets(), Bytes: r.Bytes()})
		if r.End < r.Start {
			s.t.Errorf("record %d ends %v before it starts", i, time.Duration(r.Start-r.End))
		}
		if r.Packets() == 0 {
			s.t.Errorf("record %d has no packets", i)
		}
	}
	if sum != s.sent {
		s.t.Errorf("records hold %+v, sent were %+v", sum, s.sent)
	}
	st := s.table.Stats()
	if st.Packets != s.sent.Packets || st.Bytes != s.sent.Bytes || st.Live != 0 || st.Exported != uint64(len(s.got)) {
		s.t.Errorf("stats %+v after %+v in %d records", st, s.sent, len(s.got))
	}
	return s.got
}

// one is finish for scripts that are one record.
func (s *script) one() flow.Record {
	s.t.Helper()
	got := s.finish()
	if len(got) != 1 {
		s.t.Fatalf("%d records, want 1: %+v", len(got), got)
	}
	return got[0]
}
