package query

import "strings"

// A Dialect says how a database writes a filter. The zero value fits a table
// with the canonical column names, "?" for parameters, addresses as strings of
// 16 bytes, and lower and strpos as functions. No column may be null.
type Dialect struct {
	// Columns holds the SQL expressions of columns that are not simply named
	// as Column.String says, in parentheses if they hold an operator.
	Columns map[Column]string
	// Param returns the n-th parameter's mark, n from 1; nil = "?".
	Param func(n int) string
	// Address returns the argument that stands for an address; nil = []byte.
	Address func(a [16]byte) any
	// Same compares the text of an expression with a parameter, byte for byte;
	// nil = "expr = param".
	Same func(expr, param string) string
	// Contains looks for a parameter, folded by Fold, in the text of an
	// expression, without case; nil = "strpos(lower(expr), param) > 0".
	Contains func(expr, param string) string
}

// The dialects of the databases that stores use.
var (
	// DuckDB fits Parquet files with the canonical columns, read by DuckDB.
	DuckDB = Dialect{
		Contains: func(expr, param string) string { return "contains(lower(" + expr + "), " + param + ")" },
	}
	// MariaDB fits a table with addresses as BINARY(16) and text in utf8mb4.
	MariaDB = Dialect{
		Same: func(expr, param string) string { return expr + " = BINARY " + param },
		Contains: func(expr, param string) string {
			return "LOCATE(CAST(" + param + " AS BINARY), CAST(LOWER(" + expr + ") AS BINARY)) > 0"
		},
	}
	// ClickHouse fits a table with addresses as FixedString(16).
	ClickHouse = Dialect{
		Address:  func(a [16]byte) any { return string(a[:]) },
		Contains: func(expr, param string) string { return "position(lowerUTF8(" + expr + "), " + param + ") > 0" },
	}
)

// SQL returns e as a condition for WHERE, and the arguments of its parameters
// in their order. The condition can be joined to others by AND as it is. Input never stands in the text of the condition: addresses
// are of the type that d.Address gives, numbers are int64, texts are string. A
// nil Expr is "1 = 1".
func (d Dialect) SQL(e Expr) (where string, args []any) {
	if e == nil {
		return "1 = 1", nil
	}
	p := sqlPrinter{dialect: d}
	p.expr(e, inAnd)
	return p.text.String(), p.args
}

// A sqlPrinter grows a condition.
type sqlPrinter struct {
	dialect Dialect
	text    strings.Builder
	args    []any
}

func (p *sqlPrinter) write(parts ...string) {
	for _, s := range parts {
		p.text.WriteString(s)
	}
}

// column returns the expression that stands for c.
func (p *sqlPrinter) column(c Column) string {
	if s, ok := p.dialect.Columns[c]; ok {
		return s
	}
	return c.String()
}

// param adds an argument and returns its mark.
func (p *sqlPrinter) param(arg any) string {
	p.args = append(p.args, arg)
	if p.dialect.Param == nil {
		return "?"
	}
	return p.dialect.Param(len(p.args))
}

