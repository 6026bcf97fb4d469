// Package snapcmd holds the commands on snapshots: `raftctl snapshot save`. A verb is a file; one that
// needs several carries its name in front of theirs.
package snapcmd

import (
	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// New returns the noun and its verbs.
func New(a *ui.App) *cobra.Command {
	return ui.NewGroup("snapshot", "Save snapshots of the state",
		"Commands on snapshots: etcd's database, of a member or saved.",
		newSave(a))
}
