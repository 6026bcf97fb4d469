package snapcmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/endpoint"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/snapshot/database"
)

type diffOptions struct {
	endpoint endpoint.Options
	prefix   string
	summary  bool
	limit    int
	values   valueOptions
	output   ui.Output

	before, after *side
}

func newDiff(a *ui.App) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Tell which keys differ between two databases, revisions or a live etcd",
		Long: `Tells which keys were added (+), removed (-) and changed (~) from A to B, with their revisions and what
changed in their values, and counts them by prefix. A and B are each a PATH or an ENDPOINT, with @REV
behind it for the state as of a revision that was not compacted yet: db@100. A path that exists is
taken as it is, also with an @ in its name.

` + pathHelp + `

ENDPOINT is a live etcd: host:port, http://host:port, https://host:port, or unix:///path of a socket; all
its keys are read, as of one revision. The flags of the connection are etcdctl's, and like there, each
may come from the environment: ETCDCTL_CACERT for --cacert, and so on.

A key that was written again with the value that it had is told as changed, with "same value". The exit
status is 1 if anything differs.`,
		Example: `  raftctl snapshot diff monday.db tuesday.db                  # which keys changed between these backups?
  raftctl snapshot diff backup.db@81000 backup.db@81234 --prefix /registry/configmaps/
  raftctl snapshot diff monday.db tuesday.db --summary        # where did they change?
  raftctl snapshot diff backup.db https://10.0.0.1:2379 --cacert ca.crt --cert c.crt --key c.key
  raftctl snapshot diff m1/member/snap/db m2/member/snap/db -o jsonl | jq -r .key`,
		Args: wantTwo,
		PreRunE: func(cmd *cobra.Command, args []string) error {
			return o.check(cmd, a, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return runDiff(cmd.Context(), a, &o) },
	}
	fl := cmd.Flags()
	fl.StringVar(&o.prefix, "prefix", "", "only keys with this `PREFIX`")
	fl.BoolVar(&o.summary, "summary", false, "only the counts, by prefix")
	fl.IntVar(&o.limit, "limit", 0, "end after `N` keys")
	o.values.register(cmd)
	o.output.Register(cmd)
	o.endpoint.Register(cmd)
	return cmd
}

func wantTwo(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0 || args[0] == "":
		return ui.Usagef(cmd, "A is missing: a path or an endpoint")
	case len(args) == 1 || args[1] == "":
		return ui.Usagef(cmd, "B is missing: a path or an endpoint")
	case len(args) > 2:
		return ui.Usagef(cmd, "unexpected argument %q", args[2])
	}
	return nil
}

// check decides what the arguments mean. Nothing is opened yet.
func (o *diffOptions) check(cmd *cobra.Command, a *ui.App, args []string) (err error) {
	changed := cmd.Flags().Changed
	switch {
	case changed("prefix") && o.prefix == "":
		return ui.Usagef(cmd, "--prefix is empty")
	case changed("limit") && o.limit < 1:
		return ui.Usagef(cmd, "--limit %d, want 1 or more", o.limit)
	case changed("limit") && o.summary:
		return ui.Usagef(cmd, "--limit and --summary exclude each other: counts are of all keys")
	}
	if err := o.values.check(cmd); err != nil {
		return err
	}
	if o.before, err = newSide(cmd, a, args[0]); err != nil {
		return err
	}
	if o.after, err = newSide(cmd, a, args[1]); err != nil {
		return err
	}
	return o.resolve(cmd, a)
}

// resolve says how to reach the sides that are endpoints. Both are reached in the same way.
func (o *diffOptions) resolve(cmd *cobra.Command, a *ui.App) error {
	first := o.before
	if !first.isEndpoint {
		first = o.after
	}
	if err := o.endpoint.Resolve(cmd, a, first.name); err != nil {
		return err
	}
	for _, s := range []*side{o.before, o.after} {
		if !s.isEndpoint {
			continue
		}
		each := o.endpoint // of which the check was that of the first
		if err := each.Resolve(cmd, a, s.name); err != nil {
			return err
		}
		s.endpoint = &each
	}
	return nil
}

func runDiff(ctx context.Context, a *ui.App, o *diffOptions) (err error) {
	defer func() { err = errors.Join(err, o.before.close(), o.after.close()) }()
	d := newDiffer(a, o)
	before, err := o.before.keys(ctx, a, o.prefix, nil)
	if err != nil {
		return err
	}
	after, err := o.after.keys(ctx, a, o.prefix, o.before)
	if err != nil {
		return err
	}
	bar := o.bar(a)
	err = d.print(database.Diff(before, after))
	bar.Done()
	if flushed := d.finish(err); flushed != nil {
		return flushed // a closed pipe, most likely
	}
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	for _, s := range []*side{o.before, o.after} {
		if damaged := s.damage.explain(a, "diff", s.name, &s.source); damaged != nil {
			err = damaged
		}
	}
	if d.counts.total.n() > 0 || err != nil && !errors.Is(err, errEnough) {
		return ui.ExitError{Status: ui.StatusDamage}
	}
	return nil
}

// bar shows how far both sides are read. What a live etcd sends is of no known size.
func (o *diffOptions) bar(a *ui.App) *lateBar {
	bar := &lateBar{a: a, name: "diff"}
	both := []*side{o.before, o.after}
	for _, s := range both {
		if s.db != nil {
			s.total = 2 * s.db.Size() // as its keys are sorted
		}
		s.progress = func() { bar.Set(both[0].done+both[1].done, both[0].total+both[1].total) }
	}
	return bar
}

// errEnough ends a diff when --limit is reached.
var errEnough = fmt.Errorf("enough")
