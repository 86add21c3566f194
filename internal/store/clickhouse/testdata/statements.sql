-- all time: days
SELECT client, server, proto, server_port, app_master, app, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(flows) AS n_flows, min(toUnixTimestamp64Nano(first_time)) AS n_first, max(toUnixTimestamp64Nano(last_time)) AS n_last, max(evidence) AS n_evidence, min(app_guess) AS n_guess
FROM portolan.edges_day
WHERE 1 = 1
GROUP BY client, server, proto, server_port, app_master, app
ORDER BY n_bytes_to_server + n_bytes_to_client DESC, client, server, proto, server_port, app_master, app
LIMIT {p1:UInt64}
-- p1 = 10

-- a filter that roll-ups hold
SELECT server, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(flows) AS n_flows, min(toUnixTimestamp64Nano(first_time)) AS n_first, max(toUnixTimestamp64Nano(last_time)) AS n_last, max(evidence) AS n_evidence, min(app_guess) AS n_guess
FROM portolan.edges_day
WHERE 1 = 1 AND proto = {p1:Int64} AND client BETWEEN {p2:IPv6} AND {p3:IPv6} AND server_port = {p4:Int64}
GROUP BY server
ORDER BY n_last DESC, server
-- p1 = 6
-- p2 = ::ffff:10.0.0.0
-- p3 = ::ffff:10.255.255.255
-- p4 = 443

-- a filter that they do not
SELECT server, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(toUInt64(slice = 0)) AS n_flows, min(toUnixTimestamp64Nano(start_time)) AS n_first, max(toUnixTimestamp64Nano(end_time)) AS n_last, max(evidence) AS n_evidence, min(toUInt8(app_guess)) AS n_guess
FROM portolan.flows
WHERE 1 = 1 AND (position(if(info_folded = '', info, info_folded), {p1:String}) > 0 OR client_port = {p2:Int64} OR bytes_to_server + bytes_to_client > {p3:Int64})
GROUP BY server
ORDER BY n_bytes_to_server + n_bytes_to_client DESC, server
-- p1 = it's
-- p2 = 53
-- p3 = 1000

-- from the middle of an hour to that of another
SELECT client, m_n_packets_to_server AS n_packets_to_server, m_n_bytes_to_server AS n_bytes_to_server, m_n_packets_to_client AS n_packets_to_client, m_n_bytes_to_client AS n_bytes_to_client, m_n_flows AS n_flows, m_n_first AS n_first, m_n_last AS n_last, m_n_evidence AS n_evidence, m_n_guess AS n_guess
FROM (
	SELECT client, sum(n_packets_to_server) AS m_n_packets_to_server, sum(n_bytes_to_server) AS m_n_bytes_to_server, sum(n_packets_to_client) AS m_n_packets_to_client, sum(n_bytes_to_client) AS m_n_bytes_to_client, sum(n_flows) AS m_n_flows, min(n_first) AS m_n_first, max(n_last) AS m_n_last, max(n_evidence) AS m_n_evidence, min(n_guess) AS m_n_guess
	FROM (
		SELECT client, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(toUInt64(slice = 0)) AS n_flows, min(toUnixTimestamp64Nano(start_time)) AS n_first, max(toUnixTimestamp64Nano(end_time)) AS n_last, max(evidence) AS n_evidence, min(toUInt8(app_guess)) AS n_guess
		FROM portolan.flows
		WHERE end_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND end_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND from_time >= fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND from_time < fromUnixTimestamp64Nano({p4:Int64}, 'UTC')
		GROUP BY client
		UNION ALL
		SELECT client, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(toUInt64(slice = 0)) AS n_flows, min(toUnixTimestamp64Nano(start_time)) AS n_first, max(toUnixTimestamp64Nano(end_time)) AS n_last, max(evidence) AS n_evidence, min(toUInt8(app_guess)) AS n_guess
		FROM portolan.flows
		WHERE end_time >= fromUnixTimestamp64Nano({p5:Int64}, 'UTC') AND end_time < fromUnixTimestamp64Nano({p6:Int64}, 'UTC') AND from_time >= fromUnixTimestamp64Nano({p7:Int64}, 'UTC') AND from_time < fromUnixTimestamp64Nano({p8:Int64}, 'UTC')
		GROUP BY client
		UNION ALL
		SELECT client, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(flows) AS n_flows, min(toUnixTimestamp64Nano(first_time)) AS n_first, max(toUnixTimestamp64Nano(last_time)) AS n_last, max(evidence) AS n_evidence, min(app_guess) AS n_guess
		FROM portolan.edges_hour
		WHERE from_time >= fromUnixTimestamp64Nano({p9:Int64}, 'UTC') AND from_time < fromUnixTimestamp64Nano({p10:Int64}, 'UTC')
		GROUP BY client
	)
	GROUP BY client
)
ORDER BY n_bytes_to_server + n_bytes_to_client DESC, client
-- p1 = 1768480200000000000
-- p2 = 1768482000000000000
-- p3 = 1768478400000000000
-- p4 = 1768482000000000000
-- p5 = 1768489200000000000
-- p6 = 1768489200000000001
-- p7 = 1768489200000000000
-- p8 = 1768489200000000001
-- p9 = 1768482000000000000
-- p10 = 1768489200000000000

