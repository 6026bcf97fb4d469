package snapcmd

import ("github.com/spf13/cobra"; "github.com/raftctl/raftctl/cmd/raftctl/ui")
func newDiff(a *ui.App) *cobra.Command { return &cobra.Command{Use:"diff"} }
