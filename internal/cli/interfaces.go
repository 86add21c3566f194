package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/capture/ring"
	"github.com/portolan/portolan/internal/term"
)

// An interfaceLine is a line of "interfaces --json".
type interfaceLine struct {
	Name        string   `json:"name"`
	Kind        string   `json:"kind"`
	Addresses   []string `json:"addresses"`
	Speed       uint64   `json:"speed,omitempty"` // bits a second
	MTU         int      `json:"mtu"`
	Up          bool     `json:"up"`
	Carrier     bool     `json:"carrier"`
	Promiscuous bool     `json:"promiscuous"`
	Default     bool     `json:"default"`
	Master      string   `json:"master,omitempty"`
	Offloads    bool     `json:"offloads"` // frames may stand for many on the wire
	Sees        string   `json:"sees"`
	Mirror      *bool    `json:"mirror,omitempty"` // conversations of others were seen, with --look
}

func newInterfaces(env *Env, o *options) *cobra.Command {
	var look time.Duration
	cmd := &cobra.Command{
		Use:   "interfaces",
		Short: "List what can be captured here, and what each interface sees",
		Long: `Interfaces lists the network interfaces of this host with their addresses and
what a capture on them sees. With --look it captures for a while on each that is
up, and says whether conversations of others come by: that is so at the mirror
port of a switch, and on a virtual switch in promiscuous mode.`,
		Example: "  portolan interfaces\n  sudo portolan interfaces --look 3s",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := ring.Interfaces()
			if err != nil {
				return runError(err)
			}
			sights, err := lookAt(cmd.Context(), all, look)
			if err != nil {
				return runError(err)
			}
			t := term.Table{
				Head:  []string{"INTERFACE", "KIND", "STATE", "SPEED", "ADDRESSES", "SEES"},
				Right: []bool{false, false, false, true, false, false},
			}
			for i := range all {
				line := newInterfaceLine(&all[i], sights[i])
				if o.json {
					if err := printJSON(env.Out, line); err != nil {
						return err
					}
					continue
				}
				t.Rows = append(t.Rows, line.cells())
			}
			if o.json {
				return nil
			}
			_, err = t.WriteTo(env.Out)
			return err
		},
	}
	cmd.Flags().DurationVar(&look, "look", 0, "capture on each interface for so long, and say what comes by")
	return cmd
}

// lookAt captures on all that are up at the same time; without a time it looks
// at none.
func lookAt(ctx context.Context, all []ring.Interface, wait time.Duration) ([]*ring.Sight, error) {
	sights, errs := make([]*ring.Sight, len(all)), make([]error, len(all))
	if wait <= 0 {
		return sights, nil
	}
	var done sync.WaitGroup
	for i := range all {
		if all[i].Up && all[i].Kind != ring.Loopback {
			done.Go(func() {
				s, err := ring.Look(ctx, all[i].Name, wait)
				sights[i], errs[i] = &s, err
			})
		}
	}
	done.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return sights, nil
}

func newInterfaceLine(i *ring.Interface, sight *ring.Sight) interfaceLine {
	l := interfaceLine{
		Name: i.Name, Kind: string(i.Kind), Speed: i.Speed, MTU: i.MTU, Up: i.Up, Carrier: i.Carrier,
		Promiscuous: i.Promiscuous, Default: i.Default, Master: i.Master,
		Offloads: i.Offloads != ring.Offloads{}, Sees: i.Sees(), Addresses: []string{},
	}
	for _, a := range i.Addrs {
		l.Addresses = append(l.Addresses, a.String())
	}
	if sight != nil {
		mirror := sight.Mirror()
		l.Sees, l.Mirror = sight.String(), &mirror
	}
	return l
}

func (l *interfaceLine) cells() []string {
	state := "down"
	switch {
	case l.Up && l.Carrier:
		state = "up"
	case l.Up:
		state = "no carrier"
	}
	for _, word := range []struct {
		say  bool
		text string
	}{{l.Default, "default"}, {l.Promiscuous, "promiscuous"}, {l.Master != "", "part of " + l.Master}} {
		if word.say {
			state += ", " + word.text
		}
	}
	speed := ""
	if l.Speed > 0 {
		speed = fmt.Sprintf("%g Gbit/s", float64(l.Speed)/1e9)
	}
	sees := l.Sees
	if l.Offloads {
		sees += " (frames joined by offloads)"
	}
	return []string{l.Name, l.Kind, state, speed, strings.Join(l.Addresses, " "), sees}
}
