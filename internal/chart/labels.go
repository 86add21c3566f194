package chart

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/portolan/portolan/internal/topology"
)

// linkLabel names the ports of a link, most bytes first: "443 https, 22 ssh +3".
func linkLabel(edges []*topology.Edge, ports int) string {
	var b strings.Builder
	seen := map[string]bool{}
	more := 0
	for _, e := range edges {
		text := portText(e)
		if seen[text] {
			continue
		}
		seen[text] = true
		if len(seen) > ports {
			more++
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(LabelFont.Fit(text, 110))
	}
	if more > 0 {
		fmt.Fprintf(&b, " +%d", more)
	}
	return b.String()
}

// portText names one service: "443 https", "8086", "icmp".
func portText(e *topology.Edge) string {
	name := clean(e.Service)
	if !e.Proto.HasPorts() {
		return e.Proto.String()
	}
	port := strconv.Itoa(int(e.Port))
	if name == "" || name == port {
		return port
	}
	return port + " " + name
}

// linkData returns the facts behind a link.
func linkData(l *link, client, server *host) []Datum {
	data := []Datum{{"client", who(client)}, {"server", who(server)}}
	var flows, packets uint64
	first, last := int64(0), int64(0)
	best := l.edges[0].Evidence
	for _, e := range l.edges {
		flows += e.Flows
		packets += e.ToServer.Packets + e.ToClient.Packets
		if e.First != 0 && (first == 0 || e.First < first) {
			first = e.First
		}
		last = max(last, e.Last)
		best = max(best, e.Evidence)
	}
	data = append(data, Datum{"services", serviceList(l.edges)},
		Datum{"bytes", Bytes(l.bytes)}, Datum{"flows", count(flows)}, Datum{"packets", count(packets)})
	if first != 0 {
		data = append(data, Datum{"first", stamp(first)})
	}
	if last != 0 {
		data = append(data, Datum{"last", stamp(last)})
	}
	return append(data, Datum{"direction", "told by " + best.String()})
}

// serviceList names up to 30 services of a link with protocol and bytes.
func serviceList(edges []*topology.Edge) string {
	var parts []string
	for i, e := range edges {
		if i == 30 {
			parts = append(parts, fmt.Sprintf("and %d more", len(edges)-i))
			break
		}
		text := portText(e)
		if e.Proto.HasPorts() {
			text += "/" + e.Proto.String()
		}
		if app := clean(e.AppName); app != "" && !strings.EqualFold(app, e.Service) {
			text += " " + app
		}
		parts = append(parts, text+" "+Bytes(e.Bytes()))
	}
	return strings.Join(parts, ", ")
}

// hostData returns the facts behind a host.
func hostData(h *host) []Datum {
	data := []Datum{{"host", who(h)}}
	if len(h.src.Addrs) > 0 {
		var parts []string
		for i, a := range h.src.Addrs {
			if i == 16 {
				parts = append(parts, fmt.Sprintf("and %d more", len(h.src.Addrs)-i))
				break
			}
			parts = append(parts, a.String())
		}
		data = append(data, Datum{"addresses", strings.Join(parts, ", ")})
	}
	if n := clean(h.src.Network); n != "" {
		data = append(data, Datum{"network", n})
	}
	if len(h.src.Services) > 0 {
		var parts []string
		for i, s := range h.src.Services {
			if i == 30 {
				parts = append(parts, fmt.Sprintf("and %d more", len(h.src.Services)-i))
				break
			}
			text := chipText(s)
			if s.Proto.HasPorts() {
				text += "/" + s.Proto.String()
			}
			if name := clean(s.Name); name != "" {
				text += " " + name
			}
			parts = append(parts, text)
		}
		data = append(data, Datum{"serves", strings.Join(parts, ", ")})
	}
	return append(data, Datum{"bytes", Bytes(h.src.Bytes)})
}

func who(h *host) string {
	if name := clean(h.src.Name); name != "" {
		return name
	}
	return clean(hostKey(h.src))
}

// Bytes returns n in the decimal units that people use for traffic: "28.6 GB".
func Bytes(n uint64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return strconv.FormatUint(n, 10) + " B"
	}
	v, u := float64(n)/1000, 0
	for v >= 999.95 && u < len(units)-1 {
		v /= 1000
		u++
	}
	if v >= 99.95 {
		return fmt.Sprintf("%.0f %cB", v, units[u])
	}
	return fmt.Sprintf("%.1f %cB", v, units[u])
}

// count returns n with thin groups of three: "1,893".
func count[T int | uint64](n T) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05 UTC") }
