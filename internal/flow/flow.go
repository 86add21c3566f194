// Package flow holds the vocabulary that every stage shares: the key of a
// conversation, the record that describes it, and the seam between the stages
// that make records and the stages that use them.
//
// Addresses are 16 bytes, IPv4 as 4-in-6 (RFC 4291 section 2.5.5.2). Time is
// nanoseconds since 1970 in UTC. Bytes are IP bytes, headers included, unless
// a name says otherwise.
package flow

import (
	"context"
	"net/netip"
	"time"
)

// A Key names one conversation. Client is the side that opened it. Keys are
// comparable and hold no pointers.
//
// Ports are zero for protocols without ports (ICMP among them).
type Key struct {
	Client, Server         [16]byte
	ClientPort, ServerPort uint16
	VLAN                   uint16 // outer 802.1Q VLAN identifier, 0 = untagged
	Proto                  Proto
}

// NewKey builds a Key. Both addresses must be valid; zones are dropped.
func NewKey(proto Proto, client, server netip.AddrPort) Key {
	return Key{
		Client: client.Addr().As16(), ClientPort: client.Port(),
		Server: server.Addr().As16(), ServerPort: server.Port(),
		Proto: proto,
	}
}

// Addr turns 16 bytes of a key into an address, IPv4 unmapped.
func Addr(b [16]byte) netip.Addr { return netip.AddrFrom16(b).Unmap() }

// ClientAddrPort returns the side that opened the conversation.
func (k Key) ClientAddrPort() netip.AddrPort {
	return netip.AddrPortFrom(Addr(k.Client), k.ClientPort)
}

// ServerAddrPort returns the side that answered.
func (k Key) ServerAddrPort() netip.AddrPort {
	return netip.AddrPortFrom(Addr(k.Server), k.ServerPort)
}

// Reverse returns the key with the two sides exchanged.
func (k Key) Reverse() Key {
	k.Client, k.Server = k.Server, k.Client
	k.ClientPort, k.ServerPort = k.ServerPort, k.ClientPort
	return k
}

// Counters counts one direction.
type Counters struct{ Packets, Bytes uint64 }

// Add returns the sum of c and o.
func (c Counters) Add(o Counters) Counters {
	return Counters{c.Packets + o.Packets, c.Bytes + o.Bytes}
}

// A Record describes one conversation, or one slice of a long one, as one
// observer saw it. Counters and TCP facts are those of this slice alone, so
// that sums over records are right for any span of time.
type Record struct {
	Key
	ID       uint64 // the same in every slice of one conversation, unique within an observer
	Slice    uint32 // 0 in the first slice of a conversation, 1 in the next, ...
	Sampling uint32 // counters are already multiplied by it; 0 and 1 = every packet was counted

	Start, End int64 // first and last packet of this slice, ns since 1970 UTC; End >= Start
	ToServer   Counters
	ToClient   Counters

	TCP      TCPFacts
	App      App
	Evidence Evidence
	Cause    Cause    // why this slice was exported
	Observer string   // where it was seen: an interface, an exporter, a file; "" = not said
	Info     string   // the name that the client asked for (SNI, Host, query); "" = none seen
	Details  *Details // what else was said; nil = nothing. Shared by the slices of a conversation: never changed
}

// Bytes returns the bytes of both directions.
func (r *Record) Bytes() uint64 { return r.ToServer.Bytes + r.ToClient.Bytes }

// Packets returns the packets of both directions.
func (r *Record) Packets() uint64 { return r.ToServer.Packets + r.ToClient.Packets }

// TCPFacts holds what the TCP headers of a slice told. For other protocols it is zero.
type TCPFacts struct {
	// ServerRTT is the time from SYN to SYN-ACK, ClientRTT from SYN-ACK to its
	// ACK, both as the observer saw them. Zero = not seen.
	ServerRTT, ClientRTT time.Duration

	FlagsToServer, FlagsToClient uint8  // all flags seen, or-ed (RFC 9293 section 3.1)
	Retransmits                  uint32 // segments that carried bytes seen before, both directions
	OutOfOrder                   uint32 // segments that filled a gap, both directions
	ZeroWindows                  uint32 // times a side closed its window
	Resets                       uint32 // segments with RST
}

// An App is what a conversation carries, in nDPI's numbering. The zero value
// is unknown.
type App struct {
	Master uint16 // the carrying protocol: 91 = TLS
	App    uint16 // the application on it: 126 = Google; 0 = nothing beyond Master
	Guess  bool   // told from the port alone, not from what was said
}

// Details holds what few conversations say of themselves.
type Details struct {
	TLSVersion uint16 // as on the wire, 0x0304 = TLS 1.3 (RFC 8446 section 4.2.1); 0 = none seen
	JA4        string // fingerprint of the client's hello (FoxIO JA4); "" = none seen
	Software   string // what the server says it is: "nginx/1.22.1", "SSH-2.0-OpenSSH_9.2p1"; "" = none seen
}

// A Span is the time from Start up to but not including End, ns since 1970
// UTC. The zero Span is all time; a zero End is "no end".
type Span struct{ Start, End int64 }

// Contains reports whether t lies in s.
func (s Span) Contains(t int64) bool {
	return t >= s.Start && (s.End == 0 || t < s.End)
}

// A Batch is a group of records handed from one stage to the next. The giver
// owns it: a receiver borrows it until its call returns, must not change it,
// and copies what it keeps.
type Batch struct{ Records []Record }

// Reset empties b and keeps its memory.
func (b *Batch) Reset() {
	clear(b.Records)
	b.Records = b.Records[:0]
}

// A Sink takes records. WriteFlows is called by one goroutine at a time. It
// blocks when it is full: dropping is the caller's decision, and is counted.
type Sink interface {
	WriteFlows(ctx context.Context, b *Batch) error
}

// The SinkFunc type lets a function be a Sink.
type SinkFunc func(ctx context.Context, b *Batch) error

// WriteFlows calls f.
func (f SinkFunc) WriteFlows(ctx context.Context, b *Batch) error { return f(ctx, b) }

// A Loss says what did not get into the records: data like any other, stored
// with them and shown on the chart.
type Loss struct {
	Span     Span
	Observer string
	Where    string // the stage: "capture", "decode", "meter", "store"
	Reason   string // "kernel ring full", "cut in the TCP header", ...
	Count    uint64
	Unit     string // "packets", "bytes", "flows", "files"
}
