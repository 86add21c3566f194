package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/store/mariadb"
)

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
