// Package ndpi compares the verdicts of our flows with those of ndpiReader, and
// feeds the library what is damaged.
package ndpi
