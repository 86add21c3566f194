-- The tables of a store, each after a line with its short name. {v4}, {v6},
-- {edges}, ... stand for their names, {own} for the columns of own.sql.

-- table v4
CREATE TABLE {v4} (
  `idx` bigint(20) NOT NULL AUTO_INCREMENT,
  `VLAN_ID` smallint(5) unsigned DEFAULT NULL,
  `L7_PROTO` smallint(5) unsigned DEFAULT NULL,
  `IP_SRC_ADDR` int(10) unsigned DEFAULT NULL,
  `L4_SRC_PORT` smallint(5) unsigned DEFAULT NULL,
  `IP_DST_ADDR` int(10) unsigned DEFAULT NULL,
  `L4_DST_PORT` smallint(5) unsigned DEFAULT NULL,
  `PROTOCOL` tinyint(3) unsigned DEFAULT NULL,
  `IN_BYTES` bigint(20) unsigned DEFAULT 0,
  `OUT_BYTES` bigint(20) unsigned DEFAULT 0,
  `PACKETS` bigint(20) unsigned DEFAULT 0,
  `FIRST_SWITCHED` int(10) unsigned DEFAULT NULL,
  `LAST_SWITCHED` int(10) unsigned NOT NULL,
  `INFO` varchar(255) DEFAULT NULL,
  `JSON` blob DEFAULT NULL,
  `NTOPNG_INSTANCE_NAME` varchar(256) DEFAULT NULL,
  `INTERFACE_ID` smallint(5) DEFAULT NULL,
  {own},
  PRIMARY KEY (`LAST_SWITCHED`, `idx`),
  KEY `idx` (`idx`),
  KEY `first_switched` (`FIRST_SWITCHED`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
  PARTITION BY RANGE (`LAST_SWITCHED`) (PARTITION rest VALUES LESS THAN MAXVALUE);

-- table v6
CREATE TABLE {v6} (
  `idx` bigint(20) NOT NULL AUTO_INCREMENT,
  `VLAN_ID` smallint(5) unsigned DEFAULT NULL,
  `L7_PROTO` smallint(5) unsigned DEFAULT NULL,
  `IP_SRC_ADDR` varchar(48) DEFAULT NULL,
  `L4_SRC_PORT` smallint(5) unsigned DEFAULT NULL,
  `IP_DST_ADDR` varchar(48) DEFAULT NULL,
  `L4_DST_PORT` smallint(5) unsigned DEFAULT NULL,
  `PROTOCOL` tinyint(3) unsigned DEFAULT NULL,
  `IN_BYTES` bigint(20) unsigned DEFAULT 0,
  `OUT_BYTES` bigint(20) unsigned DEFAULT 0,
  `PACKETS` bigint(20) unsigned DEFAULT 0,
  `FIRST_SWITCHED` int(10) unsigned DEFAULT NULL,
  `LAST_SWITCHED` int(10) unsigned NOT NULL,
  `INFO` varchar(255) DEFAULT NULL,
  `JSON` blob DEFAULT NULL,
  `NTOPNG_INSTANCE_NAME` varchar(256) DEFAULT NULL,
  `INTERFACE_ID` smallint(5) DEFAULT NULL,
  {own},
  PRIMARY KEY (`LAST_SWITCHED`, `idx`),
  KEY `idx` (`idx`),
  KEY `first_switched` (`FIRST_SWITCHED`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
  PARTITION BY RANGE (`LAST_SWITCHED`) (PARTITION rest VALUES LESS THAN MAXVALUE);

-- table edges
CREATE TABLE {edges} (
  `hour` bigint NOT NULL COMMENT 'its start, seconds since 1970 UTC',
  `client` binary(16) NOT NULL,
  `server` binary(16) NOT NULL,
  `server_port` smallint unsigned NOT NULL,
  `proto` tinyint unsigned NOT NULL,
  `app_master` smallint unsigned NOT NULL,
  `app` smallint unsigned NOT NULL,
  `vlan` smallint unsigned NOT NULL,
  `observer_id` int unsigned NOT NULL,
  `app_guess` tinyint(1) NOT NULL,
  `evidence` tinyint unsigned NOT NULL,
  `packets_to_server` bigint unsigned NOT NULL,
  `bytes_to_server` bigint unsigned NOT NULL,
  `packets_to_client` bigint unsigned NOT NULL,
  `bytes_to_client` bigint unsigned NOT NULL,
  `flows` bigint unsigned NOT NULL,
  `first_time` bigint NOT NULL COMMENT 'ns since 1970 UTC',
  `last_time` bigint NOT NULL COMMENT 'ns since 1970 UTC',
  PRIMARY KEY (`hour`, `client`, `server`, `server_port`, `proto`, `app_master`, `app`, `vlan`, `observer_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
  PARTITION BY RANGE (`hour`) (PARTITION rest VALUES LESS THAN MAXVALUE);

-- table days
CREATE TABLE {days} (
  `day` bigint NOT NULL COMMENT 'its start, seconds since 1970 UTC',
  `records` bigint unsigned NOT NULL,
  `first_time` bigint NOT NULL COMMENT 'earliest start_time of its rows, ns',
  `last_time` bigint NOT NULL COMMENT 'latest end_time of its rows, ns',
  PRIMARY KEY (`day`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- table observers
CREATE TABLE {observers} (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `digest` binary(32) NOT NULL COMMENT 'SHA-256 of the name',
  `name` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `digest` (`digest`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- table losses
CREATE TABLE {losses} (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `start_time` bigint NOT NULL COMMENT 'ns since 1970 UTC',
  `end_time` bigint NOT NULL COMMENT 'ns since 1970 UTC; 0 = no end',
  `observer` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `stage` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `reason` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `unit` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `count` bigint unsigned NOT NULL,
  PRIMARY KEY (`id`),
  KEY `start_time` (`start_time`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- table units
CREATE TABLE {units} (
  `id` binary(16) NOT NULL COMMENT 'one write, made once',
  `written` bigint NOT NULL COMMENT 'seconds since 1970 UTC',
  `records` bigint unsigned NOT NULL,
  `named` tinyint(1) NOT NULL COMMENT 'whoever made it may make it again, at any time',
  PRIMARY KEY (`id`),
  KEY `written` (`written`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- table schema
CREATE TABLE {schema} (
  `version` int unsigned NOT NULL,
  PRIMARY KEY (`version`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
