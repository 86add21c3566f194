package mariadb

import (
	"strings"

	"github.com/portolan/portolan/internal/query"
)

// A source is a part of what answers a question: the roll-up, or rows of one
// flow table that either Portolan or ntopng wrote.
type source struct {
	table   string // quoted
	dialect query.Dialect
	// four and six say which addresses there are, where only one kind can be.
	four, six bool

	client, server string // SQL: an int unsigned if four, or else 16 bytes
	port, proto    string
	master, app    string
	vlan           string
	observer       string // a number
	observerName   string // "" = by the number in the table of observers
	guess          string
	evidence       string
	first, last    string // ns
	hour           string // whole hours since 1970
	flows          string
	toServer       counterSQL
	toClient       counterSQL
	totals         bool // toServer holds both directions: subtract toClient from the sums

	where string // rows that belong to the source
	// seconds is the column of LAST_SWITCHED or the hour, by which the table is
	// partitioned.
	seconds string
}

type counterSQL struct{ packets, bytes string }

// zeroAddress stands for an address that the row does not hold.
const zeroAddress = "x'00000000000000000000000000000000'"

// dialect returns how filters are written for a server. The lower case of
// collations before UCA 14.0.0 (MariaDB 10.10) lacks letters of newer scripts.
func (c *capabilities) dialect() query.Dialect {
	d := query.MariaDB
	if c.foldsAll {
		d.Contains = func(expr, param string) string {
			return "LOCATE(CAST(" + param + " AS BINARY), CAST(LOWER(CONVERT(" + expr + " USING utf8mb4) COLLATE utf8mb4_uca1400_ai_ci) AS BINARY)) > 0"
		}
	}
	return d
}

// edgesSource is the roll-up.
func edgesSource(n *names, c *capabilities) source {
	return source{
		table: n.edges, dialect: ownDialect(n, c, nil),
		client: "client", server: "server", port: "server_port", proto: "proto", master: "app_master", app: "app",
		vlan: "vlan", observer: "observer_id", guess: "app_guess", evidence: "evidence",
		first: "first_time", last: "last_time", hour: "`hour` DIV 3600", flows: "flows",
		toServer: counterSQL{"packets_to_server", "bytes_to_server"},
		toClient: counterSQL{"packets_to_client", "bytes_to_client"},
		where:    "1 = 1", seconds: "`hour`",
	}
}

// ownDialect is how filters are written for what Portolan wrote.
func ownDialect(n *names, c *capabilities, columns map[query.Column]string) query.Dialect {
	d := c.dialect()
	d.Columns = columns
	d.Same = func(_, param string) string {
		return "observer_id = COALESCE((SELECT id FROM " + n.observers + " WHERE digest = UNHEX(SHA2(" + param + ", 256))), 0)"
	}
	return d
}

// ownSource is what Portolan wrote into a flow table.
func ownSource(n *names, t *flowTable, c *capabilities) source {
	s := source{
		table: quoteName(t.name), four: !t.six, six: t.six,
		client: "IP_SRC_ADDR", server: "IP_DST_ADDR", port: "L4_DST_PORT", proto: "PROTOCOL", master: "app_master", app: "app",
		vlan: "VLAN_ID", observer: "observer_id", guess: "app_guess", evidence: "evidence",
		first: "start_time", last: "end_time", hour: "end_time DIV 3600000000000", flows: "slice = 0",
		toServer: counterSQL{"packets_to_server", "IN_BYTES"}, toClient: counterSQL{"packets_to_client", "OUT_BYTES"},
		where: "1 = 1", seconds: "LAST_SWITCHED",
	}
	if t.six {
		s.client, s.server = textAddress("IP_SRC_ADDR"), textAddress("IP_DST_ADDR")
	}
	if t.foreign() {
		s.where = "end_time IS NOT NULL"
	}
	s.dialect = ownDialect(n, c, s.columns("COALESCE(info_long, INFO, '')", "L4_SRC_PORT"))
	s.dialect.Address = s.address()
	return s
}

// textAddress returns the SQL for the 16 bytes of an address that is kept as
// text.
func textAddress(column string) string {
	return "COALESCE(INET6_ATON(" + column + "), " + zeroAddress + ")"
}

// address returns how the source's dialect writes an address.
func (s *source) address() func([16]byte) any {
	if !s.four {
		return nil
	}
	return func(a [16]byte) any { return int64(address4(a)) }
}

// columns returns what filters look at.
func (s *source) columns(info, clientPort string) map[query.Column]string {
	return map[query.Column]string{
		query.ClientColumn: s.client, query.ServerColumn: s.server,
		query.ClientPortColumn: clientPort, query.ServerPortColumn: s.port,
		query.ProtoColumn: s.proto, query.VLANColumn: s.vlan,
		query.MasterColumn: s.master, query.AppColumn: s.app, query.InfoColumn: info,
		query.PacketsToServerColumn: s.toServer.packets, query.BytesToServerColumn: s.toServer.bytes,
		query.PacketsToClientColumn: s.toClient.packets, query.BytesToClientColumn: s.toClient.bytes,
	}
}

