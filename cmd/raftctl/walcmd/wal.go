// Package walcmd holds the commands on a log: `raftctl wal dump`, `stat`, `verify` and `repair`. A verb is a file; one
// that needs several carries its name in front of theirs.
package walcmd

import (
	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// New returns the noun and its verbs.
func New(a *ui.App) *cobra.Command {
	return ui.NewGroup("wal", "Read, explain, verify and repair the log",
		"Commands on etcd's write-ahead log, the segments in member/wal.",
		newDump(a), newStat(a), newVerify(a), newRepair(a))
}
