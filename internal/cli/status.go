package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/daemon"
	"github.com/portolan/portolan/internal/term"
)

// defaultListen is where a daemon answers unless it was told otherwise.
const defaultListen = "127.0.0.1:9119"

const (
	statusWithin = 5 * time.Second
	statusBytes  = 4 << 20
)

func newStatus(env *Env, o *options) *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how a running capture goes: packets, drops, flows, rate, store lag",
		Long: `Status asks the "portolan run" that answers at --listen how it goes. The exit
status is 3 if packets or flows were lost since its start.`,
		Example: "  portolan status\n  portolan status --json --listen 127.0.0.1:9120",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := askStatus(cmd.Context(), address)
			if err != nil {
				return hinted(err, "is portolan run running? its --listen says where it answers; give --listen here, too")
			}
			if o.json {
				return printJSON(env.Out, s)
			}
			return sayStatus(env, s)
		},
	}
	cmd.Flags().StringVar(&address, "listen", defaultListen, "where the capture answers: host:port")
	return cmd
}

func askStatus(ctx context.Context, address string) (*daemon.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, statusWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/status", nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{Transport: &http.Transport{Proxy: nil}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", address, resp.Status)
	}
	var s daemon.Status
	if err := json.NewDecoder(io.LimitReader(resp.Body, statusBytes)).Decode(&s); err != nil {
		return nil, fmt.Errorf("%s is no portolan: %w", address, err)
	}
	return &s, nil
}

func sayStatus(env *Env, s *daemon.Status) error {
	fmt.Fprintf(env.Out, "portolan %s, process %d, runs for %s, stores in %s\n", term.Safe(s.Version), s.PID, s.Now.Sub(s.Started).Round(time.Second), term.Safe(s.Store))
	t := term.Table{
		Head:  []string{"INTERFACE", "STATE", "PACKETS", "RATE", "DROPPED", "NOT IP", "UNDECODED", "FLOWS", "LIVE"},
		Right: []bool{false, false, true, true, true, true, true, true, true},
	}
	var lost uint64
	for i := range s.Sources {
		f := &s.Sources[i]
		var undecoded uint64
		for _, n := range f.Undecoded {
			undecoded += n
		}
		lost += f.Lost()
		t.Rows = append(t.Rows, []string{
			term.Safe(f.Interface), f.State, term.Count(f.Kernel),
			fmt.Sprintf("%s/s, %s/s", term.Count(uint64(f.PacketRate)), term.Bytes(uint64(f.ByteRate))),
			term.Count(f.Drops + f.Card), term.Count(f.NotIP), term.Count(undecoded),
			term.Count(f.Flows), term.Count(uint64(f.Live)),
		})
	}
	if _, err := t.WriteTo(env.Out); err != nil {
		return err
	}
	q := &s.Queue
	fmt.Fprintf(env.Out, "store: %s records written, %s wait in memory, %s on the disk (%s), lag %s\n",
		term.Count(q.Written), term.Count(uint64(q.InMemory)), term.Count(q.OnDisk), term.Bytes(uint64(q.Bytes)), q.Lag.Round(time.Second))
	if q.Trouble != "" {
		fmt.Fprintf(env.Out, "store: takes no flows: %s\n", term.Safe(q.Trouble))
	}
	for i := range s.Sources {
		f := &s.Sources[i]
		for _, reason := range slices.Sorted(maps.Keys(f.Undecoded)) {
			fmt.Fprintf(env.Out, "%s: %s packets not decoded: %s\n", term.Safe(f.Interface), term.Count(f.Undecoded[reason]), term.Safe(reason))
		}
	}
	if q.Dropped > 0 {
		fmt.Fprintf(env.Out, "store: %s records lost\n", term.Count(q.Dropped))
	}
	if lost > 0 || q.Dropped > 0 {
		return errLoss
	}
	return nil
}
