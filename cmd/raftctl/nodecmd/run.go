package nodecmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/node/etcdapi"
	"github.com/raftctl/raftctl/wal"
)

func newRun(a *ui.App) *cobra.Command {
	s := newSettings()
	version := false
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run a member of an etcd cluster",
		Long: `Runs a member: alone, or in a cluster with members of etcd 3.5 to 3.7 and of its own kind. It serves etcd's
API, and keeps its files as etcd does: it starts on what an etcd left, on a directory that was restored or
repaired, and on nothing. The etcd whose release it stands for (--as) starts on what it leaves.

Flags have the names and the meaning that they have in etcd. Each may come from the environment too
(ETCD_NAME for --name, and so on), where the command line doesn't have it. With --config-file or
ETCD_CONFIG_FILE, all settings come from a file, with the keys of etcd's. The names that flags had in
etcd 3.5 and 3.6 (--experimental-…) are taken as well. What etcd has and this member has not is refused,
unless it is asked to be as it is anyway.

The log of what it does goes to stderr, one JSON object a line, with etcd's keys.

Ctrl-C and SIGTERM stop it: it hands leadership to another member, lets requests that are under way end,
and leaves its files whole. A second signal ends it at once, which loses nothing either.`,
		Example: `  raftctl node run
  raftctl node run --name m1 --data-dir /var/lib/etcd
  raftctl node run --data-dir restored --listen-client-urls http://127.0.0.1:22379 \
      --listen-peer-urls http://127.0.0.1:22380
  raftctl node run --config-file /etc/etcd/etcd.conf.yml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				return printVersion(a, s)
			}
			return runMember(cmd.Context(), a, s, cmd.Flags())
		},
	}
	register(cmd.Flags(), s)
	cmd.Flags().BoolVar(&version, "version", false, "print the release of etcd that it stands for")
	cmd.SetUsageFunc(func(cmd *cobra.Command) error { return printUsage(cmd.OutOrStderr(), cmd) })
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if w, ok := f.Value.(word); ok {
			ui.CompleteWith(cmd, f.Name, w.of)
		}
	})
	return cmd
}

// noArguments refuses arguments. What is most often meant by one is the value of a flag that is true or false.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if args[0] == "true" || args[0] == "false" {
		return ui.Usagef(cmd, "unexpected argument %q; write --flag=%s", args[0], args[0])
	}
	return ui.Usagef(cmd, "unexpected argument %q", args[0])
}

// runMember reads the settings, and runs a member until it is told to stop, or can't go on.
func runMember(ctx context.Context, a *ui.App, s *settings, flags *pflag.FlagSet) (err error) {
	from, err := s.read(a, flags)
	if err != nil {
		return err
	}
	if err := s.resolve(a); err != nil {
		return err
	}
	log, files, err := openLog(a, &s.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	if len(from.ignored) > 0 {
		log.Warn("flags are ignored, since there is a config file", "flags", from.ignored, "path", s.configFile)
	}
	for _, words := range deprecatedAmong(from.names, s.node.As) {
		log.Warn(words)
	}
	s.node.Logger, s.serve.Logger = log, log
	if err := s.makeCertificates(); err != nil {
		return err
	}
	s.node.PeerTLS.HandshakeFailure = logRejected(log)
	keyLog, err := s.openKeyLog(log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, keyLog.Close()) }()
	if err := tellFeatures(s, s.node.Metrics); err != nil {
		return err
	}
	return serveMember(ctx, a, s, log)
}

// serveMember opens the ports for clients, starts the member, and serves until it stops. What is wrong with
// the ports is so known before anything is written.
func serveMember(ctx context.Context, a *ui.App, s *settings, log *slog.Logger) error {
	server, err := etcdapi.Listen(s.serve)
	if err != nil {
		return err
	}
	n, err := node.Start(ctx, s.node)
	if err != nil {
		return damaged(a, errors.Join(orStopped(ctx, err), server.Stop(ctx)))
	}
	err = server.Serve(ctx, n)
	if err == nil {
		sayServing(a, s, n, server)
		err = wait(ctx, n, server)
	}
	err = ownReason(n, orStopped(ctx, err))
	stopped := stopMember(s, n, server, log)
	if err == nil || errors.Is(stopped, err) { // why it stopped by itself is what Stop says, too
		return damaged(a, stopped)
	}
	return damaged(a, errors.Join(err, stopped))
}

// orStopped returns what a stop of the member means, where that is why something failed.
func orStopped(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return whyStopped(ctx)
	}
	return err
}

// ownReason returns why a member stopped by itself, where that is why clients aren't served.
func ownReason(n *node.Node, err error) error {
	if !errors.Is(err, etcdapi.ErrNodeStopped) {
		return err
	}
	<-n.Done()
	if own := n.Err(); own != nil {
		return own
	}
	return err
}

// damaged gives an error the status of damage, and tells it, if it is about a file that is damaged.
func damaged(a *ui.App, err error) error {
	if corrupt, ok := errors.AsType[*wal.CorruptError](err); !ok || corrupt == nil {
		return err
	}
	fmt.Fprintf(a.Err, "raftctl node run: %s\n", ui.OneLine(err))
	return ui.ExitError{Status: ui.StatusDamage}
}

// wait returns when the member is to stop, or has stopped by itself.
func wait(ctx context.Context, n *node.Node, server *etcdapi.Server) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-server.Failed():
		return fmt.Errorf("serving clients: %w", err)
	case <-n.Stopping():
		<-n.Done()
		return n.Err()
	}
}

// whyStopped returns nil for SIGTERM, which is how a member is stopped in order; it was interrupted otherwise.
func whyStopped(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil && strings.HasPrefix(cause.Error(), syscall.SIGTERM.String()) {
		return nil
	}
	return ctx.Err()
}

// stopMember lets clients' requests end, and stops the member.
func stopMember(s *settings, n *node.Node, server *etcdapi.Server, log *slog.Logger) error {
	log.Info("closing member", "name", s.node.Name, "data-dir", s.node.DataDir)
	ctx, cancel := context.WithTimeout(context.Background(), n.RequestTimeout())
	defer cancel()
	err := errors.Join(server.Stop(ctx), n.Stop(ctx))
	log.Info("closed member", "name", s.node.Name, "data-dir", s.node.DataDir)
	return err
}

// sayServing tells where the member is found, and what may be typed next.
func sayServing(a *ui.App, s *settings, n *node.Node, server *etcdapi.Server) {
	urls := server.URLs()
	flags := ""
	if encrypted(urls[0]) {
		flags = " --cacert CA.crt"
	}
	fmt.Fprintf(a.Out, "member %x of cluster %x stands for etcd %s\n  clients  %s\n  peers    %s\n  files    %s\n\n",
		n.ID(), n.ClusterID(), n.Version(), strings.Join(urls, ", "), strings.Join(s.node.ListenPeerURLs, ", "),
		ui.Quote(s.node.DataDir))
	fmt.Fprintf(a.Out, "  etcdctl --endpoints %s%s put greeting hello\n  raftctl node status %s%s\n  Ctrl-C stops it\n",
		urls[0], flags, urls[0], flags)
}
