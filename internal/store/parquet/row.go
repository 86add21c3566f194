package parquet

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

// hour is the length of a segment, in ns.
const hour = int64(time.Hour)

// most is the largest counter that is kept; larger ones are cut to it, so that
// sums of two never overflow.
const most = 1<<63 - 1

// A flowRow is a flow.Record as a segment holds it. Names and types are part
// of the format: docs/formats/store.md.
type flowRow struct {
	Client          [16]byte `parquet:"client"`
	Server          [16]byte `parquet:"server"`
	ClientPort      uint16   `parquet:"client_port"`
	ServerPort      uint16   `parquet:"server_port"`
	Proto           uint8    `parquet:"proto"`
	VLAN            uint16   `parquet:"vlan"`
	Master          uint16   `parquet:"app_master"`
	App             uint16   `parquet:"app"`
	Guess           bool     `parquet:"app_guess"`
	Info            string   `parquet:"info"`
	Observer        string   `parquet:"observer"`
	Start           int64    `parquet:"start_time,timestamp(nanosecond:local)"`
	End             int64    `parquet:"end_time,timestamp(nanosecond:local)"`
	PacketsToServer uint64   `parquet:"packets_to_server"`
	BytesToServer   uint64   `parquet:"bytes_to_server"`
	PacketsToClient uint64   `parquet:"packets_to_client"`
	BytesToClient   uint64   `parquet:"bytes_to_client"`
	Evidence        uint8    `parquet:"evidence"`
	Cause           uint8    `parquet:"cause"`
	Flow            uint64   `parquet:"flow_id"`
	Slice           uint32   `parquet:"slice"`
	Sampling        uint32   `parquet:"sampling"`
	ServerRTT       int64    `parquet:"server_rtt"`
	ClientRTT       int64    `parquet:"client_rtt"`
	FlagsToServer   uint8    `parquet:"flags_to_server"`
	FlagsToClient   uint8    `parquet:"flags_to_client"`
	Retransmits     uint32   `parquet:"retransmits"`
	OutOfOrder      uint32   `parquet:"out_of_order"`
	ZeroWindows     uint32   `parquet:"zero_windows"`
	Resets          uint32   `parquet:"resets"`
	TLSVersion      uint16   `parquet:"tls_version"`
	JA4             string   `parquet:"ja4"`
	Software        string   `parquet:"software"`
}

// newFlowRow returns r as it is stored: texts are UTF-8, counters are cut at most.
func newFlowRow(r *flow.Record) flowRow {
	f := flowRow{
		Client: r.Client, Server: r.Server, ClientPort: r.ClientPort, ServerPort: r.ServerPort,
		Proto: uint8(r.Proto), VLAN: r.VLAN,
		Master: r.App.Master, App: r.App.App, Guess: r.App.Guess,
		Info: query.Text(r.Info), Observer: query.Text(r.Observer),
		Start: r.Start, End: r.End,
		PacketsToServer: min(r.ToServer.Packets, most), BytesToServer: min(r.ToServer.Bytes, most),
		PacketsToClient: min(r.ToClient.Packets, most), BytesToClient: min(r.ToClient.Bytes, most),
		Evidence: uint8(r.Evidence), Cause: uint8(r.Cause),
		Flow: r.ID, Slice: r.Slice, Sampling: r.Sampling,
		ServerRTT: int64(r.TCP.ServerRTT), ClientRTT: int64(r.TCP.ClientRTT),
		FlagsToServer: r.TCP.FlagsToServer, FlagsToClient: r.TCP.FlagsToClient,
		Retransmits: r.TCP.Retransmits, OutOfOrder: r.TCP.OutOfOrder,
		ZeroWindows: r.TCP.ZeroWindows, Resets: r.TCP.Resets,
	}
	if d := r.Details; d != nil {
		f.TLSVersion, f.JA4, f.Software = d.TLSVersion, query.Text(d.JA4), query.Text(d.Software)
	}
	return f
}

// record returns the record that was stored.
func (f *flowRow) record() flow.Record {
	r := flow.Record{
		Key: flow.Key{
			Client: f.Client, Server: f.Server, ClientPort: f.ClientPort, ServerPort: f.ServerPort,
			VLAN: f.VLAN, Proto: flow.Proto(f.Proto),
		},
		ID: f.Flow, Slice: f.Slice, Sampling: f.Sampling, Start: f.Start, End: f.End,
		ToServer: flow.Counters{Packets: f.PacketsToServer, Bytes: f.BytesToServer},
		ToClient: flow.Counters{Packets: f.PacketsToClient, Bytes: f.BytesToClient},
		TCP: flow.TCPFacts{
			ServerRTT: time.Duration(f.ServerRTT), ClientRTT: time.Duration(f.ClientRTT),
			FlagsToServer: f.FlagsToServer, FlagsToClient: f.FlagsToClient,
			Retransmits: f.Retransmits, OutOfOrder: f.OutOfOrder,
			ZeroWindows: f.ZeroWindows, Resets: f.Resets,
		},
		App:      flow.App{Master: f.Master, App: f.App, Guess: f.Guess},
		Evidence: flow.Evidence(f.Evidence), Cause: flow.Cause(f.Cause),
		Observer: f.Observer, Info: f.Info,
	}
	if d := (flow.Details{TLSVersion: f.TLSVersion, JA4: f.JA4, Software: f.Software}); d != (flow.Details{}) {
		r.Details = &d
	}
	return r
}

