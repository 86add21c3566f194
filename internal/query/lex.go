package query

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A token is a word, a quoted text or an operator of a filter.
type token struct {
	kind tokenKind
	text string // of a word as it stands, of a quoted text without quotes
	pos  int    // offset of its first byte
}

type tokenKind uint8

const (
	endToken tokenKind = iota
	wordToken
	quotedToken
	openToken
	closeToken
	andToken // && or the word
	orToken  // || or the word
	notToken // ! or the word
	opToken  // a comparison
)

// String returns t as an error shows it.
func (t token) String() string {
	if t.kind == endToken {
		return "the end"
	}
	return shown(t.text)
}

// shown returns s in quotes, cut to what an error has room for.
func shown(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "..."
	}
	return strconv.Quote(s)
}

var operators = []struct {
	text string
	kind tokenKind
}{ // the longer first
	{"&&", andToken}, {"||", orToken},
	{"<=", opToken}, {">=", opToken}, {"==", opToken}, {"!=", opToken}, {"<>", opToken},
	{"<", opToken}, {">", opToken}, {"=", opToken},
	{"!", notToken}, {"(", openToken}, {")", closeToken},
}

// endsWord holds the characters, beside blanks, that no bare word contains.
const endsWord = `()!<>=&|"'`

// A lexer cuts a filter into tokens.
type lexer struct {
	in  string
	pos int
}

func (l *lexer) next() (token, error) {
	rest := strings.TrimLeftFunc(l.in[l.pos:], unicode.IsSpace)
	l.pos = len(l.in) - len(rest)
	if rest == "" {
		return token{pos: l.pos}, nil
	}
	t := token{pos: l.pos}
	for _, op := range operators {
		if strings.HasPrefix(rest, op.text) {
			l.pos += len(op.text)
			t.kind, t.text = op.kind, op.text
			return t, nil
		}
	}
	switch rest[0] {
	case '"', '\'':
		return l.quoted(rest)
	case '&':
		return t, l.errorAt(t.pos, `a single "&"`, "write && or and")
	case '|':
		return t, l.errorAt(t.pos, `a single "|"`, "write || or or")
	}
	t.kind, t.text = wordToken, rest
	if i := strings.IndexFunc(rest, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(endsWord, r)
	}); i >= 0 {
		t.text = rest[:i]
	}
	l.pos += len(t.text)
	switch strings.ToLower(t.text) {
	case "and":
		t.kind = andToken
	case "or":
		t.kind = orToken
	case "not":
		t.kind = notToken
	}
	return t, nil
}

// quoted reads a text in double quotes, with Go's escapes, or in single
// quotes, where every character stands for itself.
func (l *lexer) quoted(rest string) (token, error) {
	t := token{kind: quotedToken, pos: l.pos}
	if rest[0] == '\'' {
		text, _, ok := strings.Cut(rest[1:], "'")
		if !ok {
			return t, l.errorAt(l.pos, "a quote is not closed", "")
		}
		l.pos += len(text) + 2
		t.text = text
		return t, nil
	}
	end := 1
	for end < len(rest) && rest[end] != '"' {
		if rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(rest) {
		return t, l.errorAt(l.pos, "a quote is not closed", "")
	}
	text, err := strconv.Unquote(rest[:end+1])
	if err != nil {
		return t, l.errorAt(l.pos, "a wrong escape in quotes", `write \\ for a backslash, \" for a quote, \n for a newline`)
	}
	l.pos += end + 1
	t.text = text
	return t, nil
}

func (l *lexer) errorAt(pos int, msg, hint string) error {
	return &SyntaxError{Filter: l.in, Pos: pos, Msg: msg, Hint: hint}
}