-- within an hour
SELECT client, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(toUInt64(slice = 0)) AS n_flows, min(toUnixTimestamp64Nano(start_time)) AS n_first, max(toUnixTimestamp64Nano(end_time)) AS n_last, max(evidence) AS n_evidence, min(toUInt8(app_guess)) AS n_guess
FROM portolan.flows
WHERE end_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND end_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND from_time >= fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND from_time < fromUnixTimestamp64Nano({p4:Int64}, 'UTC')
GROUP BY client
ORDER BY n_bytes_to_server + n_bytes_to_client DESC, client
-- p1 = 1768478400000000000
-- p2 = 1768481999999999999
-- p3 = 1768478400000000000
-- p4 = 1768481999999999999

-- days, hours at both ends, and records
SELECT server_port, m_n_packets_to_server AS n_packets_to_server, m_n_bytes_to_server AS n_bytes_to_server, m_n_packets_to_client AS n_packets_to_client, m_n_bytes_to_client AS n_bytes_to_client, m_n_flows AS n_flows, m_n_first AS n_first, m_n_last AS n_last, m_n_evidence AS n_evidence, m_n_guess AS n_guess
FROM (
	SELECT server_port, sum(n_packets_to_server) AS m_n_packets_to_server, sum(n_bytes_to_server) AS m_n_bytes_to_server, sum(n_packets_to_client) AS m_n_packets_to_client, sum(n_bytes_to_client) AS m_n_bytes_to_client, sum(n_flows) AS m_n_flows, min(n_first) AS m_n_first, max(n_last) AS m_n_last, max(n_evidence) AS m_n_evidence, min(n_guess) AS m_n_guess
	FROM (
		SELECT server_port, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(toUInt64(slice = 0)) AS n_flows, min(toUnixTimestamp64Nano(start_time)) AS n_first, max(toUnixTimestamp64Nano(end_time)) AS n_last, max(evidence) AS n_evidence, min(toUInt8(app_guess)) AS n_guess
		FROM portolan.flows
		WHERE end_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND end_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND from_time >= fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND from_time < fromUnixTimestamp64Nano({p4:Int64}, 'UTC')
		GROUP BY server_port
		UNION ALL
		SELECT server_port, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(flows) AS n_flows, min(toUnixTimestamp64Nano(first_time)) AS n_first, max(toUnixTimestamp64Nano(last_time)) AS n_last, max(evidence) AS n_evidence, min(app_guess) AS n_guess
		FROM portolan.edges_day
		WHERE from_time >= fromUnixTimestamp64Nano({p5:Int64}, 'UTC') AND from_time < fromUnixTimestamp64Nano({p6:Int64}, 'UTC')
		GROUP BY server_port
		UNION ALL
		SELECT server_port, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(flows) AS n_flows, min(toUnixTimestamp64Nano(first_time)) AS n_first, max(toUnixTimestamp64Nano(last_time)) AS n_last, max(evidence) AS n_evidence, min(app_guess) AS n_guess
		FROM portolan.edges_hour
		WHERE ((from_time >= fromUnixTimestamp64Nano({p7:Int64}, 'UTC') AND from_time < fromUnixTimestamp64Nano({p8:Int64}, 'UTC')) OR (from_time >= fromUnixTimestamp64Nano({p9:Int64}, 'UTC') AND from_time < fromUnixTimestamp64Nano({p10:Int64}, 'UTC')))
		GROUP BY server_port
	)
	GROUP BY server_port
)
ORDER BY greatest(n_flows, 1) DESC, server_port
-- p1 = 1768705200000000000
-- p2 = 1768705200000000007
-- p3 = 1768705200000000000
-- p4 = 1768705200000000007
-- p5 = 1768521600000000000
-- p6 = 1768694400000000000
-- p7 = 1768478400000000000
-- p8 = 1768521600000000000
-- p9 = 1768694400000000000
-- p10 = 1768705200000000000

