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
	log    string // the file with etcd's own log, "-" for standard input; empty: none
}

// New returns the command.
func New(a *ui.App) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "doctor [PATH…]",
		Short: "Tell what is wrong with one or more members, and what to type next",
		Long: `Makes all checks on one or more members: the log, the .snap files and the database, every byte of them;
whether they fit together; who is a member, by all that tells it; and what etcd does when it is
started on the files, release by release. Several members are also compared with each other.

PATH is a data directory, a part of one, a saved snapshot, or an archive of these. Without one, the etcd
of this machine is looked for: by ETCD_DATA_DIR and ETCD_WAL_DIR, etcd's settings, the manifests of
static pods, and where etcd, kubeadm, OpenShift, Talos, k3s, RKE2, k0s, minikube and MicroK8s have it.
Nothing is written and no lock is taken; what a running etcd holds is checked as far as that is safe,
and told.

With --log, etcd's own log is read too, in any form that it has in a journal or a container: it tells
what the lines mean on which etcd ended or with which it warns, and which finding explains them. Standard
input is read for "--log -" only.

Each check ends in "ok", "problem" or "could not check". Below it stands what was found, what proves it,
what releases of etcd do about it, and the next command to type. What is only worth knowing is left
to -o json. The exit status is that of the worst: 1 for a problem, 3 where something could not be checked.
That etcd is running is no problem.`,
		Example: `  raftctl doctor
  raftctl doctor /var/lib/etcd
  journalctl -u etcd | raftctl doctor /var/lib/etcd --log -
  kubectl logs -n kube-system etcd-node1 --previous | raftctl doctor --log -
  raftctl doctor m1.tar.zst m2.tar.zst m3.tar.zst
  raftctl doctor -o json /var/lib/etcd | jq .findings`,
		Args: o.source.Want(wantedPaths, 0, -1),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if o.log == "" && cmd.Flags().Changed("log") {
				return ui.Usagef(cmd, "--log is empty, want a file or -")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), a, &o, o.source.Paths(args))
		},
	}
	o.source.Register(cmd)
	o.output.Register(cmd)
	cmd.Flags().StringVar(&o.log, "log", "", "read etcd's own log in `FILE` too; - for standard input")
	return cmd
}
