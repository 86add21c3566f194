package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/capture/ring"
	"github.com/portolan/portolan/internal/config"
	"github.com/portolan/portolan/internal/daemon"
)

func newRun(env *Env, o *options) *cobra.Command {
	loader := newLoader(env)
	cmd := &cobra.Command{
		Use:   "run [FILE]",
		Short: "Capture from interfaces into the store until stopped",
		Long: `Run captures packets from network interfaces, finds out who talks to whom and
what, and writes flows into the store until it is stopped (Ctrl-C, SIGTERM).
Without --interface it takes that of the default route.

FILE is a configuration file, YAML or ntopng's own; ntopng's options are
understood on the command line, too. "portolan config show" says each setting and
where it came from. SIGHUP reads the configuration anew.

Meanwhile "portolan top" and "portolan chart" answer from the same store, and
"portolan status" says how the capture goes. Capturing needs rights: root, or
CAP_NET_RAW and CAP_NET_ADMIN.`,
		Example: `  sudo portolan run -i ens192
  sudo portolan run -i ens192 -i ens224 --filter 'not port 22'
  sudo portolan run -i ens192 --store mariadb://ntopng:secret@192.168.1.65/ntopng
  sudo portolan run /etc/ntopng/ntopng.conf`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := loader.Args(args); err != nil {
				return configError(err)
			}
			cfg, err := loader.Load()
			if err != nil {
				return configError(err)
			}
			if !o.quiet {
				sayNotes(env, cfg.Notes)
			}
			var level slog.LevelVar
			level.Set(cfg.Log.Level)
			return runError(daemon.Run(cmd.Context(), cfg, daemon.Options{
				Version: env.Version, Log: newLog(env, cfg, &level), Level: &level,
				Reload: loader.Load,
				Ready: func(s daemon.Status) {
					if !o.quiet {
						sayReady(env, cfg, s)
					}
				},
			}))
		},
	}
	loader.Flags(cmd.Flags())
	return cmd
}

func newLog(env *Env, cfg *config.Loaded, level *slog.LevelVar) *slog.Logger {
	o := slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(env.Err, &o))
	}
	return slog.New(slog.NewTextHandler(env.Err, &o))
}

func sayReady(env *Env, cfg *config.Loaded, s daemon.Status) {
	names := make([]string, len(s.Sources))
	for i, f := range s.Sources {
		names[i] = f.Interface
	}
	fmt.Fprintf(env.Out, "capturing %s into %s; stop with Ctrl-C\n", strings.Join(names, ", "), s.Store)
	store := ""
	if cfg.Origin("store").Layer != config.Default {
		store = " --store " + s.Store
	}
	fmt.Fprintf(env.Out, "meanwhile:  portolan top%s    portolan chart%s -o flows.drawio", store, store)
	if cfg.Listen != "" {
		fmt.Fprintf(env.Out, "    portolan status")
	}
	fmt.Fprintln(env.Out)
}

// runError adds to an error of the daemon what to do about it.
func runError(err error) error {
	if e, ok := errors.AsType[*ring.Error](err); ok && e.Hint != "" {
		return hinted(err, e.Hint)
	}
	return storeError(err)
}