// expr prints e; in SQL too, "not" binds closer than "and", and that closer
// than "or".
func (p *sqlPrinter) expr(e Expr, context int) {
	switch e := e.(type) {
	case Or:
		p.joined(e.L, " OR ", e.R, inOr, context)
	case And:
		p.joined(e.L, " AND ", e.R, inAnd, context)
	case Not:
		p.write("NOT (")
		p.expr(e.X, 0)
		p.write(")")
	case Net:
		p.sides(e.Side, ClientColumn, ServerColumn, context, func(c Column) { p.net(e, c) })
	case Ports:
		p.sides(e.Side, ClientPortColumn, ServerPortColumn, context, func(c Column) {
			if e.Lo == e.Hi {
				p.write(p.column(c), " = ", p.param(int64(e.Lo)))
				return
			}
			p.write(p.column(c), " BETWEEN ", p.param(int64(e.Lo)), " AND ", p.param(int64(e.Hi)))
		})
	case FamilyIs:
		if e.IPv6 {
			p.write("NOT (")
			p.between(ClientColumn, Net{Prefix: mapped})
			p.write(")")
			return
		}
		p.between(ClientColumn, Net{Prefix: mapped})
	case ProtoIs:
		p.write(p.column(ProtoColumn), " = ", p.param(int64(e.Proto)))
	case AppIs:
		p.app(e, context)
	case NameHas:
		p.contains(e)
	case VLANIs:
		p.write(p.column(VLANColumn), " = ", p.param(int64(e.ID)))
	case ObserverIs:
		column, param := p.column(ObserverColumn), p.param(Text(e.Name))
		if p.dialect.Same == nil {
			p.write(column, " = ", param)
			return
		}
		p.write(p.dialect.Same(column, param))
	case Count:
		p.count(e)
	default:
		panic("BUG: query: a filter of a type that is not in this package")
	}
}

// joined prints two conditions, in parentheses where the context binds closer.
func (p *sqlPrinter) joined(l Expr, word string, r Expr, strength, context int) {
	open := context > strength
	if open {
		p.write("(")
	}
	p.expr(l, strength)
	p.write(word)
	p.expr(r, strength)
	if open {
		p.write(")")
	}
}

// sides prints a condition on the client's column, the server's, or either.
func (p *sqlPrinter) sides(side Side, client, server Column, context int, one func(Column)) {
	switch side {
	case OfClient:
		one(client)
	case OfServer:
		one(server)
	default:
		if context > inOr {
			p.write("(")
			defer p.write(")")
		}
		one(client)
		p.write(" OR ")
		one(server)
	}
}

func (p *sqlPrinter) net(e Net, c Column) {
	if !holdsMapped(e.Prefix) {
		p.between(c, e)
		return
	}
	p.write("(")
	p.between(c, e)
	p.write(" AND NOT (")
	p.between(c, Net{Prefix: mapped})
	p.write("))")
}

func (p *sqlPrinter) between(c Column, e Net) {
	lo, hi := Range(e.Prefix)
	if lo == hi {
		p.write(p.column(c), " = ", p.address(lo))
		return
	}
	p.write(p.column(c), " BETWEEN ", p.address(lo), " AND ", p.address(hi))
}

func (p *sqlPrinter) address(a [16]byte) string {
	if p.dialect.Address != nil {
		return p.param(p.dialect.Address(a))
	}
	return p.param(a[:])
}

func (p *sqlPrinter) app(e AppIs, context int) {
	if len(e.IDs) == 0 {
		p.write("1 = 0")
		return
	}
	if context > inOr {
		p.write("(")
		defer p.write(")")
	}
	for i, id := range e.IDs {
		if i > 0 {
			p.write(" OR ")
		}
		join := " OR "
		if id == 0 { // neither part is known
			join = " AND "
		}
		p.write(p.column(MasterColumn), " = ", p.param(int64(id)), join)
		p.write(p.column(AppColumn), " = ", p.param(int64(id)))
	}
}

func (p *sqlPrinter) contains(e NameHas) {
	column, param := p.column(InfoColumn), p.param(Fold(Text(e.Text)))
	if p.dialect.Contains == nil {
		p.write("strpos(lower(", column, "), ", param, ") > 0")
		return
	}
	p.write(p.dialect.Contains(column, param))
}

func (p *sqlPrinter) count(e Count) {
	toServer, toClient := BytesToServerColumn, BytesToClientColumn
	if e.Field == Packets {
		toServer, toClient = PacketsToServerColumn, PacketsToClientColumn
	}
	op := e.Op.String()
	if e.Op == NotEq {
		op = "<>"
	}
	p.write(p.column(toServer), " + ", p.column(toClient), " ", op, " ", p.param(int64(min(e.N, 1<<63-1))))
}
