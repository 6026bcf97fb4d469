// Package doctorcmd holds the command `raftctl doctor`.
package doctorcmd

import (
	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
)

// wantedPaths is what the command takes.
const wantedPaths = "a data directory, a database, a .snap file, a segment or an archive"

var pathErr = paths.Wanted{Paths: wantedPaths, Else: func(datadir.Content) string { return "" }}

type options struct {
	source paths.Options
	output ui.Output
}

// New returns the command.
func New(a *ui.App) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "doctor PATH…",
		Short: "Tell what is wrong with one or more members, and what to type next",
		Long: `Makes all checks on one or more members: the log, the .snap files and the database, every byte of them;
whether they fit together; who is a member, by all that tells it; and what etcd does when it is
started on the files, release by release. Several members are also compared with each other.

PATH is a data directory, a part of one, a saved snapshot, or an archive of these. Nothing is written
and no lock is taken; what a running etcd holds is checked as far as that is safe, and told.

Each check ends in "ok", "problem" or "could not check". Below it stands what was found, what proves it,
what releases of etcd do about it, and the next command to type. What is only worth knowing is left
to -o json. The exit status is that of the worst: 1 for a problem, 3 where something could not be checked.`,
		Example: `  raftctl doctor /var/lib/etcd
  raftctl doctor m1.tar.zst m2.tar.zst m3.tar.zst
  raftctl doctor -o json /var/lib/etcd | jq .findings`,
		Args: o.source.Want(wantedPaths, 1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), a, &o, o.source.Paths(args))
		},
	}
	o.source.Register(cmd)
	o.output.Register(cmd)
	return cmd
}
