package snapcmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/rows"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/cmd/raftctl/where/keyrow"
)

type dumpOptions struct {
	source  paths.Options
	key     string
	prefix  string
	rev     int64
	history string
	bucket  string
	scan    bool
	expr    string
	limit   int
	values  valueOptions
	output  ui.Output

	condition *where.Expr[*keyrow.Row] // of expr
}

func newDump(a *ui.App) *cobra.Command {
	var o dumpOptions
	cmd := &cobra.Command{
		Use:   "dump PATH",
		Short: "Print the keys of a database, their history, or a bucket",
		Long: `Prints the keys that there are, with their revisions, leases and values, in the order of the keys: as
of now, or of a revision that was not compacted yet. With --history, prints every change of a key that
is still there, deletions included, in the order of their revisions; with --bucket, the items of one of
etcd's buckets. Damage is passed over, and told at the end; what is behind it may be missing from the keys, or
have an older value than it should: --scan prints every change of a damaged database that can be read.

` + pathHelp + `

Objects of Kubernetes are named by kind, namespace and name. The data of Secrets, passwords and tokens
are hidden unless --show-secrets is given.

The fields for --where are those of the JSON; what a row doesn't have is "", 0 or empty:
` + keyrow.Table.Help(),
		Example: `  raftctl snapshot dump backup.db --prefix /registry/pods/ --rev 81234     # what was there then?
  raftctl snapshot dump backup.db --history /registry/configmaps/default/app
  raftctl snapshot dump /var/lib/etcd --where 'value_size > 100000' -o jsonl --values none
  raftctl snapshot dump /var/lib/etcd --where 'kind == "Secret" && ns == "kube-system"'
  raftctl snapshot dump backup.db --where 'lease != "" && version > 1000' --limit 20
  raftctl snapshot dump backup.db --bucket members`,
		Args:    o.source.Want(wantedPaths, 1, 1),
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.check(cmd) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDump(cmd.Context(), a, &o, args[0])
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&o.key, "key", "", "only this `KEY`")
	fl.StringVar(&o.prefix, "prefix", "", "only keys with this `PREFIX`")
	fl.Int64Var(&o.rev, "rev", 0, "the state as of revision `N`; with --history, --bucket key and --scan, changes up to it")
	fl.StringVar(&o.history, "history", "", "all changes of this `KEY`")
	fl.StringVar(&o.bucket, "bucket", "", "the items of the bucket `NAME`; of bucket key, all changes of all keys")
	fl.BoolVar(&o.scan, "scan", false, "every change that can be read of a damaged database, in the order of their revisions")
	fl.StringVar(&o.expr, "where", "", "only rows for which this CEL `EXPR` over the fields below is true")
	fl.IntVar(&o.limit, "limit", 0, "end after `N` rows")
	o.values.register(cmd)
	o.output.Register(cmd)
	return cmd
}

// check refuses flags that contradict each other.
func (o *dumpOptions) check(cmd *cobra.Command) error {
	for _, name := range []string{"key", "prefix", "history", "bucket", "where"} {
		if fl := cmd.Flags().Lookup(name); fl.Changed && fl.Value.String() == "" {
			return ui.Usagef(cmd, "--%s is empty", name)
		}
	}
	var first string
	for _, name := range []string{"key", "prefix", "history"} {
		if cmd.Flags().Changed(name) {
			if first != "" {
				return ui.Usagef(cmd, "--%s and --%s exclude each other", first, name)
			}
			first = name
		}
	}
	changed := cmd.Flags().Changed
	switch {
	case changed("limit") && o.limit < 1:
		return ui.Usagef(cmd, "--limit %d, want 1 or more", o.limit)
	case changed("rev") && o.rev < 1:
		return ui.Usagef(cmd, "--rev %d, want 1 or more", o.rev)
	case changed("history") && (changed("bucket") || o.scan), changed("bucket") && o.scan:
		return ui.Usagef(cmd, "--history, --bucket and --scan exclude each other")
	case changed("bucket") && o.bucket != keyBucket && (changed("rev") || changed("prefix") || changed("key")):
		return ui.Usagef(cmd, "--rev, --prefix and --key are for keys, which --bucket %s has none of", o.bucket)
	}
	if err := o.values.check(cmd); err != nil || o.expr == "" {
		return err
	}
	w, err := keyrow.Table.Compile(o.expr)
	if err != nil {
		return ui.UsageError{Err: fmt.Errorf("--where: %w", err)}
	}
	o.condition = w
	return nil
}

// isSet reports whether any filter leaves rows out.
func (o *dumpOptions) isSet() bool {
	return o.key != "" || o.prefix != "" || o.history != "" || o.expr != ""
}

func runDump(ctx context.Context, a *ui.App, o *dumpOptions, path string) error {
	m, err := find(a, &o.source, path, false)
	if err != nil {
		return err
	}
	defer func() { _ = m.Close() }() // opened for reading
	db, err := openDatabase(ctx, a, m, path, o.scan)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // likewise
	sayCopied(a, "dump", path, db)
	d := newDumper(a, o, db)
	if err = d.print(ctx); err != nil {
		err = revisionError(path, err)
	}
	if err := rows.Ended(err, d.finish()); err != nil {
		return err
	}
	d.explainNothing()
	return d.explainDamage(path)
}