-- steps of an hour
SELECT intDiv(toUnixTimestamp64Nano(from_time), 3600000000000) * 3600000000000 AS k_bucket, server_port, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(flows) AS n_flows, min(toUnixTimestamp64Nano(first_time)) AS n_first, max(toUnixTimestamp64Nano(last_time)) AS n_last, max(evidence) AS n_evidence, min(app_guess) AS n_guess
FROM portolan.edges_hour
WHERE 1 = 1
GROUP BY intDiv(toUnixTimestamp64Nano(from_time), 3600000000000) * 3600000000000, server_port
ORDER BY k_bucket, n_bytes_to_server + n_bytes_to_client DESC, server_port

-- steps of a minute
SELECT intDiv(toUnixTimestamp64Nano(end_time), 60000000000) * 60000000000 AS k_bucket, server_port, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(toUInt64(slice = 0)) AS n_flows, min(toUnixTimestamp64Nano(start_time)) AS n_first, max(toUnixTimestamp64Nano(end_time)) AS n_last, max(evidence) AS n_evidence, min(toUInt8(app_guess)) AS n_guess
FROM portolan.flows
WHERE 1 = 1
GROUP BY intDiv(toUnixTimestamp64Nano(end_time), 60000000000) * 60000000000, server_port
ORDER BY k_bucket, n_packets_to_server + n_packets_to_client DESC, server_port

-- a day of several observers
SELECT server, vlan, m_n_packets_to_server AS n_packets_to_server, m_n_bytes_to_server AS n_bytes_to_server, m_n_packets_to_client AS n_packets_to_client, m_n_bytes_to_client AS n_bytes_to_client, m_n_flows AS n_flows, m_n_first AS n_first, m_n_last AS n_last, m_n_evidence AS n_evidence, m_n_guess AS n_guess
FROM (
	SELECT server, vlan, sum(n_packets_to_server) AS m_n_packets_to_server, sum(n_bytes_to_server) AS m_n_bytes_to_server, sum(n_packets_to_client) AS m_n_packets_to_client, sum(n_bytes_to_client) AS m_n_bytes_to_client, sum(n_flows) AS m_n_flows, min(n_first) AS m_n_first, max(n_last) AS m_n_last, max(n_evidence) AS m_n_evidence, min(n_guess) AS m_n_guess
	FROM (
		SELECT k_hour, client, server, proto, server_port, app_master, app, vlan, m_n_packets_to_server AS n_packets_to_server, m_n_bytes_to_server AS n_bytes_to_server, m_n_packets_to_client AS n_packets_to_client, m_n_bytes_to_client AS n_bytes_to_client, m_n_flows AS n_flows, m_n_first AS n_first, m_n_last AS n_last, m_n_evidence AS n_evidence, m_n_guess AS n_guess
		FROM (
			SELECT k_hour, client, server, proto, server_port, app_master, app, vlan, max(n_packets_to_server) AS m_n_packets_to_server, max(n_bytes_to_server) AS m_n_bytes_to_server, max(n_packets_to_client) AS m_n_packets_to_client, max(n_bytes_to_client) AS m_n_bytes_to_client, max(n_flows) AS m_n_flows, min(n_first) AS m_n_first, max(n_last) AS m_n_last, max(n_evidence) AS m_n_evidence, min(n_guess) AS m_n_guess
			FROM (
				SELECT from_time AS k_hour, client, server, proto, server_port, app_master, app, vlan, observer, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(flows) AS n_flows, min(toUnixTimestamp64Nano(first_time)) AS n_first, max(toUnixTimestamp64Nano(last_time)) AS n_last, max(evidence) AS n_evidence, min(app_guess) AS n_guess
				FROM portolan.edges_day
				WHERE 1 = 1 AND toUnixTimestamp64Nano(from_time) NOT IN {p1:Array(Int64)}
				GROUP BY from_time, client, server, proto, server_port, app_master, app, vlan, observer
				UNION ALL
				SELECT from_time AS k_hour, client, server, proto, server_port, app_master, app, vlan, observer, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(flows) AS n_flows, min(toUnixTimestamp64Nano(first_time)) AS n_first, max(toUnixTimestamp64Nano(last_time)) AS n_last, max(evidence) AS n_evidence, min(app_guess) AS n_guess
				FROM portolan.edges_hour
				WHERE ((1 = 1 AND intDiv(toUnixTimestamp64Nano(from_time), 86400000000000) * 86400000000000 IN {p2:Array(Int64)}))
				GROUP BY from_time, client, server, proto, server_port, app_master, app, vlan, observer
			)
			GROUP BY k_hour, client, server, proto, server_port, app_master, app, vlan
		)
	)
	GROUP BY server, vlan
)
ORDER BY n_bytes_to_server + n_bytes_to_client DESC, server, vlan
-- p1 = [1768435200000000000]
-- p2 = [1768435200000000000]

