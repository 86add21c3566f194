package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/config"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/clickhouse"
	"github.com/portolan/portolan/internal/store/drivers"
	"github.com/portolan/portolan/internal/store/mariadb"
	"github.com/portolan/portolan/internal/store/parquet"
	"github.com/portolan/portolan/internal/term"
)

// storeAddress is where the store is: a folder, or the URL of a database.
func storeAddress(env *Env, o *options) string {
	return cmp.Or(o.store, env.Getenv("PORTOLAN_STORE"), dataFolder(env))
}

// dataFolder is the user's folder for what portolan keeps.
func dataFolder(env *Env) string {
	if data := env.Getenv("XDG_DATA_HOME"); data != "" {
		return filepath.Join(data, "portolan")
	}
	return filepath.Join(env.Getenv("HOME"), ".local", "share", "portolan")
}

// shownAddress is the store's address without its password.
func shownAddress(address string) string {
	if _, ok := drivers.IsFolder(address); ok {
		return address
	}
	s, err := config.ParseStore(address)
	if err != nil {
		return "the database"
	}
	return s.String()
}

// homeFolder is where what is known beside flows lies: in the store, if that is
// a folder.
func homeFolder(env *Env, o *options) string {
	if folder, ok := drivers.IsFolder(storeAddress(env, o)); ok {
		return folder
	}
	return dataFolder(env)
}

// openForReading opens the store for questions, and says what of it was set
// aside.
func openForReading(ctx context.Context, env *Env, o *options) (store.Store, error) {
	address := storeAddress(env, o)
	if folder, ok := drivers.IsFolder(address); ok {
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			return nil, &statusError{fmt.Errorf("there is no store in %s", folder), StatusError, "portolan read lab.pcap makes one; --store names another"}
		}
	}
	s, err := drivers.Open(ctx, address, drivers.Options{ReadOnly: true})
	if err != nil {
		return nil, storeError(err)
	}
	if stats, err := s.Stats(ctx); err == nil && !o.quiet {
		for _, a := range stats.Aside {
			fmt.Fprintf(env.Err, "portolan: %s is set aside: %s\n", a.File, a.Why)
		}
	}
	return s, nil
}

func openForWriting(ctx context.Context, env *Env, o *options) (store.Store, error) {
	s, err := drivers.Open(ctx, storeAddress(env, o), drivers.Options{})
	return s, storeError(err)
}

// storeError adds to an error of the store what to do about it.
func storeError(err error) error {
	// What a server says comes first: its errors may wrap those of files.
	if e, ok := errors.AsType[*mariadb.Error](err); ok {
		return hinted(err, e.Hint)
	}
	if e, ok := errors.AsType[*clickhouse.Error](err); ok {
		return hinted(err, e.Hint)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNewer):
		return hinted(err, "use the newer portolan, or --store with another folder")
	case errors.Is(err, store.ErrNotStore):
		return hinted(err, "--store takes an empty or new folder, or one that portolan made")
	case errors.Is(err, parquet.ErrLocked):
		return hinted(err, "wait until the other has ended, or write to another folder with --store")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return hinted(err, "free some space and read the file again; nothing of it counts twice")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS),
		errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrNotExist):
		return hinted(err, "may you write there? --store or $PORTOLAN_STORE names another folder")
	}
	return err
}

// sqlError adds to an error of a SQL statement what to do about it.
func sqlError(err error) error {
	if errors.Is(err, parquet.ErrNoSQL) {
		return hinted(err, "build with cgo and without the tag no_duckdb, or ask with: portolan top")
	}
	return hinted(err, "portolan sql \"show tables\" says what there is; the store can only be read")
}

func newStore(env *Env, o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "store",
		Short:   "Look after the flow store",
		Example: "  portolan store status",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newStoreInit(env, o), newStoreStatus(env, o), newStoreMigrate(env, o), newStorePrune(env, o), newStoreCopy(env, o))
	return cmd
}

func newStoreStatus(env *Env, o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Say what the store holds, and what was lost on the way there",
		Example: "  portolan store status --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := openForReading(cmd.Context(), env, o)
			if err != nil {
				return err
			}
			defer s.Close()
			stats, err := s.Stats(cmd.Context())
			if err != nil {
				return storeError(err)
			}
			if o.json {
				return printJSON(env.Out, stats)
			}
			fmt.Fprintf(env.Out, "store    %s\nrecords  %s\n", shownAddress(storeAddress(env, o)), term.Count(stats.Records))
			if stats.Files > 0 {
				fmt.Fprintf(env.Out, "files    %s\n", term.Count(uint64(stats.Files)))
			}
			if stats.Bytes > 0 {
				fmt.Fprintf(env.Out, "on disk  %s\n", term.Bytes(stats.Bytes))
			}
			if stats.Records > 0 {
				fmt.Fprintf(env.Out, "from     %s UTC\nto       %s UTC\n", term.Time(stats.Span.Start), term.Time(stats.Span.End))
			}
			for l, err := range s.Losses(cmd.Context(), flow.Span{}) {
				if err != nil {
					return storeError(err)
				}
				fmt.Fprintf(env.Out, "lost     %s %s at %s: %s\n", term.Count(l.Count), l.Unit, l.Where, term.Safe(l.Reason))
			}
			return nil
		},
	}
}
