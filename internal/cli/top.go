package cli

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/host"
	"github.com/portolan/portolan/internal/l7"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/term"
)

// groupings are the words of --by beyond the store's own columns.
var groupings = map[string]query.Dims{
	"edge":    query.Edge,
	"pair":    query.Client | query.Server,
	"service": query.Server | query.Port | query.Proto,
	"port":    query.Port | query.Proto,
	"host":    query.Client | query.Server, // each pair counts for both its ends
}

const (
	groupWords = "edge, pair, host, client, server, service, port, proto, app, vlan, observer"
	orderWords = "bytes, packets, flows, last, first"
)

// parseGrouping reads the word of --by, or columns with commas between them.
func parseGrouping(by string) (query.Dims, error) {
	if dims, ok := groupings[by]; ok {
		return dims, nil
	}
	dims, err := query.ParseDims(by)
	if err != nil {
		return 0, usage("have: "+groupWords+"; or several with commas: client,port", "--by: %w", err)
	}
	return dims, nil
}

func newTop(env *Env, o *options) *cobra.Command {
	var q question
	var by, sort string
	var limit int
	cmd := &cobra.Command{
		Use:   "top [filter]",
		Short: "Show who talks most to whom, on which server port",
		Long: `Top shows sums over the flows in the store, largest first: by default one line
an edge, that is client, server, server port and application.

The filter is written as for tcpdump: host, net, port, portrange, proto, tcp,
udp, icmp, vlan, joined by and, or, not and parentheses. Addresses and ports
can be asked of one side: client, server (or src, dst). "port" alone is the
server's port. Beyond tcpdump: app NAME, name TEXT (what the client asked for),
observer NAME, bytes > 10M, packets >= 5 (of one flow record).`,
		Example: `  portolan top
  portolan top 'server net 192.168.1.0/24 and not host 192.168.1.151' --by edge -n 10
  portolan top --by service --since 2h
  portolan top --json -n 0 | jq -r .server | sort -u`,
		RunE: func(cmd *cobra.Command, args []string) error {
			dims, err := parseGrouping(by)
			if err != nil {
				return err
			}
			order, err := query.ParseOrder(sort)
			if err != nil {
				return usage("", "--sort: %w", err)
			}
			if limit < 0 {
				return usage("-n 0 means all", "-n: %d is negative", limit)
			}
			ask, err := q.parse(args)
			if err != nil {
				return err
			}
			names, err := q.names(env, o)
			if err != nil {
				return err
			}
			ask.By, ask.Sort, ask.Limit = dims, order, limit
			s, err := openForReading(cmd.Context(), env, o)
			if err != nil {
				return err
			}
			defer s.Close()
			if by == "host" {
				ask.Limit = 0
			}
			rows := s.Top(cmd.Context(), ask)
			if by == "host" {
				rows = perHost(rows, ask, limit)
			}
			if o.json {
				return topJSON(env, by, dims, names, rows)
			}
			return topTable(env, o, by, dims, names, rows)
		},
	}
	q.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&by, "by", "edge", "what a line stands for: "+groupWords)
	f.StringVar(&sort, "sort", "bytes", "order: "+orderWords)
	f.IntVarP(&limit, "limit", "n", 20, "lines at the most, 0 = all")
	complete(cmd, "by", groupWords)
	complete(cmd, "sort", orderWords)
	return cmd
}

// perHost makes rows a host of rows a pair: Client holds the host; what it
// sent is ToServer, what it got is ToClient.
func perHost(pairs iter.Seq2[query.Row, error], ask query.Query, limit int) iter.Seq2[query.Row, error] {
	return func(yield func(query.Row, error) bool) {
		sums := map[[16]byte]query.Row{}
		add := func(addr [16]byte, r query.Row) {
			sum, seen := sums[addr]
			if !seen {
				sum = query.Row{Client: addr, First: r.First}
			}
			sum.ToServer = sum.ToServer.Add(r.ToServer)
			sum.ToClient = sum.ToClient.Add(r.ToClient)
			sum.Flows += r.Flows
			sum.First, sum.Last = min(sum.First, r.First), max(sum.Last, r.Last)
			sums[addr] = sum
		}
		for r, err := range pairs {
			if err != nil {
				yield(r, err)
				return
			}
			add(r.Client, r)
			if r.Server != r.Client {
				r.ToServer, r.ToClient = r.ToClient, r.ToServer
				add(r.Server, r)
			}
		}
		all := make([]query.Row, 0, len(sums))
		for _, r := range sums {
			all = append(all, r)
		}
		slices.SortFunc(all, func(a, b query.Row) int { return ask.Compare(&a, &b) })
		for i, r := range all {
			if limit > 0 && i == limit || !yield(r, nil) {
				return
			}
		}
	}
}

