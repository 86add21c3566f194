package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/capture/bpf"
	"github.com/portolan/portolan/internal/config"
	"github.com/portolan/portolan/internal/packet"
	"github.com/portolan/portolan/internal/store/clickhouse"
	"github.com/portolan/portolan/internal/store/mariadb"
	"github.com/portolan/portolan/internal/term"
)

func newConfig(env *Env, o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Show and check the configuration of the daemon",
		Example: "  portolan config show\n  portolan config check /etc/portolan/portolan.yaml",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigShow(env, o), newConfigCheck(env, o))
	return cmd
}

// newLoader returns what loads the configuration of the daemon.
func newLoader(env *Env) *config.Loader {
	l := config.NewLoader(env.Getenv)
	l.CheckFilter = func(expression string) error {
		_, err := bpf.Compile(expression, packet.LinkEthernet, 0)
		return err
	}
	l.CheckStore = func(s config.StoreURL) error {
		var err error
		switch s.Kind() {
		case "mariadb":
			_, err = mariadb.Parse(s.Reveal())
		case "clickhouse":
			_, err = clickhouse.Parse(s.Reveal())
		}
		return err
	}
	return l
}

func newConfigShow(env *Env, o *options) *cobra.Command {
	loader := newLoader(env)
	cmd := &cobra.Command{
		Use:   "show [FILE] [flags of portolan run]",
		Short: "Print each setting, and where it came from",
		Long: `Show prints every setting as "portolan run" with the same arguments would take
it, and where it came from: a flag, an environment variable, a line of the
configuration file, or the default. Passwords are hidden.

FILE is a configuration file, YAML or ntopng's, as --config names it. The
options of ntopng are understood here as in "portolan run"; notes say what became
of those that mean nothing to Portolan.`,
		Example: `  portolan config show
  portolan config show --json --interface eth0 --store /srv/flows
  portolan config show /etc/ntopng/ntopng.conf`,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := loader.Args(args); err != nil {
				return configError(err)
			}
			loaded, err := loader.Load()
			if err != nil {
				return configError(err)
			}
			if !o.quiet {
				sayNotes(env, loaded.Notes)
			}
			return showConfig(env, o, loaded)
		},
	}
	loader.Flags(cmd.Flags())
	return cmd
}

func showConfig(env *Env, o *options, loaded *config.Loaded) error {
	table := term.Table{Head: []string{"setting", "value", "from"}}
	for _, v := range loaded.Values() {
		if o.json {
			if err := printJSON(env.Out, v); err != nil {
				return err
			}
			continue
		}
		table.Rows = append(table.Rows, []string{v.Key, v.Text, v.Origin})
	}
	if o.json {
		return nil
	}
	_, err := table.WriteTo(env.Out)
	return err
}

func newConfigCheck(env *Env, o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Check configuration files",
		Long: `Check reads configuration files, YAML or ntopng's, and says all that is wrong
with them, with file, line and column. The environment does not count.`,
		Example: "  portolan config check /etc/portolan/portolan.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("portolan config check "+config.DefaultFile, "config check takes at least one file")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			loader := newLoader(env)
			var errs []error
			for _, file := range args {
				loaded, err := loader.CheckFile(file)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				if !o.quiet {
					sayNotes(env, loaded.Notes)
					fmt.Fprintf(env.Out, "%s: right\n", file)
				}
			}
			return configError(errors.Join(errs...))
		},
	}
}

// sayNotes prints what became of settings that could not be taken as they are.
func sayNotes(env *Env, notes []config.Note) {
	for _, n := range notes {
		fmt.Fprintf(env.Err, "note: %s\n", term.Safe(n.String()))
	}
}

// configError makes an error of the configuration one for people: a line for
// each thing that is wrong. It is wrong usage if the command line is at fault.
func configError(err error) error {
	if err == nil {
		return nil
	}
	status := StatusError
	if e, ok := errors.AsType[*config.Error](err); ok && e.Origin.Layer == config.Flag {
		status = StatusUsage
	}
	lines := strings.Split(err.Error(), "\n")
	return &statusError{configErrors{strings.Join(lines, "\nportolan: "), err}, status, config.Hint(err)}
}

// configErrors prints as text what err is.
type configErrors struct {
	text string
	err  error
}

func (e configErrors) Error() string { return e.text }
func (e configErrors) Unwrap() error { return e.err }
