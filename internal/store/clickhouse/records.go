package clickhouse

import (
	"context"
	"iter"
	"math"
	"strings"
	"time"

	nativedriver "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
)

var _ store.Recorder = (*Store)(nil)

// recordColumns are those of scanRecord.
var recordColumns = []string{
	"client", "server", "client_port", "server_port", "proto", "vlan", "app_master", "app", "app_guess", "info", "observer",
	"toUnixTimestamp64Nano(start_time)", "toUnixTimestamp64Nano(end_time)",
	"packets_to_server", "bytes_to_server", "packets_to_client", "bytes_to_client",
	"evidence", "cause", "flow_id", "slice", "sampling", "server_rtt", "client_rtt",
	"flags_to_server", "flags_to_client", "retransmits", "out_of_order", "zero_windows", "resets", "tls_version", "ja4", "software",
}

// recordOrder begins as the table is sorted, so that the server need not sort
// more than neighbours. What is equal in all of it may change places.
const recordOrder = "from_time, server, server_port, client, end_time, start_time, observer, flow_id, slice, client_port, proto, vlan, " +
	"packets_to_server, bytes_to_server, packets_to_client, bytes_to_client"

// Records yields the records that were written when the loop began, by hour
// and edge.
func (s *Store) Records(ctx context.Context, span flow.Span) iter.Seq2[flow.Record, error] {
	return func(yield func(flow.Record, error) bool) {
		if err := s.ready(ctx); err != nil {
			yield(flow.Record{}, err)
			return
		}
		end := span.End
		if end == 0 {
			end = math.MaxInt64
		}
		if end <= span.Start {
			return
		}
		n := question{database: s.config.Database}
		statement := "SELECT " + strings.Join(recordColumns, ", ") + "\nFROM " + s.config.Database + ".flows\nWHERE " +
			n.between("end_time", span.Start, end) + "\nORDER BY " + recordOrder
		going, err := s.rows(ctx, statement, n.args, func(rows nativedriver.Rows) (bool, error) {
			r, err := scanRecord(rows)
			return err == nil && yield(r, nil), err
		})
		if going && err != nil {
			yield(flow.Record{}, s.failed(ctx, err))
		}
	}
}

// scanRecord reads a row of recordColumns.
func scanRecord(rows nativedriver.Rows) (r flow.Record, err error) {
	var d flow.Details
	var proto, evidence, cause uint8
	var serverRTT, clientRTT int64
	err = rows.Scan(&r.Client, &r.Server, &r.ClientPort, &r.ServerPort, &proto, &r.VLAN, &r.App.Master, &r.App.App, &r.App.Guess,
		&r.Info, &r.Observer, &r.Start, &r.End,
		&r.ToServer.Packets, &r.ToServer.Bytes, &r.ToClient.Packets, &r.ToClient.Bytes,
		&evidence, &cause, &r.ID, &r.Slice, &r.Sampling, &serverRTT, &clientRTT,
		&r.TCP.FlagsToServer, &r.TCP.FlagsToClient, &r.TCP.Retransmits, &r.TCP.OutOfOrder, &r.TCP.ZeroWindows, &r.TCP.Resets,
		&d.TLSVersion, &d.JA4, &d.Software)
	r.Proto, r.Evidence, r.Cause = flow.Proto(proto), flow.Evidence(evidence), flow.Cause(cause)
	r.TCP.ServerRTT, r.TCP.ClientRTT = time.Duration(serverRTT), time.Duration(clientRTT)
	if d != (flow.Details{}) {
		r.Details = &d
	}
	return r, err
}
