package cli

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/l7/ndpi"
	"github.com/portolan/portolan/internal/store/parquet"
)

func newVersion(env *Env, o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Say which version this is, and what is built in",
		Example: "  portolan version --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := struct {
				Version string   `json:"version"`
				Date    string   `json:"date,omitempty"`
				Go      string   `json:"go"`
				System  string   `json:"system"`
				Has     []string `json:"has"`
				Lacks   []string `json:"lacks,omitempty"`
			}{Version: env.Version, Date: env.Date, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
			v.Has = []string{"capture files", "live capture", "stores: parquet, mariadb, clickhouse"}
			if ndpi.Available {
				v.Has = append(v.Has, "nDPI "+ndpi.Version())
			} else {
				v.Lacks = append(v.Lacks, "nDPI (built without cgo or without tag ndpi): our own recognisers tell applications")
			}
			if parquet.HasSQL {
				v.Has = append(v.Has, "duckdb")
			} else {
				v.Lacks = append(v.Lacks, "duckdb (built without cgo or with tag no_duckdb): no \"portolan sql\", slower questions")
			}
			if o.json {
				return printJSON(env.Out, v)
			}
			fmt.Fprintf(env.Out, "portolan %s\n", v.Version)
			if v.Date != "" {
				fmt.Fprintf(env.Out, "of       %s\n", v.Date)
			}
			fmt.Fprintf(env.Out, "built    %s %s\nhas      %s\n", v.Go, v.System, strings.Join(v.Has, ", "))
			if len(v.Lacks) > 0 {
				fmt.Fprintf(env.Out, "lacks    %s\n", strings.Join(v.Lacks, ", "))
			}
			return nil
		},
	}
}

// noArgs is cobra.NoArgs with our exit status.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("see: "+cmd.CommandPath()+" --help", "%s takes no argument: found %q", cmd.CommandPath(), args[0])
	}
	return nil
}
