-- Version 1. Each statement ends with ";" at the end of a line. Names of local tables end in _local in a cluster,
-- where the plain names are those of Distributed tables: what is written and asked is always the plain name.

CREATE TABLE IF NOT EXISTS {{.Table "flows"}} (
	client IPv6 CODEC(ZSTD(1)),
	server IPv6 CODEC(ZSTD(1)),
	client_port UInt16 CODEC(T64, ZSTD(1)),
	server_port UInt16 CODEC(ZSTD(1)),
	proto UInt8 CODEC(ZSTD(1)),
	vlan UInt16 CODEC(ZSTD(1)),
	app_master UInt16 CODEC(ZSTD(1)),
	app UInt16 CODEC(ZSTD(1)),
	app_guess Bool CODEC(ZSTD(1)),
	info String CODEC(ZSTD(1)),
	info_folded String COMMENT 'info in lower case; empty if that is info itself' CODEC(ZSTD(1)),
	observer LowCardinality(String) CODEC(ZSTD(1)),
	start_time DateTime64(9, 'UTC') CODEC(T64, ZSTD(1)),
	end_time DateTime64(9, 'UTC') CODEC(T64, ZSTD(1)),
	packets_to_server UInt64 CODEC(T64, ZSTD(1)),
	bytes_to_server UInt64 CODEC(T64, ZSTD(1)),
	packets_to_client UInt64 CODEC(T64, ZSTD(1)),
	bytes_to_client UInt64 CODEC(T64, ZSTD(1)),
	evidence UInt8 CODEC(ZSTD(1)),
	cause UInt8 CODEC(ZSTD(1)),
	flow_id UInt64 CODEC(ZSTD(1)),
	slice UInt32 CODEC(T64, ZSTD(1)),
	sampling UInt32 CODEC(T64, ZSTD(1)),
	server_rtt Int64 COMMENT 'ns' CODEC(T64, ZSTD(1)),
	client_rtt Int64 COMMENT 'ns' CODEC(T64, ZSTD(1)),
	flags_to_server UInt8 CODEC(ZSTD(1)),
	flags_to_client UInt8 CODEC(ZSTD(1)),
	retransmits UInt32 CODEC(T64, ZSTD(1)),
	out_of_order UInt32 CODEC(T64, ZSTD(1)),
	zero_windows UInt32 CODEC(T64, ZSTD(1)),
	resets UInt32 CODEC(T64, ZSTD(1)),
	tls_version UInt16 CODEC(ZSTD(1)),
	ja4 LowCardinality(String) CODEC(ZSTD(1)),
	software LowCardinality(String) CODEC(ZSTD(1)),
	from_time DateTime64(9, 'UTC') DEFAULT fromUnixTimestamp64Nano(intDiv(toUnixTimestamp64Nano(end_time), 3600000000000) * 3600000000000, 'UTC')
		COMMENT 'start of the hour of end_time' CODEC(DoubleDelta, ZSTD(1))
) ENGINE = {{.Engine "MergeTree" "flows"}}
PARTITION BY toYYYYMMDD(end_time)
ORDER BY (from_time, server, server_port, client)
SETTINGS {{.Settings}};

-- What one observer saw of one edge in one hour. Rows of one key are merged in time, not at once: sum them.
CREATE TABLE IF NOT EXISTS {{.Table "edges_hour"}} (
	from_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
	{{.Edge}}
) ENGINE = {{.Engine "AggregatingMergeTree" "edges_hour"}}
PARTITION BY toYYYYMMDD(from_time)
PRIMARY KEY (from_time, server, server_port, client)
ORDER BY (from_time, server, server_port, client, proto, app_master, app, vlan, observer)
SETTINGS {{.Settings}};

-- The same for a day.
CREATE TABLE IF NOT EXISTS {{.Table "edges_day"}} (
	from_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
	{{.Edge}}
) ENGINE = {{.Engine "AggregatingMergeTree" "edges_day"}}
PARTITION BY toYYYYMMDD(from_time)
PRIMARY KEY (from_time, server, server_port, client)
ORDER BY (from_time, server, server_port, client, proto, app_master, app, vlan, observer)
SETTINGS {{.Settings}};

-- Who observed on a day, and how much: tells whether a day has several observers.
CREATE TABLE IF NOT EXISTS {{.Table "days"}} (
	from_time DateTime64(9, 'UTC'),
	observer LowCardinality(String),
	records SimpleAggregateFunction(sum, UInt64),
	first_time SimpleAggregateFunction(min, DateTime64(9, 'UTC')),
	last_time SimpleAggregateFunction(max, DateTime64(9, 'UTC'))
) ENGINE = {{.Engine "AggregatingMergeTree" "days"}}
PARTITION BY toYYYYMMDD(from_time)
PRIMARY KEY from_time
ORDER BY (from_time, observer)
SETTINGS {{.Settings}};

CREATE TABLE IF NOT EXISTS {{.Table "losses"}} (
	start_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
	end_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
	observer LowCardinality(String),
	stage LowCardinality(String),
	reason LowCardinality(String),
	count UInt64 CODEC(T64, ZSTD(1)),
	unit LowCardinality(String)
) ENGINE = {{.Engine "MergeTree" "losses"}}
PARTITION BY toYYYYMM(start_time)
PRIMARY KEY start_time
ORDER BY (start_time, end_time, observer, stage)
SETTINGS {{.Settings}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{.View "edges_hour_of_flows"}} TO {{.Source "edges_hour"}} AS
SELECT from_time, {{.Sums}}
FROM {{.Source "flows"}}
GROUP BY from_time, client, server, server_port, proto, vlan, app_master, app, observer;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{.View "edges_day_of_flows"}} TO {{.Source "edges_day"}} AS
SELECT {{.Day}} AS from_time, {{.Sums}}
FROM {{.Source "flows"}}
GROUP BY {{.Day}}, client, server, server_port, proto, vlan, app_master, app, observer;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{.View "days_of_flows"}} TO {{.Source "days"}} AS
SELECT {{.Day}} AS from_time, observer,
	count() AS records, min(start_time) AS first_time, max(end_time) AS last_time
FROM {{.Source "flows"}}
GROUP BY {{.Day}}, observer;
