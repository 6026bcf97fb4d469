package snapcmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/repair/restore"
	"github.com/raftctl/raftctl/repair/staging"
)

type restoreOptions struct {
	fromMember string
	dataDir    string
	walDir     string
	all        string
	name       string
	cluster    string
	token      string
	advertise  string
	as         string
	bump       bump
	replay     replayFlags

	markCompacted bool
	clearAlarms   bool
	skipHash      bool
	skipVerify    bool
	dryRun        bool
	output        ui.Output
}

// The defaults, which are etcdutl's.
const (
	defaultName    = "default"
	defaultPeerURL = "http://localhost:2380"
	defaultToken   = "etcd-cluster"
)

func newRestore(a *ui.App) *cobra.Command {
	var o restoreOptions
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make data directories of a new cluster from a backup",
		Long: `Makes the data directory of a member of a new cluster, from which a real etcd starts, out of a database:
FILE is a file of snapshot save, of raftctl or etcdctl, which may be compressed with zstd, gzip, s2 or
snappy, or a member's member/snap/db, which takes --skip-hash-check since it has no sha256 behind it.
--from-member DIR takes a data directory, such as a dead member's disk: its database, and what its log has
beyond that. What is restored from is never written to.

--wal PATH replays a log onto the backup, from the last entry that the backup has applied: a data directory,
a wal directory, a segment or an archive, of any member of the same cluster. With several of them, each
entry is taken from one that has it intact; that all are there, that they fit together, and that they are
of the backup's cluster is checked before anything is written. --until says where to stop:
  end                       behind the last entry that is known to be committed (the default)
  index=N, term=N           behind entry N, or the last entry of term N
  revision=N                when the keys have come to revision N
  before-delete=KEY|PREFIX  before the last entry that deleted KEY or, if none did, a key that begins so,
                            also in a transaction or with a lease; earlier ones are listed
  time=RFC3339              behind the last entry that was written by then, as Kubernetes' leases and the like
                            tell; if that is not known within --time-slack, nothing is restored
Keys, leases, users, roles, alarms and compaction become what they were; what entries say about members and
versions of the old cluster changes nothing.

Flags that etcdutl has mean the same here, and the result is what etcdutl makes: the same IDs, log and
buckets. The members can be restored one by one, on several machines, with the same --initial-cluster and
--initial-cluster-token; or all at once, with --all.

Keys and their history, leases, users and roles are restored; the old cluster's members are not, and
alarms stay raised unless --clear-alarms is given. Clients must not see a revision go back: give
--bump-revision N and --mark-compacted, N being more than the writes that the backup lacks, where they
keep what they have read, as Kubernetes does. With a log, auto is the least that is safe as far as the log
tells: what the entries behind the last one that was replayed may have made.

Everything is checked first; --dry-run ends there, and nothing is written. Then the result is made in a
folder beside it, DIR.restoring-…, and gets its name when it is whole, synced and checked. The folder is
removed however the command ends, short of kill -9 or a power cut. The sha256 of FILE is compared; where there is
none, or it isn't wanted, every page of the database is checked instead. Disk space is asked for before.`,
		Example: `  raftctl snapshot restore backup.db --data-dir /var/lib/etcd
  raftctl snapshot restore backup.db --all restored \
      --initial-cluster m1=http://10.0.0.1:2380,m2=http://10.0.0.2:2380,m3=http://10.0.0.3:2380
  raftctl snapshot restore backup.db.zst --data-dir new --bump-revision 1000000 --mark-compacted
  raftctl snapshot restore --from-member /mnt/dead/etcd --data-dir new     # its disk is all there is
  raftctl snapshot restore backup.db --wal /mnt/dead/etcd --until before-delete=/registry/pods/shop/ \
      --data-dir new --rehearse
  raftctl snapshot restore backup.db --data-dir new --dry-run -o json`,
		Args:    o.wantFile,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.check(cmd) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRestore(cmd, a, &o, args)
		},
	}
	o.register(cmd)
	return cmd
}