// foreignSource is what ntopng wrote into a flow table. Its columns differ
// between generations, and any may be null.
func foreignSource(t *flowTable, c *capabilities) source {
	have := func(column, zero string) string {
		if t.columns[column] {
			return "COALESCE(" + column + ", " + zero + ")"
		}
		return zero
	}
	s := source{
		table: quoteName(t.name), four: !t.six, six: t.six,
		client: have("IP_SRC_ADDR", "0") + " & 4294967295", server: have("IP_DST_ADDR", "0") + " & 4294967295",
		port: have("L4_DST_PORT", "0"), proto: have("PROTOCOL", "0"), master: have("L7_PROTO", "0"), app: "0",
		vlan: have("VLAN_ID", "0"), guess: "0", evidence: "10", // who spoke first
		last: have("LAST_SWITCHED", "0") + " * 1000000000", hour: have("LAST_SWITCHED", "0") + " DIV 3600", flows: "1",
		where: "1 = 1", seconds: "LAST_SWITCHED",
	}
	s.client, s.server = "("+s.client+")", "("+s.server+")"
	if t.six {
		s.client, s.server = textAddress("IP_SRC_ADDR"), textAddress("IP_DST_ADDR")
	}
	s.first = s.last
	if t.columns["FIRST_SWITCHED"] {
		s.first = "LEAST(COALESCE(FIRST_SWITCHED, LAST_SWITCHED, 0), " + have("LAST_SWITCHED", "0") + ") * 1000000000"
	}
	if t.ours() {
		s.where = "end_time IS NULL"
	}
	s.observerName = observerText(t)
	s.observer = "1099511627776 + CRC32(" + s.observerName + ")"
	total, part := foreignCounters(t, c.decodes)
	s.toServer, s.toClient, s.totals = total, part, true

	info := "''"
	if t.columns["INFO"] {
		info = "CONVERT(COALESCE(INFO, '') USING utf8mb4)"
	}
	s.dialect = c.dialect()
	s.dialect.Columns = s.columns(info, have("L4_SRC_PORT", "0"))
	s.dialect.Columns[query.ObserverColumn] = s.observerName
	// A filter looks at both directions together, and toServer holds both.
	s.dialect.Columns[query.PacketsToClientColumn] = "0"
	s.dialect.Columns[query.BytesToClientColumn] = "0"
	s.dialect.Address = s.address()
	return s
}

// observerText returns the SQL for the name of what saw ntopng's rows: its
// instance, "/" and the interface, by name or by number.
func observerText(t *flowTable) string {
	var parts []string
	if t.columns["NTOPNG_INSTANCE_NAME"] {
		parts = append(parts, "NULLIF(NTOPNG_INSTANCE_NAME, '')")
	}
	switch _, number, perInterface := strings.Cut(t.name, "_"); {
	case perInterface:
		parts = append(parts, "'"+number+"'")
	case t.columns["INTERFACE"]:
		parts = append(parts, "NULLIF(INTERFACE, '')")
	case t.columns["INTERFACE_ID"]:
		parts = append(parts, "INTERFACE_ID")
	}
	if len(parts) == 0 {
		return "''"
	}
	return "CONVERT(CONCAT_WS('/', " + strings.Join(parts, ", ") + ") USING utf8mb4)"
}

// foreignCounters returns the counters of both directions, and those to the
// client. ntopng's JSON alone tells the packets of each direction, and before
// 2.5 the bytes, too. Its labels are those of NetFlow v9, or their numbers
// (RFC 3954 section 8). Without it everything counts to the server.
func foreignCounters(t *flowTable, decodes bool) (total, part counterSQL) {
	inJSON := func(name, number, most string) string {
		if !decodes || !t.columns["JSON"] {
			return "0"
		}
		// The first two characters of compressed text are its length: 0x227b
		// would be more than ntopng's longest.
		const text = `CONVERT(IF(LEFT(JSON, 2) = '{"', JSON, UNCOMPRESS(JSON)) USING utf8mb4)`
		return "LEAST(" + most + ", CAST(COALESCE(JSON_VALUE(" + text + ", '$." + name + "'), JSON_VALUE(" + text + `, '$."` + number + `"'), 0) AS UNSIGNED))`
	}
	total, part = counterSQL{"0", "0"}, counterSQL{"0", "0"}
	if t.columns["PACKETS"] {
		total.packets = "COALESCE(PACKETS, 0)"
		part.packets = inJSON("OUT_PKTS", "24", total.packets)
	}
	switch {
	case t.columns["IN_BYTES"] && t.columns["OUT_BYTES"]:
		total.bytes, part.bytes = "(COALESCE(IN_BYTES, 0) + COALESCE(OUT_BYTES, 0))", "COALESCE(OUT_BYTES, 0)"
	case t.columns["BYTES"]:
		total.bytes = "COALESCE(BYTES, 0)"
		part.bytes = inJSON("OUT_BYTES", "23", total.bytes)
	}
	return total, part
}

// forFamily returns e for a table that holds addresses of one family alone:
// what no address there can pass becomes a constant. A record with both
// families lies in the table of IPv6.
func forFamily(e query.Expr, four bool) query.Expr {
	if !four {
		return e
	}
	switch e := e.(type) {
	case query.And:
		return query.And{L: forFamily(e.L, four), R: forFamily(e.R, four)}
	case query.Or:
		return query.Or{L: forFamily(e.L, four), R: forFamily(e.R, four)}
	case query.Not:
		return query.Not{X: forFamily(e.X, four)}
	case query.Net:
		if e.Prefix.Addr().Is6() {
			return nothing
		}
	case query.FamilyIs:
		if e.IPv6 {
			return nothing
		}
		return query.Not{X: nothing}
	}
	return e
}

// nothing passes no record.
var nothing = query.AppIs{}