-- a day of several observers, outside
SELECT server, m_n_packets_to_server AS n_packets_to_server, m_n_bytes_to_server AS n_bytes_to_server, m_n_packets_to_client AS n_packets_to_client, m_n_bytes_to_client AS n_bytes_to_client, m_n_flows AS n_flows, m_n_first AS n_first, m_n_last AS n_last, m_n_evidence AS n_evidence, m_n_guess AS n_guess
FROM (
	SELECT server, sum(n_packets_to_server) AS m_n_packets_to_server, sum(n_bytes_to_server) AS m_n_bytes_to_server, sum(n_packets_to_client) AS m_n_packets_to_client, sum(n_bytes_to_client) AS m_n_bytes_to_client, sum(n_flows) AS m_n_flows, min(n_first) AS m_n_first, max(n_last) AS m_n_last, max(n_evidence) AS m_n_evidence, min(n_guess) AS m_n_guess
	FROM (
		SELECT server, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(flows) AS n_flows, min(toUnixTimestamp64Nano(first_time)) AS n_first, max(toUnixTimestamp64Nano(last_time)) AS n_last, max(evidence) AS n_evidence, min(app_guess) AS n_guess
		FROM portolan.edges_day
		WHERE from_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND toUnixTimestamp64Nano(from_time) NOT IN {p2:Array(Int64)}
		GROUP BY server
		UNION ALL
		SELECT server, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(flows) AS n_flows, min(toUnixTimestamp64Nano(first_time)) AS n_first, max(toUnixTimestamp64Nano(last_time)) AS n_last, max(evidence) AS n_evidence, min(app_guess) AS n_guess
		FROM portolan.edges_hour
		WHERE ((from_time >= fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND intDiv(toUnixTimestamp64Nano(from_time), 86400000000000) * 86400000000000 IN {p4:Array(Int64)}))
		GROUP BY server
	)
	GROUP BY server
)
ORDER BY n_bytes_to_server + n_bytes_to_client DESC, server
-- p1 = 1768521600000000000
-- p2 = [1768435200000000000]
-- p3 = 1768521600000000000
-- p4 = [1768435200000000000]

-- observers apart
SELECT server, observer, sum(packets_to_server) AS n_packets_to_server, sum(bytes_to_server) AS n_bytes_to_server, sum(packets_to_client) AS n_packets_to_client, sum(bytes_to_client) AS n_bytes_to_client, sum(flows) AS n_flows, min(toUnixTimestamp64Nano(first_time)) AS n_first, max(toUnixTimestamp64Nano(last_time)) AS n_last, max(evidence) AS n_evidence, min(app_guess) AS n_guess
FROM portolan.edges_day
WHERE 1 = 1
GROUP BY server, observer
ORDER BY n_bytes_to_server + n_bytes_to_client DESC, server, observer

