package clickhouse

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
	"time"
)

// version is that of the schema. The files of folder schema lead to it, one a
// version.
const version = 1

//go:embed schema/*.sql
var schemaFiles embed.FS

// dedupWindow is how many parts a table remembers, to know a block that is
// written again. A block is a part in each of its partitions, so this is some
// hours of a dozen stores that write every second or two.
const dedupWindow = 10_000

// A layout is how the tables of a store are laid out on servers.
type layout struct {
	Database       string
	Cluster        string // "" = one server
	OnCluster      bool   // the server passes statements on to all of Cluster
	Replicated     bool   // tables are replicated by Keeper
	Sync           bool
	TTL, RollupTTL time.Duration
}

// tables are those that hold data, and what a row is sharded by.
var tables = []struct{ name, shardBy string }{
	{"flows", "cityHash64(client, server)"},
	{"edges_hour", "cityHash64(client, server)"},
	{"edges_day", "cityHash64(client, server)"},
	{"days", "cityHash64(observer)"},
	{"losses", "cityHash64(observer, stage)"},
}

// local returns the name of the table that holds a server's part of a table,
// behind that of the database.
func (l *layout) local(table string) string { return l.Database + "." + l.localName(table) }

func (l *layout) localName(table string) string {
	if l.Cluster == "" {
		return table
	}
	return table + "_local"
}

// mark returns the statement that says which version the tables are of.
func (l *layout) mark(create string, version int) string {
	return fmt.Sprintf("CREATE %s %s.schema_version%s AS SELECT toUInt32(%d) AS version", create, l.Database, l.onCluster(), version)
}

// onCluster returns what follows a name in a statement for all servers.
func (l *layout) onCluster() string {
	if !l.OnCluster {
		return ""
	}
	return " ON CLUSTER '" + l.Cluster + "'"
}

// statements returns what creates version n of the schema, in order.
func (l *layout) statements(n int) ([]string, error) {
	file := fmt.Sprintf("schema/%d.sql", n)
	t, err := template.ParseFS(schemaFiles, file)
	if err != nil {
		return nil, fmt.Errorf("BUG: %w", err)
	}
	var text strings.Builder
	if err := t.Execute(&text, schemaText{l}); err != nil {
		return nil, fmt.Errorf("BUG: %w", err)
	}
	all := split(text.String())
	if l.Cluster != "" {
		for _, table := range tables {
			all = append(all, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s.%s%s AS %s\nENGINE = Distributed('%s', %s, %s, %s)",
				l.Database, table.name, l.onCluster(), l.local(table.name), l.Cluster, l.Database, l.localName(table.name), table.shardBy))
		}
	}
	return all, nil
}

// split returns the statements of a file, without comments.
func split(text string) (all []string) {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "--") || line == "" {
			continue
		}
		last, ends := strings.CutSuffix(line, ";")
		lines = append(lines, last)
		if ends {
			all = append(all, strings.Join(lines, "\n"))
			lines = nil
		}
	}
	return all
}

// A schemaText is what the files of the schema can say.
type schemaText struct{ *layout }

// Table names a table that holds data.
func (s schemaText) Table(name string) string { return s.local(name) + s.onCluster() }

// Source names a table that a view reads.
func (s schemaText) Source(name string) string { return s.local(name) }

// View names a materialized view.
func (s schemaText) View(name string) string { return s.Database + "." + name + s.onCluster() }

// Engine returns the engine of a table.
func (s schemaText) Engine(engine, table string) string {
	if s.Replicated {
		return fmt.Sprintf("Replicated%s('/clickhouse/tables/{shard}/%s/%s', '{replica}')", engine, s.Database, table)
	}
	return engine
}

// ttl returns the clause that lets the server drop old days of a table by
// itself. Times after 2100 do not fit the type that the clause needs.
func ttl(column string, d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("toDateTime(least(%s, toDateTime64('2100-01-01 00:00:00', 9, 'UTC')), 'UTC') + INTERVAL %d DAY", column, days(d))
}

// days returns how many days d is.
func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

// Settings returns those of every table that holds data.
func (s schemaText) Settings() string {
	window := fmt.Sprintf("non_replicated_deduplication_window = %d", dedupWindow)
	if s.Replicated {
		window = fmt.Sprintf("replicated_deduplication_window = %d", dedupWindow)
	}
	sync := ""
	if s.Sync {
		sync = ", fsync_after_insert = 1, fsync_part_directory = 1"
	}
	return window + sync + ", ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1"
}

// Day returns the start of the day of end_time.
func (s schemaText) Day() string {
	return "fromUnixTimestamp64Nano(intDiv(toUnixTimestamp64Nano(end_time), 86400000000000) * 86400000000000, 'UTC')"
}

// Edge returns the columns of a roll-up behind its time.
func (s schemaText) Edge() string {
	return strings.TrimSpace(`
	client IPv6 CODEC(ZSTD(1)),
	server IPv6 CODEC(ZSTD(1)),
	server_port UInt16 CODEC(ZSTD(1)),
	proto UInt8 CODEC(ZSTD(1)),
	vlan UInt16 CODEC(ZSTD(1)),
	app_master UInt16 CODEC(ZSTD(1)),
	app UInt16 CODEC(ZSTD(1)),
	observer LowCardinality(String) CODEC(ZSTD(1)),
	app_guess SimpleAggregateFunction(min, UInt8) CODEC(ZSTD(1)),
	packets_to_server SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
	bytes_to_server SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
	packets_to_client SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
	bytes_to_client SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
	flows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
	first_time SimpleAggregateFunction(min, DateTime64(9, 'UTC')) CODEC(T64, ZSTD(1)),
	last_time SimpleAggregateFunction(max, DateTime64(9, 'UTC')) CODEC(T64, ZSTD(1)),
	evidence SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1))`)
}

// Sums returns what a roll-up takes of records.
func (s schemaText) Sums() string {
	return `client, server, server_port, proto, vlan, app_master, app, observer,
	min(toUInt8(app_guess)) AS app_guess,
	sum(packets_to_server) AS packets_to_server, sum(bytes_to_server) AS bytes_to_server,
	sum(packets_to_client) AS packets_to_client, sum(bytes_to_client) AS bytes_to_client,
	countIf(slice = 0) AS flows, min(start_time) AS first_time, max(end_time) AS last_time, max(evidence) AS evidence`
}
