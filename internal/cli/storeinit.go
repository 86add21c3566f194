package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/store/mariadb"
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
