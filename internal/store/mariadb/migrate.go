package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/portolan/portolan/internal/store"
)

// Init creates the database, if it is not there and the user may, and the
// tables.
func Init(ctx context.Context, c Config) error {
	c.ReadOnly = false
	s, err := Open(ctx, c)
	if number(err) == unknownDatabase {
		if err = createDatabase(ctx, c); err == nil {
			s, err = Open(ctx, c)
		}
	}
	if err != nil {
		return err
	}
	return s.Close()
}

func createDatabase(ctx context.Context, c Config) error {
	name := c.Database
	db, err := dial(ctx, &c, "")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+quoteName(name)+" CHARACTER SET utf8mb4")
	return c.explain(err)
}

// Migration says how ntopng's tables are changed.
type Migration struct {
	// Partition gives each day its partition, in place of ntopng's eight by hash,
	// so that Prune drops what is old at once.
	Partition bool
	// Try only returns the statements.
	Try bool
}

// Migrate adds Portolan's columns to tables that ntopng made, so that a store
// can write into them: counters get 64 bits, the engine becomes InnoDB. It
// returns the statements, one for each table that needs it. The server copies
// each table, which takes about a minute for five million rows, and lets nobody
// write meanwhile. Rows stay as they are, and so do all columns but BYTES of
// ntopng before 2.5, which becomes IN_BYTES as ntopng itself does it.
func Migrate(ctx context.Context, c Config, m Migration) ([]string, error) {
	db, err := connect(ctx, &c)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	n := tableNames(c.Tables)
	tables, err := flowTables(ctx, db, &n)
	if err != nil {
		return nil, c.explain(err)
	}
	if len(tables) == 0 {
		return nil, c.explain(fmt.Errorf("%w: no table %sv4, %sv6", store.ErrNotStore, n.prefix, n.prefix))
	}
	var statements []string
	for i := range tables {
		t := &tables[i]
		if t.name != n.prefix+"v4" && t.name != n.prefix+"v6" {
			continue
		}
		statement, err := t.migration(ctx, db, m.Partition)
		if err != nil {
			return statements, c.explain(err)
		}
		if statement == "" {
			continue
		}
		statements = append(statements, statement)
		if m.Try {
			continue
		}
		if err := locked(ctx, db, func(conn *sql.Conn) error {
			_, err := conn.ExecContext(ctx, statement)
			return err
		}); err != nil {
			return statements, c.explain(fmt.Errorf("change table %s: %w", t.name, err))
		}
	}
	return statements, nil
}

// ntopngColumns are those of ntopng's columns that are written, as a table
// gets them that lacks them or has them too small.
var ntopngColumns = []struct{ name, kind, definition string }{
	{"IDX", "bigint", "`idx` bigint(20) NOT NULL AUTO_INCREMENT"},
	{"VLAN_ID", "smallint", "`VLAN_ID` smallint(5) unsigned DEFAULT NULL"},
	{"L7_PROTO", "smallint", "`L7_PROTO` smallint(5) unsigned DEFAULT NULL"},
	{"L4_SRC_PORT", "smallint", "`L4_SRC_PORT` smallint(5) unsigned DEFAULT NULL"},
	{"IN_BYTES", "bigint", "`IN_BYTES` bigint(20) unsigned DEFAULT 0"},
	{"OUT_BYTES", "bigint", "`OUT_BYTES` bigint(20) unsigned DEFAULT 0"},
	{"PACKETS", "bigint", "`PACKETS` bigint(20) unsigned DEFAULT 0"},
	{"FIRST_SWITCHED", "int", "`FIRST_SWITCHED` int(10) unsigned DEFAULT NULL"},
	{"INFO", "varchar", "`INFO` varchar(255) CHARACTER SET utf8mb4 DEFAULT NULL"},
	{"NTOPNG_INSTANCE_NAME", "varchar", "`NTOPNG_INSTANCE_NAME` varchar(256) CHARACTER SET utf8mb4 DEFAULT NULL"},
	{"INTERFACE_ID", "smallint", "`INTERFACE_ID` smallint(5) DEFAULT NULL"},
}

// migration returns the statement that makes t fit for writing; "" = it is.
func (t *flowTable) migration(ctx context.Context, q queryer, partition bool) (string, error) {
	if t.engine == "" {
		return "", fmt.Errorf("%s: %w: it is a view", t.name, ErrEngine)
	}
	var changes []string
	added := false
	for _, definition := range ownColumns("DEFAULT NULL") {
		if !t.columns[ownName(definition)] {
			changes = append(changes, "ADD COLUMN "+definition)
			added = true
		}
	}
	for _, c := range ntopngColumns {
		switch {
		case c.name == "IN_BYTES" && !t.columns[c.name] && t.columns["BYTES"]:
			changes = append(changes, "CHANGE COLUMN BYTES "+c.definition)
		case !t.columns[c.name]:
			changes = append(changes, "ADD COLUMN "+c.definition)
		case t.types[c.name] != c.kind, added && c.kind == "varchar":
			changes = append(changes, "MODIFY COLUMN "+c.definition)
		}
	}
	if !t.ours() {
		changes = append(changes, "ADD KEY portolan_end (end_time)", "ADD KEY portolan_last (LAST_SWITCHED)")
	}
	if !strings.EqualFold(t.engine, "InnoDB") {
		changes = append(changes, "ENGINE=InnoDB")
	}
	if !partition || t.daily {
		if len(changes) == 0 {
			return "", nil
		}
		return "ALTER TABLE " + quoteName(t.name) + " " + strings.Join(changes, ", "), nil
	}
	parts, err := t.dailyPartitions(ctx, q)
	if err != nil {
		return "", err
	}
	return "ALTER TABLE " + quoteName(t.name) + " " + strings.Join(changes, ", ") + " " + parts, nil
}

// dailyPartitions returns the clause with a partition for each day that the
// table has rows of, the latest maxPartitions at the most.
func (t *flowTable) dailyPartitions(ctx context.Context, q queryer) (string, error) {
	var first, last sql.NullInt64
	err := q.QueryRowContext(ctx, "SELECT MIN(LAST_SWITCHED), MAX(LAST_SWITCHED) FROM "+quoteName(t.name)).Scan(&first, &last)
	if err != nil {
		return "", err
	}
	var parts []string
	if first.Valid {
		from, to := floor(first.Int64, daySeconds), floor(last.Int64, daySeconds)
		from = max(from, to-(maxPartitions-10)*daySeconds)
		if from > 0 {
			parts = append(parts, fmt.Sprintf("PARTITION g%s VALUES LESS THAN (%d)", date(from), from))
		}
		for d := from; d <= to; d += daySeconds {
			parts = append(parts, fmt.Sprintf("PARTITION d%s VALUES LESS THAN (%d)", date(d), d+daySeconds))
		}
	}
	parts = append(parts, "PARTITION rest VALUES LESS THAN MAXVALUE")
	return "PARTITION BY RANGE (LAST_SWITCHED) (" + strings.Join(parts, ", ") + ")", nil
}

// date names a day in a partition's name.
func date(start int64) string { return time.Unix(start, 0).UTC().Format("20060102") }
