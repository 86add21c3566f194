package export

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/portolan/portolan/internal/topology"
)

// DOT writes Graphviz's language: networks as clusters, one edge a pair.
func DOT(w io.Writer, g *topology.Graph, o Options) error {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph portolan {\n  rankdir=LR;\n  label=%s;\n  labelloc=t;\n  node [shape=box, style=rounded];\n", dotText(o.Title))
	var networks []string
	members := map[string][]*topology.Host{}
	for i := range g.Hosts {
		h := &g.Hosts[i]
		if members[h.Network] == nil {
			networks = append(networks, h.Network)
		}
		members[h.Network] = append(members[h.Network], h)
	}
	for i, network := range networks {
		fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%s;\n", i, dotText(network))
		for _, h := range members[network] {
			fmt.Fprintf(&b, "    n%d [label=%s];\n", h.ID, dotText(title(h)))
		}
		b.WriteString("  }\n")
	}
	for _, l := range lines(g, o.LinePerPort) {
		fmt.Fprintf(&b, "  n%d -> n%d [label=%s];\n", l.client, l.server, dotText(l.label()))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotText quotes s for DOT.
func dotText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ", "\r", " ").Replace(s) + `"`
}

// JSON writes the graph: hosts, their services, edges, and what was folded.
// Edges have the keys of "portolan top --json".
func JSON(w io.Writer, g *topology.Graph, o Options) error {
	type service struct {
		Port  uint16 `json:"port"`
		Proto string `json:"proto"`
		Name  string `json:"name,omitempty"`
		Bytes uint64 `json:"bytes"`
	}
	type hostJSON struct {
		ID       string    `json:"id"`
		Name     string    `json:"name,omitempty"`
		Addrs    []string  `json:"addresses"`
		Network  string    `json:"network"`
		Count    int       `json:"count"`
		Bytes    uint64    `json:"bytes"`
		Services []service `json:"services,omitempty"`
	}
	type edge struct {
		Client          string `json:"client"`
		Server          string `json:"server"`
		Port            uint16 `json:"port"`
		Proto           string `json:"proto"`
		Service         string `json:"service,omitempty"`
		App             string `json:"app,omitempty"`
		Bytes           uint64 `json:"bytes"`
		BytesToServer   uint64 `json:"bytes_to_server"`
		BytesToClient   uint64 `json:"bytes_to_client"`
		Packets         uint64 `json:"packets"`
		PacketsToServer uint64 `json:"packets_to_server"`
		PacketsToClient uint64 `json:"packets_to_client"`
		Flows           uint64 `json:"flows"`
		First           string `json:"first"`
		Last            string `json:"last"`
		Evidence        string `json:"evidence"`
	}
	doc := struct {
		Title  string            `json:"title"`
		Filter string            `json:"filter,omitempty"`
		First  string            `json:"first,omitempty"`
		Last   string            `json:"last,omitempty"`
		Hosts  []hostJSON        `json:"hosts"`
		Edges  []edge            `json:"edges"`
		Folded *topology.Folding `json:"folded,omitempty"`
	}{Title: o.Title, Filter: o.Filter, Hosts: []hostJSON{}, Edges: []edge{}, Folded: g.Folded}
	if g.Span.End != 0 {
		doc.First, doc.Last = moment(g.Span.Start), moment(g.Span.End)
	}
	for i := range g.Hosts {
		h := &g.Hosts[i]
		out := hostJSON{ID: h.Key, Name: h.Name, Network: h.Network, Count: h.Count, Bytes: h.Bytes}
		for _, a := range h.Addrs {
			out.Addrs = append(out.Addrs, a.String())
		}
		for _, s := range h.Services {
			out.Services = append(out.Services, service{s.Port, s.Proto.String(), s.Name, s.Bytes})
		}
		doc.Hosts = append(doc.Hosts, out)
	}
	for i := range g.Edges {
		e := &g.Edges[i]
		doc.Edges = append(doc.Edges, edge{
			Client: g.Hosts[e.Client].Key, Server: g.Hosts[e.Server].Key, Port: e.Port, Proto: e.Proto.String(),
			Service: e.Service, App: e.AppName, Bytes: e.Bytes(), BytesToServer: e.ToServer.Bytes, BytesToClient: e.ToClient.Bytes,
			Packets: e.ToServer.Packets + e.ToClient.Packets, PacketsToServer: e.ToServer.Packets, PacketsToClient: e.ToClient.Packets,
			Flows: e.Flows, First: moment(e.First), Last: moment(e.Last), Evidence: e.Evidence.String(),
		})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

func moment(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }
