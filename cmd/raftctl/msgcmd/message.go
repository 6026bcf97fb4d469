// Package msgcmd holds the commands on what members say to each other: `raftctl message dump` and its like. A verb is
// a file; one that needs several carries its name in front of theirs. All take their events from openSource.
package msgcmd

import (
	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// New returns the noun and its verbs.
func New(a *ui.App) *cobra.Command {
	return ui.NewGroup("message", "Read and explain what members say to each other",
		"Commands on the Raft messages that members exchange, in captures of packets and in recordings.",
		newDump(a), newStat(a), newCheck(a), newDraw(a), newRecord(a), newDecode(a))
}
