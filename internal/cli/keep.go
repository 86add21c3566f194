package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/config"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/mariadb"
	"github.com/portolan/portolan/internal/term"
)

func newStoreInit(env *Env, o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Make the store: its folder, or its tables in a database",
		Long: `Init makes the store if it is not there: a folder, the tables in a database, and
in MariaDB the database, too, if the user may. Other commands that write do so as
well, but for the database.`,
		Example: "  portolan store init --store mariadb://ntopng:secret@192.168.1.65/ntopng",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			address := storeAddress(env, o)
			if c, err := mariadb.Parse(address); err == nil {
				if err := mariadb.Init(cmd.Context(), c); err != nil {
					return storeError(err)
				}
			} else {
				s, err := openForWriting(cmd.Context(), env, o)
				if err != nil {
					return err
				}
				if err := s.Close(); err != nil {
					return storeError(err)
				}
			}
			if !o.quiet {
				fmt.Fprintf(env.Out, "%s is ready\n", shownAddress(address))
			}
			return nil
		},
	}
}

func newStoreMigrate(env *Env, o *options) *cobra.Command {
	var m mariadb.Migration
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Add Portolan's columns to tables that ntopng made",
		Long: `Migrate makes tables of ntopng such that Portolan can write into them: it adds
columns, makes counters 64 bits wide, and the engine InnoDB. Rows stay as they
are; ntopng's own readers go on working. The server copies each table meanwhile
(a minute for some five million rows). Without migration such tables can be read:
top and chart answer from them.`,
		Example: "  portolan store migrate --dry-run --store mariadb://ntopng:secret@192.168.1.65/ntopng",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := mariadb.Parse(storeAddress(env, o))
			if err != nil {
				return usage("--store mariadb://user:password@host/database", "migrate is for ntopng's tables in MariaDB or MySQL")
			}
			statements, err := mariadb.Migrate(cmd.Context(), c, m)
			if err != nil {
				return storeError(err)
			}
			for _, s := range statements {
				fmt.Fprintf(env.Out, "%s;\n", s)
			}
			if len(statements) == 0 && !o.quiet {
				fmt.Fprintln(env.Out, "nothing to do")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&m.Try, "dry-run", false, "print the statements only")
	cmd.Flags().BoolVar(&m.Partition, "partition", false, "give each day a partition, so that old days can be dropped at once")
	return cmd
}

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
