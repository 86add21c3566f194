// Package ndpi asks libndpi what applications conversations carry.
//
// It is there when built with the tag ndpi, by cgo and with the header and
// library of nDPI 4.2 to 5.x. Without the tag, New says so.
package ndpi

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Config says how an Identifier works. The zero Config will do.
type Config struct {
	// Protocols is a file with protocols of one's own, in the format of nDPI's
	// protos.txt, which ntopng takes with -p. "" = none. Format and meaning are
	// nDPI's; it passes over lines that it does not understand.
	Protocols string

	// MaxFlows is how many conversations may wait for a verdict at a time; each
	// takes about 1.3 kB. 0 = 65,536. Those beyond are not looked at, and
	// counted.
	MaxFlows int
}

const (
	defaultFlows = 1 << 16
	maxFlows     = 1 << 24
)

func (c *Config) check() error {
	if c.MaxFlows < 0 || c.MaxFlows > maxFlows {
		return fmt.Errorf("ndpi: MaxFlows is %d: must be 0 to %d", c.MaxFlows, maxFlows)
	}
	if strings.ContainsRune(c.Protocols, 0) {
		return errors.New("ndpi: the name of the protocols file contains a zero byte")
	}
	if c.MaxFlows == 0 {
		c.MaxFlows = defaultFlows
	}
	return nil
}

// Stats counts what an Identifier did.
type Stats struct {
	Open    int    // conversations that wait for a verdict now
	Packets uint64 // looked at
	Named   uint64 // verdicts other than "I do not know", Guessed among them
	Guessed uint64 // verdicts from ports or addresses alone
	Unknown uint64 // verdicts that are "I do not know"
	Refused uint64 // conversations not looked at: MaxFlows were open
}

// text makes what a stranger sent fit to be shown: bytes that are no UTF-8 and
// what cannot be printed become '?'.
func text(b []byte) string {
	clean := true
	for _, c := range b {
		clean = clean && c >= ' ' && c < 0x7f
	}
	if clean {
		return string(b)
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, string(b))
}
