CREATE TABLE IF NOT EXISTS portolan.flows (
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
) ENGINE = MergeTree
PARTITION BY toYYYYMMDD(end_time)
ORDER BY (from_time, server, server_port, client)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE TABLE IF NOT EXISTS portolan.edges_hour (
	from_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
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
	evidence SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMMDD(from_time)
PRIMARY KEY (from_time, server, server_port, client)
ORDER BY (from_time, server, server_port, client, proto, app_master, app, vlan, observer)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE TABLE IF NOT EXISTS portolan.edges_day (
	from_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
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
	evidence SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMMDD(from_time)
PRIMARY KEY (from_time, server, server_port, client)
ORDER BY (from_time, server, server_port, client, proto, app_master, app, vlan, observer)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE TABLE IF NOT EXISTS portolan.days (
	from_time DateTime64(9, 'UTC'),
	observer LowCardinality(String),
	records SimpleAggregateFunction(sum, UInt64),
	first_time SimpleAggregateFunction(min, DateTime64(9, 'UTC')),
	last_time SimpleAggregateFunction(max, DateTime64(9, 'UTC'))
) ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMMDD(from_time)
PRIMARY KEY from_time
ORDER BY (from_time, observer)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE TABLE IF NOT EXISTS portolan.losses (
	start_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
	end_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
	observer LowCardinality(String),
	stage LowCardinality(String),
	reason LowCardinality(String),
	count UInt64 CODEC(T64, ZSTD(1)),
	unit LowCardinality(String)
) ENGINE = MergeTree
PARTITION BY toYYYYMM(start_time)
PRIMARY KEY start_time
ORDER BY (start_time, end_time, observer, stage)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS portolan.edges_hour_of_flows TO portolan.edges_hour AS
SELECT from_time, client, server, server_port, proto, vlan, app_master, app, observer,
	min(toUInt8(app_guess)) AS app_guess,
	sum(packets_to_server) AS packets_to_server, sum(bytes_to_server) AS bytes_to_server,
	sum(packets_to_client) AS packets_to_client, sum(bytes_to_client) AS bytes_to_client,
	countIf(slice = 0) AS flows, min(start_time) AS first_time, max(end_time) AS last_time, max(evidence) AS evidence
FROM portolan.flows
GROUP BY from_time, client, server, server_port, proto, vlan, app_master, app, observer;

CREATE MATERIALIZED VIEW IF NOT EXISTS portolan.edges_day_of_flows TO portolan.edges_day AS
SELECT fromUnixTimestamp64Nano(intDiv(toUnixTimestamp64Nano(end_time), 86400000000000) * 86400000000000, 'UTC') AS from_time, client, server, server_port, proto, vlan, app_master, app, observer,
	min(toUInt8(app_guess)) AS app_guess,
	sum(packets_to_server) AS packets_to_server, sum(bytes_to_server) AS bytes_to_server,
	sum(packets_to_client) AS packets_to_client, sum(bytes_to_client) AS bytes_to_client,
	countIf(slice = 0) AS flows, min(start_time) AS first_time, max(end_time) AS last_time, max(evidence) AS evidence
FROM portolan.flows
GROUP BY fromUnixTimestamp64Nano(intDiv(toUnixTimestamp64Nano(end_time), 86400000000000) * 86400000000000, 'UTC'), client, server, server_port, proto, vlan, app_master, app, observer;

CREATE MATERIALIZED VIEW IF NOT EXISTS portolan.days_of_flows TO portolan.days AS
SELECT fromUnixTimestamp64Nano(intDiv(toUnixTimestamp64Nano(end_time), 86400000000000) * 86400000000000, 'UTC') AS from_time, observer,
	count() AS records, min(start_time) AS first_time, max(end_time) AS last_time
FROM portolan.flows
GROUP BY fromUnixTimestamp64Nano(intDiv(toUnixTimestamp64Nano(end_time), 86400000000000) * 86400000000000, 'UTC'), observer;
