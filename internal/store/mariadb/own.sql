-- Portolan's own columns of the flow tables, one a line. {times} is NOT NULL
-- where Portolan made the table, DEFAULT NULL where ntopng did: a row without
-- end_time is ntopng's.
`start_time` bigint {times} COMMENT 'first packet, ns since 1970 UTC'
`end_time` bigint {times} COMMENT 'last packet, ns since 1970 UTC'
`packets_to_server` bigint unsigned NOT NULL DEFAULT 0
`packets_to_client` bigint unsigned NOT NULL DEFAULT 0
`app_master` smallint unsigned NOT NULL DEFAULT 0
`app` smallint unsigned NOT NULL DEFAULT 0
`app_guess` tinyint(1) NOT NULL DEFAULT 0
`info_long` mediumtext CHARACTER SET utf8mb4 DEFAULT NULL COMMENT 'INFO, if that is too short for it'
`observer_id` int unsigned NOT NULL DEFAULT 0
`evidence` tinyint unsigned NOT NULL DEFAULT 0
`cause` tinyint unsigned NOT NULL DEFAULT 0
`flow_id` bigint unsigned NOT NULL DEFAULT 0
`slice` int unsigned NOT NULL DEFAULT 0
`sampling` int unsigned NOT NULL DEFAULT 0
`server_rtt` bigint NOT NULL DEFAULT 0 COMMENT 'ns; 0 = not seen'
`client_rtt` bigint NOT NULL DEFAULT 0 COMMENT 'ns; 0 = not seen'
`flags_to_server` tinyint unsigned NOT NULL DEFAULT 0
`flags_to_client` tinyint unsigned NOT NULL DEFAULT 0
`retransmits` int unsigned NOT NULL DEFAULT 0
`out_of_order` int unsigned NOT NULL DEFAULT 0
`zero_windows` int unsigned NOT NULL DEFAULT 0
`resets` int unsigned NOT NULL DEFAULT 0
`tls_version` smallint unsigned DEFAULT NULL
`ja4` mediumtext CHARACTER SET utf8mb4 DEFAULT NULL
`software` mediumtext CHARACTER SET utf8mb4 DEFAULT NULL
