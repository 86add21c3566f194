package mariadb

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A flowTable is a table of flows, ours or ntopng's. Its columns are found by
// name: they differ between ntopng's generations.
type flowTable struct {
	name     string // not quoted
	six      bool   // IPv6
	engine   string // "InnoDB", "MyISAM", ...; "" for a view
	columns  map[string]bool
	nullable map[string]bool
	types    map[string]string // data type, such as "int" or "bigint"
	daily    bool              // partitioned by day, on LAST_SWITCHED
}

// ours reports whether rows may have Portolan's columns.
func (t *flowTable) ours() bool { return t.columns["end_time"] }

// foreign reports whether rows may lack them: ntopng wrote into the table.
func (t *flowTable) foreign() bool { return !t.ours() || t.nullable["end_time"] }

// writable says why a store cannot write into the table.
func (t *flowTable) writable(n *names) error {
	if t.name != n.prefix+"v4" && t.name != n.prefix+"v6" {
		return nil // ntopng's, of one interface: nobody writes there
	}
	for _, definition := range ownColumns("") {
		if !t.columns[ownName(definition)] {
			return fmt.Errorf("%s: %w (%s)", t.name, ErrNtopng, ownName(definition))
		}
	}
	for _, c := range ntopngColumns {
		if t.types[c.name] != c.kind {
			return fmt.Errorf("%s: %w (%s is no %s)", t.name, ErrNtopng, c.name, c.kind)
		}
	}
	if !strings.EqualFold(t.engine, "InnoDB") {
		return fmt.Errorf("%s: %w: it is %s", t.name, ErrEngine, cmp.Or(t.engine, "a view"))
	}
	return nil
}

// clipped returns the counters that end at 4 GiB.
func (t *flowTable) clipped() (columns []string) {
	for _, name := range []string{"BYTES", "IN_BYTES", "OUT_BYTES"} {
		if t.types[name] == "int" {
			columns = append(columns, name)
		}
	}
	return columns
}

// flowTables returns the tables of flows in the database, sorted by name:
// flowsv4, flowsv6 and, from ntopng before 2.4, flowsv4_0 and so on, one for
// each interface.
func flowTables(ctx context.Context, db queryer, n *names) ([]flowTable, error) {
	pattern := regexp.MustCompile(`^(?i:` + regexp.QuoteMeta(n.prefix) + `v([46])(_[0-9]{1,5})?)$`)
	found := map[string]*flowTable{}
	err := each(ctx, db, `SELECT t.TABLE_NAME, COALESCE(t.ENGINE, ''), c.COLUMN_NAME, c.IS_NULLABLE = 'YES', c.DATA_TYPE
		FROM information_schema.TABLES t JOIN information_schema.COLUMNS c USING (TABLE_SCHEMA, TABLE_NAME)
		WHERE t.TABLE_SCHEMA = DATABASE()`, nil, func(rows *sql.Rows) error {
		var name, engine, column, kind string
		var nullable bool
		if err := rows.Scan(&name, &engine, &column, &nullable, &kind); err != nil {
			return err
		}
		match := pattern.FindStringSubmatch(name)
		if match == nil {
			return nil
		}
		t := found[name]
		if t == nil {
			t = &flowTable{name: name, six: match[1] == "6", engine: engine,
				columns: map[string]bool{}, nullable: map[string]bool{}, types: map[string]string{}}
			found[name] = t
		}
		if strings.ToUpper(column) == column || !isOwn(column) {
			column = strings.ToUpper(column)
		}
		t.columns[column], t.nullable[column], t.types[column] = true, nullable, kind
		return nil
	})
	if err != nil {
		return nil, err
	}
	var tables []flowTable
	for _, t := range found {
		for _, needed := range []string{"IP_SRC_ADDR", "IP_DST_ADDR", "L4_DST_PORT", "PROTOCOL", "LAST_SWITCHED"} {
			if !t.columns[needed] {
				return nil, fmt.Errorf("table %s has no column %s: that is no table of flows", t.name, needed)
			}
		}
		parts, err := partitions(ctx, db, t.name)
		if err != nil {
			return nil, err
		}
		t.daily = parts.byRange
		tables = append(tables, *t)
	}
	slices.SortFunc(tables, func(a, b flowTable) int { return strings.Compare(a.name, b.name) })
	return tables, nil
}

// isOwn reports whether a column of that name is Portolan's.
func isOwn(column string) bool {
	for _, definition := range ownColumns("") {
		if ownName(definition) == column {
			return true
		}
	}
	return false
}

// capabilities are what servers differ in.
type capabilities struct {
	decodes  bool // has JSON_VALUE: MariaDB since 10.2, MySQL since 8.0.21
	foldsAll bool // has a collation whose lower case is that of Unicode 14: MariaDB since 10.10
}

// ask asks the server what it can.
func ask(ctx context.Context, db queryer) (c capabilities, err error) {
	knows := func(text string) (bool, error) {
		var value sql.NullString
		err := db.QueryRowContext(ctx, text).Scan(&value)
		switch number(err) {
		case noSuchFunction, unknownCollation, wrongCollation, syntaxError:
			return false, nil
		}
		return err == nil, err
	}
	if c.decodes, err = knows(`SELECT JSON_VALUE('{"a":1}', '$.a')`); err != nil {
		return c, err
	}
	c.foldsAll, err = knows("SELECT LOWER(CONVERT('A' USING utf8mb4) COLLATE utf8mb4_uca1400_ai_ci)")
	return c, err
}
