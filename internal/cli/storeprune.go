package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/config"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/term"
)

func newStorePrune(env *Env, o *options) *cobra.Command {
	var raw, rollUp, size string
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Forget what is old, and tidy up",
		Long: `Prune drops flows that ended longer ago than --raw, and hourly and daily sums that
are older than --roll-up, or as much of the oldest as is above --size. Whole files
or partitions go, never single rows. "portolan run" does so by itself.`,
		Example: "  portolan store prune --raw 30d --roll-up 1y\n  portolan store prune --size 20G",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := policy(raw, rollUp, size)
			if err != nil {
				return err
			}
			s, err := openForWriting(cmd.Context(), env, o)
			if err != nil {
				return err
			}
			pruned, err := prune(cmd, s, p)
			if err = errors.Join(err, s.Close()); err != nil {
				return storeError(err)
			}
			if o.json {
				return printJSON(env.Out, pruned)
			}
			if !o.quiet {
				fmt.Fprintf(env.Out, "dropped %s files or partitions", term.Count(uint64(pruned.Parts)))
				if pruned.Bytes > 0 {
					fmt.Fprintf(env.Out, ", %s", term.Bytes(pruned.Bytes))
				}
				fmt.Fprintln(env.Out)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&raw, "raw", "forever", "age at which flows go: 12h, 30d, 1y")
	f.StringVar(&rollUp, "roll-up", "forever", "age at which hourly and daily sums go")
	f.StringVar(&size, "size", "none", "size of the store above which the oldest go")
	return cmd
}

// policy reads what may be forgotten.
func policy(raw, rollUp, size string) (p store.Policy, err error) {
	if p.Raw, err = config.ParseAge(raw); err != nil {
		return p, usage("12h, 30d, 1y, forever", "--raw: %w", err)
	}
	if p.RollUp, err = config.ParseAge(rollUp); err != nil {
		return p, usage("12h, 30d, 1y, forever", "--roll-up: %w", err)
	}
	limit, err := config.ParseSize(size)
	if err != nil {
		return p, usage("20G, 500MiB, none", "--size: %w", err)
	}
	p.Size = uint64(limit)
	if p == (store.Policy{}) {
		return p, usage("portolan store prune --raw 30d", "prune needs --raw, --roll-up or --size")
	}
	return p, nil
}

func prune(cmd *cobra.Command, s store.Store, p store.Policy) (store.Pruned, error) {
	if c, ok := s.(store.Compacter); ok {
		if err := c.Compact(cmd.Context()); err != nil {
			return store.Pruned{}, err
		}
	}
	pruner, ok := s.(store.Pruner)
	if !ok {
		return store.Pruned{}, errors.New("this kind of store cannot forget yet")
	}
	return pruner.Prune(cmd.Context(), p, time.Now())
}