// topRow is a line of "top --json". Keys that the grouping does not tell apart
// are left out.
type topRow struct {
	Host            string  `json:"host,omitempty"`
	HostName        string  `json:"host_name,omitempty"`
	Client          string  `json:"client,omitempty"`
	ClientName      string  `json:"client_name,omitempty"`
	Server          string  `json:"server,omitempty"`
	ServerName      string  `json:"server_name,omitempty"`
	Port            *uint16 `json:"port,omitempty"`
	Proto           string  `json:"proto,omitempty"`
	Service         string  `json:"service,omitempty"`
	App             string  `json:"app,omitempty"`
	AppGuessed      bool    `json:"app_guessed,omitempty"`
	VLAN            *uint16 `json:"vlan,omitempty"`
	Observer        *string `json:"observer,omitempty"`
	Bytes           uint64  `json:"bytes"`
	BytesToServer   uint64  `json:"bytes_to_server"`
	BytesToClient   uint64  `json:"bytes_to_client"`
	Packets         uint64  `json:"packets"`
	PacketsToServer uint64  `json:"packets_to_server"`
	PacketsToClient uint64  `json:"packets_to_client"`
	Flows           uint64  `json:"flows"`
	First           string  `json:"first"`
	Last            string  `json:"last"`
	Evidence        string  `json:"evidence,omitempty"`
}

func topJSON(env *Env, by string, dims query.Dims, names *host.Names, rows iter.Seq2[query.Row, error]) error {
	for r, err := range rows {
		if err != nil {
			return err
		}
		line := topRow{
			Bytes: r.Bytes(), BytesToServer: r.ToServer.Bytes, BytesToClient: r.ToClient.Bytes,
			Packets: r.Packets(), PacketsToServer: r.ToServer.Packets, PacketsToClient: r.ToClient.Packets,
			Flows: r.Flows, First: stamp(r.First), Last: stamp(r.Last), Evidence: r.Evidence.String(),
		}
		client, server := flow.Addr(r.Client), flow.Addr(r.Server)
		if by == "host" {
			line.Host, line.HostName, line.Evidence = client.String(), names.Name(client), ""
			dims = 0
		}
		if dims.Has(query.Client) {
			line.Client, line.ClientName = client.String(), names.Name(client)
		}
		if dims.Has(query.Server) {
			line.Server, line.ServerName = server.String(), names.Name(server)
		}
		if dims.Has(query.Proto) {
			line.Proto = r.Proto.String()
		}
		if dims.Has(query.Port) {
			line.Port = &r.Port
			line.Service = l7.ServiceName(r.Proto, r.Port)
		}
		if dims.Has(query.App) {
			line.App, line.AppGuessed = appName(r.App), r.App.Guess
		}
		if dims.Has(query.VLAN) {
			line.VLAN = &r.VLAN
		}
		if dims.Has(query.Observer) {
			line.Observer = &r.Observer
		}
		if err := printJSON(env.Out, line); err != nil {
			return err
		}
	}
	return nil
}

func topTable(env *Env, o *options, by string, dims query.Dims, names *host.Names, rows iter.Seq2[query.Row, error]) error {
	var t term.Table
	column := func(right bool, head string) {
		t.Head, t.Right = append(t.Head, head), append(t.Right, right)
	}
	if by == "host" {
		column(false, "HOST")
		dims = 0
	}
	for _, c := range []struct {
		dim   query.Dims
		right bool
		head  string
	}{
		{query.Client, false, "CLIENT"}, {query.Server, false, "SERVER"}, {query.Port, true, "PORT"},
		{query.Proto, false, "PROTO"}, {query.App, false, "APP"}, {query.VLAN, true, "VLAN"}, {query.Observer, false, "OBSERVER"},
	} {
		if dims.Has(c.dim) {
			column(c.right, c.head)
		}
	}
	sent, got := "TO SERVER", "TO CLIENT"
	if by == "host" {
		sent, got = "SENT", "RECEIVED"
	}
	for _, head := range []string{sent, got, "PACKETS", "FLOWS"} {
		column(true, head)
	}
	column(false, "LAST (UTC)")
	for r, err := range rows {
		if err != nil {
			return err
		}
		var cells []string
		if by == "host" {
			cells = append(cells, label(names, flow.Addr(r.Client)))
		}
		if dims.Has(query.Client) {
			cells = append(cells, label(names, flow.Addr(r.Client)))
		}
		if dims.Has(query.Server) {
			cells = append(cells, label(names, flow.Addr(r.Server)))
		}
		if dims.Has(query.Port) {
			cells = append(cells, portText(&r))
		}
		if dims.Has(query.Proto) {
			cells = append(cells, r.Proto.String())
		}
		if dims.Has(query.App) {
			app := appName(r.App)
			if r.App.Guess {
				app += "?"
			}
			cells = append(cells, app)
		}
		if dims.Has(query.VLAN) {
			cells = append(cells, fmt.Sprint(r.VLAN))
		}
		if dims.Has(query.Observer) {
			cells = append(cells, r.Observer)
		}
		t.Rows = append(t.Rows, append(cells, term.Bytes(r.ToServer.Bytes), term.Bytes(r.ToClient.Bytes),
			term.Count(r.Packets()), term.Count(r.Flows), term.Time(r.Last)))
	}
	if len(t.Rows) == 0 {
		if !o.quiet {
			fmt.Fprintln(env.Err, "no flows match")
		}
		return nil
	}
	_, err := t.WriteTo(env.Out)
	return err
}

func portText(r *query.Row) string {
	if !r.Proto.HasPorts() {
		return "-"
	}
	return fmt.Sprint(r.Port)
}

// label is how a table names a host.
func label(names *host.Names, a netip.Addr) string {
	if name := names.Name(a); name != "" {
		return name + " (" + a.String() + ")"
	}
	return a.String()
}

// complete lets the shell complete a flag's words, which stand with commas
// between them.
func complete(cmd *cobra.Command, flag, words string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return strings.Split(words, ", "), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic("BUG: " + err.Error())
	}
}
