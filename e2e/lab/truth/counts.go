package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// readCounters reads the sets that net.sh made, as "nft -j -n list table"
// prints them.
func readCounters(name string) (map[way]count, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var listing struct {
		Objects []struct {
			Set *struct {
				Name string
				Elem []struct {
					Elem struct {
						Val     struct{ Concat []any }
						Counter struct{ Packets, Bytes uint64 }
					}
				}
			}
		} `json:"nftables"`
	}
	if err := json.Unmarshal(data, &listing); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	ways := map[way]count{}
	for _, o := range listing.Objects {
		if o.Set == nil || o.Set.Name == "first4" {
			continue
		}
		for _, e := range o.Set.Elem {
			w, err := parseElement(o.Set.Name, e.Elem.Val.Concat)
			if err != nil {
				return nil, fmt.Errorf("%s: set %s: %w", name, o.Set.Name, err)
			}
			ways[w] = count{e.Elem.Counter.Packets, e.Elem.Counter.Bytes}
		}
	}
	return ways, nil
}

// parseElement parses a key of one of the sets: addresses with ports and
// protocol, or addresses with protocol or ICMP type.
func parseElement(set string, key []any) (w way, err error) {
	s := make([]string, len(key))
	for i, k := range key {
		s[i] = fmt.Sprint(k)
	}
	w.kind = -1
	switch {
	case len(s) == 5:
		var e1, e2 error
		w.src, e1 = parseEndpoint(s[0], s[1])
		w.dst, e2 = parseEndpoint(s[2], s[3])
		err = errors.Join(e1, e2)
	case len(s) == 3:
		var e1, e2 error
		w.src, e1 = parseEndpoint(s[0], "0")
		w.dst, e2 = parseEndpoint(s[1], "0")
		err = errors.Join(e1, e2)
	default:
		return w, fmt.Errorf("a key of %d values", len(s))
	}
	if err != nil {
		return w, err
	}
	last, err := strconv.ParseUint(s[len(s)-1], 10, 8)
	switch set {
	case "icmp4":
		w.proto, w.kind = icmp, int(last)
	case "icmp6":
		w.proto, w.kind = icmpv6, int(last)
	default:
		w.proto, w.later = uint8(last), strings.HasPrefix(set, "later")
	}
	return w, err
}

// readFrames counts frames by the fields of them that tshark printed: see
// make.sh for their order. Frames that are not IP have no addresses.
func readFrames(name string) (map[way]count, error) {
	ways := map[way]count{}
	err := table(name, 19, func(f []string) error {
		is4, is6 := f[1] != "", f[6] != ""
		if !is4 && !is6 {
			return nil
		}
		w := way{kind: -1}
		var bytes, offset string
		vlan, proto, src, dst := f[0], "", "", ""
		switch {
		case is4:
			src, dst, proto, bytes, offset = f[1], f[2], f[3], f[4], f[5]
		default:
			src, dst, proto, bytes, offset = f[6], f[7], f[8], f[9], f[11]
			if f[10] != "" { // the fragment header's next header
				proto = f[10]
			}
			if f[18] != "" { // behind hop-by-hop options
				proto = "58"
			}
		}
		n, err := strconv.ParseUint(proto, 10, 8)
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(bytes, 10, 32)
		if err != nil {
			return err
		}
		if is6 {
			size += 40 // the payload length does not count the header (RFC 8200 section 3)
		}
		if vlan != "" {
			v, err := strconv.ParseUint(vlan, 0, 12)
			if err != nil {
				return err
			}
			w.vlan = uint16(v)
		}
		w.proto = uint8(n)
		w.later = offset != "" && offset != "0"
		sport, dport, kind := "0", "0", ""
		switch {
		case w.later:
		case w.proto == tcp:
			sport, dport = f[12], f[13]
		case w.proto == udp:
			sport, dport = f[14], f[15]
		case w.proto == icmp:
			kind = f[16]
		case w.proto == icmpv6:
			kind = f[17]
		}
		if kind != "" {
			if w.kind, err = strconv.Atoi(kind); err != nil {
				return err
			}
		}
		if w.src, err = parseEndpoint(src, sport); err != nil {
			return err
		}
		if w.dst, err = parseEndpoint(dst, dport); err != nil {
			return err
		}
		c := ways[w]
		ways[w] = count{c.packets + 1, c.bytes + size}
		return nil
	})
	return ways, err
}
