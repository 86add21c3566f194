package query

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// String prints "L and R".
func (e And) String() string { return string(appendExpr(nil, e, 0)) }

// String prints "L or R".
func (e Or) String() string { return string(appendExpr(nil, e, 0)) }

// String prints "not X".
func (e Not) String() string { return string(appendExpr(nil, e, 0)) }

// The strength of a context: what binds less than it stands in parentheses.
const (
	inOr = iota + 1
	inAnd
	inAndRight // the right side of "and", where another "and" was in parentheses
	inNot
)

func appendExpr(b []byte, e Expr, context int) []byte {
	switch e := e.(type) {
	case Or:
		if context > inOr {
			return parenthesize(b, e)
		}
		b = appendExpr(b, e.L, inOr)
		b = append(b, " or "...)
		if _, ok := e.R.(Or); ok {
			return parenthesize(b, e.R)
		}
		return appendExpr(b, e.R, inOr)
	case And:
		if context > inAnd {
			return parenthesize(b, e)
		}
		b = appendExpr(b, e.L, inAnd)
		b = append(b, " and "...)
		return appendExpr(b, e.R, inAndRight)
	case Not:
		b = append(b, "not "...)
		return appendExpr(b, e.X, inNot)
	}
	return append(b, e.String()...)
}

func parenthesize(b []byte, e Expr) []byte {
	b = append(b, '(')
	b = appendExpr(b, e, 0)
	return append(b, ')')
}

// String prints a host or a net, with the side before it.
func (e Net) String() string {
	side := e.Side.prefix()
	if e.Prefix.IsSingleIP() {
		return side + "host " + e.Prefix.Addr().String()
	}
	return side + "net " + e.Prefix.String()
}

// prefix returns the word that stands before host and net.
func (s Side) prefix() string {
	switch s {
	case OfClient:
		return "client "
	case OfServer:
		return "server "
	}
	return ""
}

// String prints a port or a range of ports, with the side before it unless it
// is the server's.
func (e Ports) String() string {
	side := ""
	switch e.Side {
	case OfClient:
		side = "client "
	case Either:
		side = "client or server "
	}
	if e.Lo == e.Hi {
		return side + "port " + strconv.Itoa(int(e.Lo))
	}
	return fmt.Sprintf("%sportrange %d-%d", side, e.Lo, e.Hi)
}

// String prints "ip" or "ip6".
func (e FamilyIs) String() string {
	if e.IPv6 {
		return "ip6"
	}
	return "ip"
}

// String prints the protocol's name, or "proto" and its number.
func (e ProtoIs) String() string {
	name := e.Proto.String()
	if _, ok := protoWord(name); ok {
		return name
	}
	return "proto " + name
}

// String prints the application as it was written.
func (e AppIs) String() string { return "app " + quoteWord(e.Name) }

// String prints the text, in quotes where it needs them.
func (e NameHas) String() string { return "name " + quoteWord(e.Text) }

// String prints the VLAN identifier.
func (e VLANIs) String() string { return "vlan " + strconv.Itoa(int(e.ID)) }

// String prints the observer, in quotes where it needs them.
func (e ObserverIs) String() string { return "observer " + quoteWord(e.Name) }

// String prints the comparison, the number without a unit.
func (e Count) String() string { return fmt.Sprintf("%s %s %d", e.Field, e.Op, e.N) }

// String returns the word of the language.
func (f Field) String() string {
	if f == Packets {
		return "packets"
	}
	return "bytes"
}

// String returns the operator as it is written in a filter.
func (o Op) String() string {
	switch o {
	case Less:
		return "<"
	case LessEq:
		return "<="
	case Eq:
		return "="
	case NotEq:
		return "!="
	case GreaterEq:
		return ">="
	case Greater:
		return ">"
	}
	return "?"
}

// quoteWord returns s as a value of the language, in quotes where it needs them.
func quoteWord(s string) string {
	switch strings.ToLower(s) {
	case "", "and", "or", "not":
		return strconv.Quote(s)
	}
	for _, r := range s {
		if r >= utf8.RuneSelf || r < '-' || strings.ContainsRune(`<=>|\^`+"`{}~[];?@", r) {
			return strconv.Quote(s)
		}
	}
	return s
}