func (o *restoreOptions) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.fromMember, "from-member", "", "restore the database of a data directory `DIR`, in the place of FILE")
	f.StringVar(&o.dataDir, "data-dir", "", "the data directory to make; it may exist if it is empty (default NAME.etcd)")
	f.StringVar(&o.walDir, "wal-dir", "", "make the log in `DIR`, which must not exist (default: in the data directory)")
	f.StringVar(&o.all, "all", "", "make the data directories of all members of --initial-cluster, as `DIR`/NAME")
	f.StringVar(&o.name, "name", defaultName, "the member's name")
	f.StringVar(&o.cluster, "initial-cluster", defaultName+"="+defaultPeerURL,
		"the members and their peer URLs, NAME=URL,NAME=URL")
	f.StringVar(&o.token, "initial-cluster-token", defaultToken, "what the IDs are made of besides the peer URLs")
	f.StringVar(&o.advertise, "initial-advertise-peer-urls", defaultPeerURL, "this member's peer URLs, as in --initial-cluster")
	f.StringVar(&o.as, "as", "", "make what etcd `RELEASE` writes: 3.5, 3.6 or 3.7 (default: that of the backup)")
	f.Var(&o.bump, "bump-revision", "let the revision grow by this much, or by what log and backup tell")
	f.BoolVar(&o.markCompacted, "mark-compacted", false,
		"end watches from before the restore; goes with --bump-revision")
	f.BoolVar(&o.clearAlarms, "clear-alarms", false, "take back the alarms that the old cluster raised")
	f.BoolVar(&o.skipHash, "skip-hash-check", false, "don't compare the sha256 of FILE, and take one without")
	f.BoolVar(&o.skipVerify, "skip-verify", false, "restore a database that is damaged, too: its pages are not checked")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the plan, and write nothing")
	f.Uint64("initial-memory-map-size", 0,
		"taken for etcdutl's sake, without effect: the database is edited without mapping room for it to grow")
	o.replay.register(cmd)
	o.output.Register(cmd)
	ui.CompleteWith(cmd, "as", releaseNames())
}

func releaseNames() (names []string) {
	for _, r := range restore.Releases() {
		names = append(names, r.String())
	}
	return names
}

func (o *restoreOptions) wantFile(cmd *cobra.Command, args []string) error {
	switch {
	case o.fromMember != "" && len(args) > 0:
		return ui.Usagef(cmd, "FILE and --from-member: give one of them")
	case o.fromMember == "" && (len(args) == 0 || args[0] == ""):
		return ui.Usagef(cmd, "FILE is missing: the backup to restore")
	case len(args) > 1:
		return ui.Usagef(cmd, "unexpected argument %q", args[1])
	}
	return nil
}

// check decides what the flags mean. Nothing is opened yet.
func (o *restoreOptions) check(cmd *cobra.Command) error {
	if o.all != "" {
		for _, one := range []string{"data-dir", "wal-dir", "name", "initial-advertise-peer-urls"} {
			if cmd.Flags().Changed(one) {
				return ui.Usagef(cmd, "--%s is about one member, and --all restores every one", one)
			}
		}
	}
	if o.as != "" {
		if _, err := restore.ParseRelease(o.as); err != nil {
			return ui.Usagef(cmd, "--as: %w", err)
		}
	}
	if err := o.replay.check(cmd, o.replays()); err != nil {
		return err
	}
	switch {
	case o.bump.isSet() != o.markCompacted:
		return ui.Usagef(cmd, "--bump-revision and --mark-compacted go together: a watch would otherwise "+
			"go on over the gap as if nothing had been lost")
	case o.bump.auto && !o.replays():
		return ui.Usagef(cmd, "--bump-revision auto needs a log to count in: --wal PATH; or give a number")
	case o.fromMember != "" && o.skipHash:
		return ui.Usagef(cmd, "--skip-hash-check is about FILE: a member's own database has no sha256")
	}
	return nil
}

