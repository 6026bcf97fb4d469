// Package nodecmd holds the commands below `raftctl node`, a file each.
package nodecmd

import (
	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// New returns the command that the others are below.
func New(a *ui.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Run a member of an etcd cluster on its files, or ask members how they are",
		Args:  ui.UnknownSubcommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRun(a), newStatus(a))
	return cmd
}
