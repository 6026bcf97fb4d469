package snapcmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/snapshot/database"
)

type statusOptions struct {
	source paths.Options
	top    int
	hashKV int64
	output ui.Output
}

func newStatus(a *ui.App) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status PATH",
		Short: "Say what a database or a .snap file holds, in numbers",
		Long: `Says of a database whose it is and how far it has come: revision, keys, how full it is, compaction,
versions, members, leases, alarms, auth, and the hashes by which etcd's own tools tell databases apart.
All of it is read. --top lists the prefixes of keys that fill it, which takes a second pass. Of a .snap
file it says which entry it ends with, its members and the keys of the v2 store.

` + pathHelp + `

The prefixes of --top are the parts of keys up to their last slash. Where there are more of them than
memory should hold, counts are estimates from above, marked with ~.`,
		Example: `  raftctl snapshot status backup.db
  raftctl snapshot status /var/lib/etcd --top 20            # what fills my database?
  raftctl snapshot status backup.db --hashkv-rev 81234      # as etcdctl endpoint hashkv --rev 81234
  raftctl snapshot status backup.db -o json | jq '{revision, total_keys: .totalKey}'`,
		Args:    o.source.Want(wantedPaths, 1, 1),
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.check(cmd) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStatus(cmd.Context(), a, &o, args[0])
		},
	}
	o.output.Register(cmd)
	fl := cmd.Flags()
	fl.IntVar(&o.top, "top", 0, "list the `N` prefixes of keys that take most bytes, and have most revisions")
	fl.Int64Var(&o.hashKV, "hashkv-rev", 0, "also the hash of the keys as of revision `N`, as etcdctl endpoint hashkv has it")
	return cmd
}

func (o *statusOptions) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	switch {
	case changed("top") && o.top < 1:
		return ui.Usagef(cmd, "--top %d, want 1 or more", o.top)
	case changed("hashkv-rev") && o.hashKV < 1:
		return ui.Usagef(cmd, "--hashkv-rev %d, want 1 or more", o.hashKV)
	}
	return nil
}

func runStatus(ctx context.Context, a *ui.App, o *statusOptions, path string) error {
	m, err := find(a, &o.source, path, false)
	if err != nil {
		return err
	}
	defer func() { _ = m.Close() }() // opened for reading
	if place(m) == nil {
		return snapFileStatus(a, o, m, path)
	}
	db, err := openDatabase(ctx, a, m, path, false)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // likewise
	s, err := gatherStatus(ctx, a, o, db, path)
	if err != nil {
		return revisionError(path, err)
	}
	if s.File = place(m).Name; m.File.State != datadir.Unknown {
		s.File = path
	}
	if err := o.output.Write(a.Out, s, func() error { return s.print(a) }); err != nil {
		return err
	}
	if n := len(s.Damaged) + int(s.DamagedMore); n > 0 {
		fmt.Fprintf(a.Err, "raftctl snapshot status: %s: damage in %s %s, and what is there is missing above; see: %s\n",
			ui.Quote(path), ui.Count(n), ui.Plural(n, "place"), o.source.Command("snapshot verify", path))
		return ui.ExitError{Status: ui.StatusDamage}
	}
	return nil
}

// gatherStatus reads the database.
func gatherStatus(ctx context.Context, a *ui.App, o *statusOptions, db *database.DB, path string) (*dbStatus, error) {
	p := ui.NewProgress(a, "status "+path, db.Size())
	status, err := db.Status(ctx, p.Set)
	p.Done()
	if err != nil {
		return nil, err
	}
	s := newDBStatus(path, db, status)
	if o.hashKV > 0 {
		p := ui.NewProgress(a, "hashkv "+path, db.Size())
		h, err := db.HashKV(ctx, o.hashKV, p.Set)
		p.Done()
		if err != nil {
			return nil, fmt.Errorf("--hashkv-rev: %w", err)
		}
		s.HashKVAt = newHashKVJSON(h)
	}
	if o.top > 0 {
		if s.Top, err = gatherTop(ctx, a, o.top, db, path); err != nil {
			return nil, err
		}
	}
	return s, nil
}
