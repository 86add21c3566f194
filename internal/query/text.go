package query

import "strings"

// Text returns s as stores keep and compare it: what is not UTF-8 is replaced,
// each run of wrong bytes by one U+FFFD. Every other character stays, NUL
// included.
func Text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// Fold returns s without case: every letter's simple lower-case mapping. Two
// texts that are equal but for case have the same fold. It is what NameHas
// compares, and what a dialect's lower-case function must agree with.
func Fold(s string) string { return strings.ToLower(s) }
