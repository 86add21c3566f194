package export

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/portolan/portolan/internal/topology"
)

// jsonVersion changes when a key goes away or means something else.
const jsonVersion = 1

type (
	jsonGraph struct {
		Format  string       `json:"format"` // "portolan-graph"
		Version int          `json:"version"`
		Title   string       `json:"title,omitempty"`
		Filter  string       `json:"filter,omitempty"`
		Made    string       `json:"made,omitempty"`
		First   string       `json:"first,omitempty"`
		Last    string       `json:"last,omitempty"`
		Hosts   []jsonHost   `json:"hosts"`
		Edges   []jsonEdge   `json:"edges"`
		Folded  *jsonFolded  `json:"folded,omitempty"`
		LeftOut *jsonLeftOut `json:"left_out,omitempty"` // multicast and link-local traffic
	}
	jsonHost struct {
		ID        string        `json:"id"`
		Name      string        `json:"name,omitempty"`
		Kind      string        `json:"kind"`
		Network   string        `json:"network"`
		Addresses []string      `json:"addresses"`
		Count     int           `json:"count"`
		Bytes     uint64        `json:"bytes"`
		Services  []jsonService `json:"services,omitempty"`
	}
	jsonService struct {
		Port  uint16 `json:"port"`
		Proto string `json:"proto"`
		Name  string `json:"name,omitempty"`
		Bytes uint64 `json:"bytes"`
	}
	// A jsonEdge has the keys of a line of "portolan top --json".
	jsonEdge struct {
		Client          string `json:"client"`
		ClientName      string `json:"client_name,omitempty"`
		Server          string `json:"server"`
		ServerName      string `json:"server_name,omitempty"`
		Port            uint16 `json:"port"`
		Proto           string `json:"proto"`
		Service         string `json:"service,omitempty"`
		App             string `json:"app,omitempty"`
		AppGuessed      bool   `json:"app_guessed,omitempty"`
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
	jsonLeftOut struct {
		Hosts int    `json:"hosts"`
		Edges int    `json:"edges"`
		Bytes uint64 `json:"bytes"`
	}
	jsonFolded struct {
		Hosts      int    `json:"hosts"`
		HostsShown int    `json:"hosts_shown"`
		Edges      int    `json:"edges"`
		EdgesShown int    `json:"edges_shown"`
		Bytes      uint64 `json:"bytes"`
		BytesShown uint64 `json:"bytes_shown"`
	}
)

// JSON writes the graph: hosts, their services, edges, and what was folded. The
// keys are described in docs/formats/graph.md.
func JSON(w io.Writer, g *topology.Graph, o Options) error {
	doc := jsonGraph{
		Format: "portolan-graph", Version: jsonVersion, Title: o.Title, Filter: o.Filter, Made: o.Made,
		Hosts: make([]jsonHost, len(g.Hosts)), Edges: make([]jsonEdge, len(g.Edges)),
	}
	if g.Span.End != 0 {
		doc.First, doc.Last = moment(g.Span.Start), moment(g.Span.End)
	}
	for i := range g.Hosts {
		h := &g.Hosts[i]
		out := jsonHost{ID: h.Key, Name: h.Name, Kind: h.Kind.String(), Network: h.Network, Count: h.Count, Bytes: h.Bytes, Addresses: []string{}}
		for _, a := range h.Addrs {
			out.Addresses = append(out.Addresses, a.String())
		}
		for _, s := range h.Services {
			out.Services = append(out.Services, jsonService{s.Port, s.Proto.String(), s.Name, s.Bytes})
		}
		doc.Hosts[i] = out
	}
	for i := range g.Edges {
		doc.Edges[i] = edgeOf(g, &g.Edges[i])
	}
	if f := g.Folded; f != nil {
		doc.Folded = &jsonFolded{f.Hosts, f.HostsShown, f.Edges, f.EdgesShown, f.Bytes, f.BytesShown}
	}
	if l := g.LeftOut; l != nil {
		doc.LeftOut = &jsonLeftOut{l.Hosts, l.Edges, l.Bytes}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

func edgeOf(g *topology.Graph, e *topology.Edge) jsonEdge {
	client, server := &g.Hosts[e.Client], &g.Hosts[e.Server]
	return jsonEdge{
		Client: client.Key, ClientName: client.Name, Server: server.Key, ServerName: server.Name,
		Port: e.Port, Proto: e.Proto.String(), Service: e.Service, App: e.AppName, AppGuessed: e.App.Guess,
		Bytes: e.Bytes(), BytesToServer: e.ToServer.Bytes, BytesToClient: e.ToClient.Bytes,
		Packets: e.ToServer.Packets + e.ToClient.Packets, PacketsToServer: e.ToServer.Packets, PacketsToClient: e.ToClient.Packets,
		Flows: e.Flows, First: moment(e.First), Last: moment(e.Last), Evidence: e.Evidence.String(),
	}
}

func moment(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

// CSV writes a table of the edges, a row each, with the keys of JSON as names
// of columns. Texts that a spreadsheet would take for a formula get an
// apostrophe in front.
func CSV(w io.Writer, g *topology.Graph, _ Options) error {
	rows := [][]string{{
		"client", "client_name", "server", "server_name", "port", "proto", "service", "app", "bytes_to_server", "bytes_to_client",
		"packets_to_server", "packets_to_client", "flows", "first", "last", "evidence",
	}}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	for i := range g.Edges {
		e := edgeOf(g, &g.Edges[i])
		rows = append(rows, []string{
			inert(e.Client), inert(e.ClientName), inert(e.Server), inert(e.ServerName), number(uint64(e.Port)), e.Proto, inert(e.Service), inert(e.App),
			number(e.BytesToServer), number(e.BytesToClient), number(e.PacketsToServer), number(e.PacketsToClient),
			number(e.Flows), e.First, e.Last, e.Evidence,
		})
	}
	out := csv.NewWriter(w)
	return out.WriteAll(rows)
}
