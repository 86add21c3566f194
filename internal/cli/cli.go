// Package cli is the command line: one file a command.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Exit statuses, as "portolan --help" lists them.
const (
	StatusDone        = 0
	StatusError       = 1
	StatusUsage       = 2
	StatusLoss        = 3
	StatusInterrupted = 130
)

// An Env is what a command touches outside itself.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	Terminal bool // Err is a terminal: progress may be drawn on it
	Version  string
	Date     string // of the build's commit, RFC 3339; "" = unknown
}

// System returns the process's own environment. version and date are what the
// build stamped, or empty.
func System(version, date string) Env {
	if info, ok := debug.ReadBuildInfo(); ok && version == "" {
		version = info.Main.Version
	}
	return Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())),
		Version:  version, Date: date,
	}
}

// A statusError carries the exit status of an error, and a hint what to do.
type statusError struct {
	err    error
	status int
	hint   string
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// usage is an error in how a command was called.
func usage(hint, format string, args ...any) error {
	return &statusError{fmt.Errorf(format, args...), StatusUsage, hint}
}

// hinted adds what to do to err. A nil err stays nil.
func hinted(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &statusError{err, StatusError, hint}
}

// errLoss is returned when a command did its work but something was lost; what
// was lost has been said already.
var errLoss = &statusError{errors.New("done, but with loss"), StatusLoss, ""}

// Run runs the command line args and returns the exit status.
func Run(ctx context.Context, args []string, env Env) int {
	root := newRoot(&env)
	root.SetArgs(args)
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return StatusDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(env.Err, "portolan: interrupted")
		return StatusInterrupted
	}
	if errors.Is(err, errLoss) {
		return StatusLoss
	}
	fmt.Fprintf(env.Err, "portolan: %v\n", err)
	status := StatusError
	if e, ok := errors.AsType[*statusError](err); ok {
		status = e.status
		for line := range strings.Lines(e.hint) {
			fmt.Fprintf(env.Err, "hint: %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
	return status
}

// options are the flags that every command knows.
type options struct {
	store string
	json  bool
	quiet bool
}

func newRoot(env *Env) *cobra.Command {
	var o options
	root := &cobra.Command{
		Use:   "portolan",
		Short: "Chart a network: who depends on which service of whom",
		Long: `Portolan reads network traffic, finds out who talks to whom on which server
port, keeps that in a store of its own, and draws it as an editable chart.`,
		Example: `  portolan read lab.pcap             # flows into the store
  portolan top                       # who talks most to whom
  portolan chart -o flows.drawio     # an editable diagram`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetUsageTemplate(root.UsageTemplate() + `{{if not .HasParent}}
Exit status:
  0    done
  1    error
  2    wrong usage
  3    done, but with loss (files cut or skipped, frames that could not be decoded)
  130  interrupted
{{end}}`)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("see: "+cmd.CommandPath()+" --help", "%w", err)
	})
	flags := root.PersistentFlags()
	flags.StringVar(&o.store, "store", "", "where flows are kept: a folder, mariadb://user:password@host/database, clickhouse://... (default: $PORTOLAN_STORE, else portolan in the user's data folder)")
	flags.BoolVar(&o.json, "json", false, "print JSON, one object a line")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "no progress and no summary")
	root.AddCommand(
		newRead(env, &o), newTop(env, &o), newChart(env, &o), newSQL(env, &o),
		newStore(env, &o), newConfig(env, &o), newRun(env, &o), newStatus(env, &o), newInterfaces(env, &o), newVersion(env, &o),
	)
	return root
}
