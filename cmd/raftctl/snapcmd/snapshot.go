// Package snapcmd holds the commands on snapshots and databases: `raftctl snapshot list`, `status`,
// `verify`, `dump`, `diff`, `save` and `restore`. A verb is a file; one that needs several carries its name in
// front of theirs.
package snapcmd

import (
	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// New returns the noun and its verbs.
func New(a *ui.App) *cobra.Command {
	return ui.NewGroup("snapshot", "Look into, verify, compare, save and restore snapshots of the state",
		"Commands on the state of etcd: its database, of a member or saved, and its .snap files.",
		newList(a), newStatus(a), newVerify(a), newDump(a), newDiff(a), newSave(a), newRestore(a))
}
