// Package metacmd holds the commands about raftctl itself: version, completion and man.
package metacmd

import (
	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// New returns the commands.
func New(a *ui.App) []*cobra.Command {
	return []*cobra.Command{newVersion(a), newCompletion(a), newMan(a)}
}
