package mariadb

import (
	_ "embed"
	"fmt"
	"strings"
)

// version is that of the tables this package writes.
const version = 1

//go:embed schema.sql
var schemaSQL string

//go:embed own.sql
var ownSQL string

// names are the tables of a store, quoted.
type names struct {
	v4, v6, edges, days, observers, losses, units, schema string
	prefix, side                                          string // not quoted: "flows", "portolan_"
}

func tableNames(tables string) names {
	if tables == "" {
		tables = defaultTables
	}
	side := "portolan_"
	if tables != defaultTables {
		side += tables + "_"
	}
	return names{
		prefix: tables, side: side,
		v4: quoteName(tables + "v4"), v6: quoteName(tables + "v6"),
		edges: quoteName(side + "edges"), days: quoteName(side + "days"), observers: quoteName(side + "observers"),
		losses: quoteName(side + "losses"), units: quoteName(side + "units"), schema: quoteName(side + "schema"),
	}
}

// replacer puts the names into a text of schema.sql.
func (n *names) replacer() *strings.Replacer {
	return strings.NewReplacer(
		"{v4}", n.v4, "{v6}", n.v6, "{edges}", n.edges, "{days}", n.days, "{observers}", n.observers,
		"{losses}", n.losses, "{units}", n.units, "{schema}", n.schema,
		"{own}", strings.Join(ownColumns("NOT NULL"), ",\n  "),
	)
}

// A creation is a table and the statement that makes it.
type creation struct{ table, statement string } // the table's name is not quoted

// creations returns all tables.
func (n *names) creations() []creation {
	real := map[string]string{"v4": n.prefix + "v4", "v6": n.prefix + "v6"}
	var all []creation
	for _, part := range strings.Split(schemaSQL, "-- table ")[1:] {
		key, statement, _ := strings.Cut(part, "\n")
		table, ok := real[key]
		if !ok {
			table = n.side + key
		}
		statement = strings.TrimSuffix(strings.TrimSpace(statement), ";")
		all = append(all, creation{table, n.replacer().Replace(statement)})
	}
	return all
}

// ownColumns returns the definitions of Portolan's columns of a flow table.
func ownColumns(times string) []string {
	var columns []string
	for line := range strings.Lines(ownSQL) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "--") {
			continue
		}
		columns = append(columns, strings.ReplaceAll(line, "{times}", times))
	}
	return columns
}

// ownName returns the name of the column that a definition of own.sql defines.
func ownName(definition string) string {
	name, _, ok := strings.Cut(strings.TrimPrefix(definition, "`"), "`")
	if !ok {
		panic(fmt.Sprintf("BUG: own.sql: no name in %q", definition))
	}
	return name
}
