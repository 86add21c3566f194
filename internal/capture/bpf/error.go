package bpf

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/portolan/portolan/internal/packet"
)

// maxWords bounds an expression. The time that libpcap's optimiser takes grows
// with the third power: 330 hosts took it 1.4 s, 1000 minutes (libpcap 1.10.3).
const maxWords = 1000

// A SyntaxError says what is wrong with an expression.
type SyntaxError struct {
	Expr string
	Pos  int    // of the word that is wrong, in bytes; len(Expr) = its end comes too early; -1 = unknown
	Msg  string // what libpcap says of it
}

func (e *SyntaxError) Error() string {
	switch {
	case e.Pos < 0:
		return fmt.Sprintf("filter %q: %s", e.Expr, e.Msg)
	case e.Pos == len(e.Expr):
		return fmt.Sprintf("filter %q: %s: something is missing at the end", e.Expr, e.Msg)
	}
	word, _, _ := strings.Cut(e.Expr[e.Pos:], " ")
	return fmt.Sprintf("filter %q: column %d, at %q: %s", e.Expr, utf8.RuneCountInString(e.Expr[:e.Pos])+1, word, e.Msg)
}

// A message is what libpcap says.
type message string

func (m message) Error() string { return string(m) }

// check refuses what libpcap would not read as it is written.
func check(expr string, words int) error {
	if words > maxWords {
		return fmt.Errorf("filter: %d words: %d at the most; networks take fewer than hosts", words, maxWords)
	}
	if i := strings.IndexFunc(expr, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }); i >= 0 {
		return &SyntaxError{expr, i, "control character"}
	}
	return nil
}

// A word is a part of an expression that a parser reads as one, by bytes.
type word struct{ start, end int }

// words splits an expression. What is no name or number stands alone.
func words(expr string) []word {
	var out []word
	for i := 0; i < len(expr); {
		r, n := utf8.DecodeRuneInString(expr[i:])
		start := i
		i += n
		switch {
		case unicode.IsSpace(r):
			continue
		case isName(r):
			for i < len(expr) && isName(rune(expr[i])) {
				i++
			}
		case r == '\\': // a keyword that is meant as a name
			for i < len(expr) && isName(rune(expr[i])) {
				i++
			}
		case strings.ContainsRune("<>=!&|", r):
			for i < len(expr) && i < start+2 && strings.IndexByte("<>=&|", expr[i]) >= 0 {
				i++
			}
		}
		out = append(out, word{start, i})
	}
	return out
}

func isName(r rune) bool {
	return r == '_' || r == '-' || r == '.' || r == ':' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z'
}

// stop is a word that libpcap's scanner refuses with a message of its own
// (since 1.10). If that message comes when it stands behind a part of an
// expression, the parser had nothing against that part.
const (
	stop     = " 09"
	stopSays = "number 09 "
)

// maxSearch is how many words of an expression a mistake is looked for in.
const maxSearch = 256

// newSyntaxError finds the place of a mistake by compiling longer and longer
// beginnings of the expression.
func newSyntaxError(expr string, link packet.LinkType, msg string) *SyntaxError {
	msg = strings.TrimPrefix(msg, "can't parse filter expression: ")
	e := &SyntaxError{expr, -1, msg}
	all := words(expr)
	if len(all) > maxSearch {
		return e
	}
	if !strings.Contains(msg, "syntax error") {
		for _, w := range all {
			if says(expr[:w.end], link) == msg {
				e.Pos = w.start
				return e
			}
		}
		return e
	}
	if !strings.HasPrefix(says("tcp"+stop, link), stopSays) {
		return e
	}
	for _, w := range all {
		if !strings.HasPrefix(says(expr[:w.end]+stop, link), stopSays) {
			e.Pos = w.start
			return e
		}
	}
	e.Pos = len(expr)
	return e
}

// says returns libpcap's message about an expression, "" if it is sound.
func says(expr string, link packet.LinkType) string {
	if _, err := compile(expr, link, DefaultSnap); err != nil {
		return strings.TrimPrefix(err.Error(), "can't parse filter expression: ")
	}
	return ""
}