// compare is the order of rows in a segment: by edge, the server first, so
// that the columns of the server stand in long runs, that filters on a server
// skip pages, and that a roll-up is one pass over neighbours.
func (f *flowRow) compare(o *flowRow) int {
	if c := f.compareEdge(o); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(f.End, o.End), cmp.Compare(f.Start, o.Start), cmp.Compare(f.Flow, o.Flow))
}

func (f *flowRow) compareEdge(o *flowRow) int {
	if c := bytes.Compare(f.Server[:], o.Server[:]); c != 0 {
		return c
	}
	if c := cmp.Compare(f.ServerPort, o.ServerPort); c != 0 {
		return c
	}
	if c := bytes.Compare(f.Client[:], o.Client[:]); c != 0 {
		return c
	}
	return cmp.Or(
		cmp.Compare(f.Proto, o.Proto), cmp.Compare(f.Master, o.Master), cmp.Compare(f.App, o.App),
		cmp.Compare(f.VLAN, o.VLAN), strings.Compare(f.Observer, o.Observer))
}

// An edgeRow is what one observer saw of one edge in one hour, or in one day.
type edgeRow struct {
	Client          [16]byte `parquet:"client"`
	Server          [16]byte `parquet:"server"`
	ServerPort      uint16   `parquet:"server_port"`
	Proto           uint8    `parquet:"proto"`
	VLAN            uint16   `parquet:"vlan"`
	Master          uint16   `parquet:"app_master"`
	App             uint16   `parquet:"app"`
	Guess           bool     `parquet:"app_guess"`
	Observer        string   `parquet:"observer"`
	From            int64    `parquet:"from_time,timestamp(nanosecond:local)"`
	PacketsToServer uint64   `parquet:"packets_to_server"`
	BytesToServer   uint64   `parquet:"bytes_to_server"`
	PacketsToClient uint64   `parquet:"packets_to_client"`
	BytesToClient   uint64   `parquet:"bytes_to_client"`
	Flows           uint64   `parquet:"flows"`
	First           int64    `parquet:"first_time,timestamp(nanosecond:local)"`
	Last            int64    `parquet:"last_time,timestamp(nanosecond:local)"`
	Evidence        uint8    `parquet:"evidence"`
}

// add takes o, a part of the same edge, into e.
func (e *edgeRow) add(o *edgeRow) {
	e.PacketsToServer = sum(e.PacketsToServer, o.PacketsToServer)
	e.BytesToServer = sum(e.BytesToServer, o.BytesToServer)
	e.PacketsToClient = sum(e.PacketsToClient, o.PacketsToClient)
	e.BytesToClient = sum(e.BytesToClient, o.BytesToClient)
	e.Flows += o.Flows
	e.First = min(e.First, o.First)
	e.Last = max(e.Last, o.Last)
	e.Evidence = max(e.Evidence, o.Evidence)
	e.Guess = e.Guess && o.Guess
}

// sum adds counters of at most most, and stops there.
func sum(a, b uint64) uint64 { return min(a+b, most) }

// compareEdge is the order of rows in a roll-up.
func (e *edgeRow) compareEdge(o *edgeRow) int {
	return cmp.Or(
		bytes.Compare(e.Server[:], o.Server[:]), cmp.Compare(e.ServerPort, o.ServerPort),
		bytes.Compare(e.Client[:], o.Client[:]),
		cmp.Compare(e.Proto, o.Proto), cmp.Compare(e.Master, o.Master), cmp.Compare(e.App, o.App),
		cmp.Compare(e.VLAN, o.VLAN), strings.Compare(e.Observer, o.Observer))
}

// A lossRow is a flow.Loss as it is stored.
type lossRow struct {
	Start    int64  `parquet:"start_time,timestamp(nanosecond:local)"`
	End      int64  `parquet:"end_time,timestamp(nanosecond:local)"`
	Observer string `parquet:"observer"`
	Where    string `parquet:"stage"`
	Reason   string `parquet:"reason"`
	Count    uint64 `parquet:"count"`
	Unit     string `parquet:"unit"`
}

func newLossRow(l *flow.Loss) lossRow {
	return lossRow{
		Start: l.Span.Start, End: l.Span.End, Observer: query.Text(l.Observer), Where: query.Text(l.Where),
		Reason: query.Text(l.Reason), Count: min(l.Count, most), Unit: query.Text(l.Unit),
	}
}

func (l *lossRow) loss() flow.Loss {
	return flow.Loss{
		Span: flow.Span{Start: l.Start, End: l.End}, Observer: l.Observer, Where: l.Where,
		Reason: l.Reason, Count: l.Count, Unit: l.Unit,
	}
}
