package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Error is one thing wrong with a setting.
type Error struct {
	Origin Origin // where it stands
	Column int    // in the line, from 1, in bytes; 0 = not known
	Key    string // of the setting; empty if the text names none
	Err    error
	Hint   string // what to do, or empty
}

func (e *Error) Error() string {
	text := e.Err.Error()
	if e.Key != "" {
		text = e.Key + ": " + text
	}
	switch {
	case e.Origin.Layer == Flag && e.Origin.Name == "":
		return text // of the command line as a whole
	case e.Origin.Layer != File:
		return e.Origin.String() + ": " + text
	case e.Origin.Line == 0:
		return e.Origin.Name + ": " + text
	case e.Column == 0:
		return fmt.Sprintf("%s:%d: %s", e.Origin.Name, e.Origin.Line, text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Origin.Name, e.Origin.Line, e.Column, text)
}

func (e *Error) Unwrap() error { return e.Err }

// Hint returns what to do about err, a line for each *Error in it that knows
// something; the same advice is given once.
func Hint(err error) string {
	var hints []string
	var walk func(error)
	walk = func(err error) {
		if e, ok := err.(*Error); ok && e.Hint != "" && !slices.Contains(hints, e.Hint) { //nolint:errorlint // the tree is walked here
			hints = append(hints, e.Hint)
		}
		switch e := err.(type) { //nolint:errorlint // the tree is walked here
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				walk(one)
			}
		}
	}
	walk(err)
	return strings.Join(hints, "\n")
}

// A hintError is an error with advice.
type hintError struct {
	err  error
	hint string
}

func (e hintError) Error() string { return e.err.Error() }
func (e hintError) Unwrap() error { return e.err }
func (e hintError) Hint() string  { return e.hint }

// hintf is an error with advice.
func hintf(hint, format string, args ...any) error {
	return hintError{fmt.Errorf(format, args...), hint}
}

// wrong makes an *Error of err, with the advice that err has a method Hint for.
func wrong(o Origin, column int, key string, err error) *Error {
	e := &Error{Origin: o, Column: column, Key: key, Err: err}
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		e.Hint = h.Hint()
	}
	return e
}

// nearest returns the name of names that differs the least from name, in at
// most a third of its letters; else "".
func nearest(name string, names []string) string {
	best, least := "", len(name)/3+1
	for _, n := range names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, change or swap with the next
// that make b of a. Long words have nothing in common.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return max(len(a), len(b))
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	before, last, this := rows[0], rows[1], rows[2]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		this[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			this[j] = min(change, last[j]+1, this[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				this[j] = min(this[j], before[j-2]+1)
			}
		}
		before, last, this = last, this, before
	}
	return last[len(b)]
}
