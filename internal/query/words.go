package query

import (
	"fmt"
	"strings"
)

// dimWords holds the words of Dims in the order in which rows are sorted.
var dimWords = []struct {
	dim  Dims
	word string
}{
	{Client, "client"}, {Server, "server"}, {Proto, "proto"}, {Port, "port"},
	{App, "app"}, {VLAN, "vlan"}, {Observer, "observer"},
}

// String returns the words of d with commas between them.
func (d Dims) String() string {
	var words []string
	for _, w := range dimWords {
		if d.Has(w.dim) {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, ",")
}

// ParseDims reads words with commas between them: client, server, proto, port,
// app, vlan, observer, and edge for the first five.
func ParseDims(s string) (Dims, error) {
	var d Dims
words:
	for word := range strings.SplitSeq(s, ",") {
		word = strings.ToLower(strings.TrimSpace(word))
		if word == "edge" {
			d |= Edge
			continue
		}
		for _, w := range dimWords {
			if w.word == word {
				d |= w.dim
				continue words
			}
		}
		return 0, fmt.Errorf("unknown column %s (have: client, server, proto, port, app, vlan, observer, edge)", shown(word))
	}
	return d, nil
}

var orderWords = []string{ByBytes: "bytes", ByPackets: "packets", ByFlows: "flows", ByLast: "last", ByFirst: "first"}

// String returns the word of o.
func (o Order) String() string {
	if int(o) < len(orderWords) {
		return orderWords[o]
	}
	return "unknown"
}

// ParseOrder reads bytes, packets, flows, last or first.
func ParseOrder(s string) (Order, error) {
	for i, word := range orderWords {
		if strings.EqualFold(s, word) {
			return Order(i), nil
		}
	}
	return 0, fmt.Errorf("unknown order %s (have: %s)", shown(s), strings.Join(orderWords, ", "))
}
