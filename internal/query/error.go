package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A SyntaxError says where a filter stopped making sense.
type SyntaxError struct {
	Filter string // the whole filter
	Pos    int    // offset in bytes, at most len(Filter)
	Msg    string // what was found there
	Hint   string // what may have been meant; "" = nothing to say
}

// Error returns one line: the column, what was found there, and the hint.
func (e *SyntaxError) Error() string {
	column := utf8.RuneCountInString(e.Filter[:e.Pos]) + 1
	if e.Hint == "" {
		return fmt.Sprintf("filter: column %d: %s", column, e.Msg)
	}
	return fmt.Sprintf("filter: column %d: %s (%s)", column, e.Msg, e.Hint)
}

// excerptSide is how many characters an excerpt shows on each side of a mistake.
const excerptSide = 35

// Excerpt returns two lines for a terminal, without a newline at the end: the
// filter around the mistake, and a caret below it. Control characters are
// shown as spaces.
func (e *SyntaxError) Excerpt() string {
	before, after := []rune(e.Filter[:e.Pos]), []rune(e.Filter[e.Pos:])
	var line strings.Builder
	caret := min(len(before), excerptSide)
	if len(before) > excerptSide {
		before = before[len(before)-excerptSide:]
		line.WriteString("...")
		caret += len("...")
	}
	more := len(after) > excerptSide
	if more {
		after = after[:excerptSide]
	}
	for _, r := range append(before, after...) {
		if !unicode.IsPrint(r) {
			r = ' '
		}
		line.WriteRune(r)
	}
	if more {
		line.WriteString("...")
	}
	return line.String() + "\n" + strings.Repeat(" ", caret) + "^"
}

// nearest returns the word of words that s is probably a slip of, or "".
func nearest(s string, words []string) string {
	best, bestDistance := "", min(2, (len(s)-1)/2)+1
	for _, w := range words {
		if d := distance(s, w); d < bestDistance {
			best, bestDistance = w, d
		}
	}
	return best
}

// distance counts the letters to add, drop, replace or swap with a neighbour
// to turn a into b.
func distance(a, b string) int {
	if len(a) > 32 || len(b) > 32 {
		return 32
	}
	var rows [3][33]int
	before, above, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		above[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j]+cost, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
