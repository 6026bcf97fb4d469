package main

import (
	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/doctorcmd"
	"github.com/raftctl/raftctl/cmd/raftctl/metacmd"
	"github.com/raftctl/raftctl/cmd/raftctl/msgcmd"
	"github.com/raftctl/raftctl/cmd/raftctl/nodecmd"
	"github.com/raftctl/raftctl/cmd/raftctl/snapcmd"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/undocmd"
	"github.com/raftctl/raftctl/cmd/raftctl/walcmd"
)

func newRoot(a *ui.App) *cobra.Command {
	root := &cobra.Command{
		Use:   "raftctl",
		Short: "See into, trust, explain and repair the Raft log of etcd, and its snapshots; run a member on them",
		Long: `raftctl reads the Raft log of etcd 3.4 to 3.7, its database and its snapshots: a data directory, a part
of one, a saved snapshot, or an archive of these. It never changes what it reads, and is safe on the
directory of a running etcd. 'snapshot save', 'snapshot restore' and 'wal repair' make new files, which
you name. Only 'wal repair --in-place' and 'undo' give files that were there other names: the original
is kept, and nothing is done while an etcd runs on it. 'node run' runs a member of a cluster, on files
that are its own; 'node status' asks running ones.`,
		Example: `  raftctl doctor
  raftctl wal repair /var/lib/etcd
  raftctl wal stat /var/lib/etcd
  raftctl wal dump /var/lib/etcd --op delete_range --key /registry/pods/
  raftctl snapshot status /var/lib/etcd --top 20
  raftctl snapshot restore backup.db --data-dir new
  raftctl node run --data-dir new`,
		Version:           metacmd.BuildVersion(),
		Args:              ui.UnknownSubcommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetIn(a.In)
	root.SetOut(helpWriter{a.Text()})
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return ui.Usagef(cmd, "%w", err) })
	root.SetHelpTemplate(root.HelpTemplate() + exitCodesLine)
	root.SetVersionTemplate(metacmd.VersionLine())
	root.SetHelpCommand(newHelp())
	root.AddCommand(walcmd.New(a), snapcmd.New(a), msgcmd.New(a), doctorcmd.New(a), undocmd.New(a), nodecmd.New(a), newExitCodes())
	root.AddCommand(metacmd.New(a)...)
	return root
}