// makeCluster reads the flags about the new cluster.
func (o *restoreOptions) makeCluster(cmd *cobra.Command) (*restore.Cluster, error) {
	c, err := restore.ParseCluster(o.cluster, o.token)
	if err != nil {
		return nil, ui.Usagef(cmd, "--initial-cluster: %w", err)
	}
	if o.all != "" {
		return c, nil
	}
	if err := c.CheckAdvertised(cmd.Context(), o.name, o.advertise); err != nil {
		return nil, ui.Usagef(cmd, "%w", err)
	}
	return c, nil
}

// targets are the directories to make.
func (o *restoreOptions) targets(a *ui.App, c *restore.Cluster) (list []restore.Target, err error) {
	if o.all == "" {
		dir := o.dataDir
		if dir == "" {
			dir = o.name + ".etcd"
		}
		t := restore.Target{Name: o.name, DataDir: a.Path(dir)}
		if o.walDir != "" {
			t.WalDir = a.Path(o.walDir)
		}
		return []restore.Target{t}, nil
	}
	for _, m := range c.ByName() {
		if m.Name == "" || m.Name == "." || m.Name == ".." || strings.ContainsAny(m.Name, `/\`) {
			return nil, fmt.Errorf("member %q: its name can't be that of a folder in --all", m.Name)
		}
		list = append(list, restore.Target{Name: m.Name, DataDir: a.Path(filepath.Join(o.all, m.Name))})
	}
	return list, nil
}

func runRestore(cmd *cobra.Command, a *ui.App, o *restoreOptions, args []string) error {
	start := a.Now()
	r, err := o.restore(cmd, a, args)
	if damage, ok := errors.AsType[*restore.DamageError](err); ok {
		fmt.Fprintf(a.Err, "raftctl snapshot restore: %s; nothing was restored\n", ui.OneLine(damage))
		return ui.ExitError{Status: ui.StatusDamage}
	}
	if occupied, ok := errors.AsType[*staging.OccupiedError](err); ok {
		return ui.Usagef(cmd, "%s: %s: name another", ui.Quote(o.shown(a, occupied.Path)), occupied.Why)
	}
	if err != nil {
		return err
	}
	r.Seconds = a.Now().Sub(start).Seconds()
	return o.output.Write(a.Out, r, func() error { return r.print(a) })
}

// restore makes the plan, and carries it out.
func (o *restoreOptions) restore(cmd *cobra.Command, a *ui.App, args []string) (*restored, error) {
	ctx := cmd.Context()
	c, err := o.makeCluster(cmd)
	if err != nil {
		return nil, err
	}
	targets, err := o.targets(a, c)
	if err != nil {
		return nil, ui.Usagef(cmd, "%w", err)
	}
	source, err := o.source(ctx, a, args)
	if err != nil {
		return nil, err
	}
	defer func() { _ = source.Close() }() // opened for reading
	if err := o.refuseInside(cmd, a, []string{source.root}, targets); err != nil {
		return nil, err
	}
	again, err := o.planReplay(ctx, a, source)
	if err != nil {
		return nil, err
	}
	defer func() { _ = again.Close() }() // opened for reading
	if err := o.refuseInside(cmd, a, again.roots(a), targets); err != nil {
		return nil, err
	}
	bars := &stepBars{a: a, name: source.name}
	defer bars.done()
	options := o.planOptions(a, c, targets, source, again)
	options.Progress = bars.set
	if again != nil {
		again.bar = bars.count(again.Range.First()-1, again.Range.Len())
	}
	p, err := restore.NewPlan(options)
	if err != nil {
		return nil, err
	}
	o.sayLeftovers(a, p)
	report := newRestored(a, o, p, source, again)
	if o.dryRun {
		return report, nil
	}
	return report, o.run(ctx, p, report, again)
}

func (o *restoreOptions) run(ctx context.Context, p *restore.Plan, report *restored, again *rerun) error {
	result, err := p.Run(ctx)
	if err != nil {
		return o.replayError(err)
	}
	report.done(o, result, again)
	return nil
}
