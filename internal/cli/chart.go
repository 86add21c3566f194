package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/chart"
	"github.com/portolan/portolan/internal/export"
	"github.com/portolan/portolan/internal/host"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/topology"
)

func newChart(env *Env, o *options) *cobra.Command {
	var q question
	var output, format, title string
	var networks []string
	budget := topology.DefaultBudget()
	var linePerPort, multicast bool
	cmd := &cobra.Command{
		Use:   "chart [filter]",
		Short: "Draw who depends on whom as an editable diagram",
		Long: `Chart draws the hosts of the store and what they use of each other. Arrows point
from client to server; a line's label is the server's port. What does not fit a
page is folded: quieter hosts into one box for each network, the Internet into
one box for each direction; the picture says what was folded. Multicast and
link-local traffic, which no host asks of another, is left out.

Formats:
` + formatHelp() + `
The filter is that of "portolan top".`,
		Example: `  portolan chart -o flows.drawio
  portolan chart 'net 192.168.1.0/24 and not port 22' --hosts names.txt -o lab.svg
  portolan chart --format lucid -o lab.csv
  portolan chart --network 10.1.0.0/16=Berlin --network 10.2.0.0/16=Lisbon -o sites.drawio`,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := pickFormat(output, format)
			if err != nil {
				return err
			}
			if budget.Hosts < 1 || budget.Edges < 1 {
				return usage("", "--max-hosts and --max-edges must be at least 1")
			}
			ask, err := q.parse(args)
			if err != nil {
				return err
			}
			ask.By = query.Edge
			names, err := q.names(env, o)
			if err != nil {
				return err
			}
			for _, n := range networks {
				prefix, err := netip.ParsePrefix(strings.TrimSpace(before(n, "=")))
				if err != nil {
					return usage("write 10.1.0.0/16 or 10.1.0.0/16=Berlin", "--network: %w", err)
				}
				names.AddNetwork(prefix, after(n, "="))
			}
			g, err := graph(cmd.Context(), env, o, ask, names)
			if err != nil {
				return err
			}
			if !multicast {
				g = topology.Unicast(g)
			}
			folded := topology.Fold(g, budget)
			opts := export.Options{Title: title, LinePerPort: linePerPort, Made: "Portolan " + env.Version}
			if ask.Filter != nil {
				opts.Filter = ask.Filter.String()
			}
			drawing := chart.Layout(folded, chart.Options{Title: title, Filter: opts.Filter, Made: opts.Made})
			write := func(w io.Writer) error { return f.Write(w, folded, &drawing, opts) }
			if output == "" || output == "-" {
				return write(env.Out)
			}
			if err := writeFile(output, write); err != nil {
				return err
			}
			if !o.quiet {
				fmt.Fprintf(env.Err, "%s: %s, %d hosts, %d edges\n", output, f.Name, len(folded.Hosts), len(folded.Edges))
			}
			return nil
		},
	}
	q.flags(cmd)
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", "", "file to write; its name's ending chooses the format; - or none = standard output")
	f.StringVar(&format, "format", "", "format: "+formatWords())
	f.StringVar(&title, "title", "Network flows", "title of the picture")
	f.StringArrayVar(&networks, "network", nil, "network that gets a container of its own, CIDR or CIDR=title (repeatable; default: each /24 and /64)")
	f.IntVar(&budget.Hosts, "max-hosts", budget.Hosts, "boxes on a page at the most; the rest is folded")
	f.IntVar(&budget.Edges, "max-edges", budget.Edges, "lines on a page at the most; the rest is folded")
	f.BoolVar(&multicast, "multicast", false, "draw multicast, broadcast and link-local traffic, too")
	f.BoolVar(&linePerPort, "line-per-port", false, "CSV formats: one line for each port instead of one for each pair of hosts")
	complete(cmd, "format", formatWords())
	return cmd
}

// graph asks the store for edges and makes the graph of them.
func graph(ctx context.Context, env *Env, o *options, ask query.Query, names *host.Names) (*topology.Graph, error) {
	s, err := openForReading(ctx, env, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return topology.New(s.Top(ctx, ask), names)
}

func formatHelp() string {
	var b strings.Builder
	for _, f := range export.Formats() {
		fmt.Fprintf(&b, "  %-12s %-10s %s\n", f.Name, f.Ext, f.Help)
	}
	return b.String()
}

func formatWords() string {
	var names []string
	for _, f := range export.Formats() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// pickFormat chooses by --format, else by the output's name.
func pickFormat(output, name string) (export.Format, error) {
	var f export.Format
	var err error
	switch {
	case name != "":
		f, err = export.ByName(name)
	case output == "" || output == "-":
		err = errors.New("standard output has no name that tells the format")
	default:
		f, err = export.ByPath(output)
	}
	if err != nil {
		return f, usage("--format has: "+formatWords(), "%w", err)
	}
	return f, nil
}

// writeFile writes path whole or not at all: a file beside it takes the bytes
// and is renamed at the end.
func writeFile(path string, write func(io.Writer) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return hinted(err, "is the folder there, and may you write into it?")
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	w := bufio.NewWriter(tmp)
	if err := errors.Join(write(w), w.Flush()); err != nil {
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

func before(s, sep string) string { b, _, _ := strings.Cut(s, sep); return b }
func after(s, sep string) string  { _, a, _ := strings.Cut(s, sep); return a }
