package snapcmd

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/restore"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
)

// restoreSource is what is restored from.
type restoreSource struct {
	*restore.Base
	name   string // as it was given
	root   string // the folder in which nothing is written: see rootOf
	ownLog bool   // a member's log lies in its data directory
	member *datadir.Member
}

// Close closes all files.
func (s *restoreSource) Close() error {
	_ = s.Base.Close() // all were opened for reading
	return s.member.Close()
}

// source opens what is restored from.
func (o *restoreOptions) source(ctx context.Context, a *ui.App, args []string) (s *restoreSource, err error) {
	s = &restoreSource{name: o.fromMember}
	if o.fromMember == "" {
		s.name = args[0]
	}
	v := newVerified(a, &paths.Options{}, s.name)
	if s.member, err = o.find(a, v.source, s.name); err != nil {
		return nil, err
	}
	v.member, s.ownLog = s.member, v.source.WalDir == ""
	p, err := o.sourcePlace(ctx, v)
	if err == nil {
		s.root = rootOf(a, s.name)
		err = s.open(ctx, a, o, p)
	}
	if err != nil {
		_ = s.member.Close()
		return nil, err
	}
	if s.Copied != "" {
		fmt.Fprintf(a.Err, "raftctl snapshot restore: %s: %s: a copy of it is restored, as it was at one moment\n",
			ui.Quote(s.name), s.Copied)
	}
	return s, nil
}

// find finds what is restored from. A member whose log isn't in its data directory has it in the first
// directory that is given for logs.
func (o *restoreOptions) find(a *ui.App, at *paths.Options, name string) (*datadir.Member, error) {
	m, err := find(a, at, name, o.fromMember != "")
	if err != nil || o.fromMember == "" || m.Log.State == datadir.Present || m.File.State != datadir.Unknown {
		return m, err
	}
	_ = m.Close() // opened for reading
	if len(o.replay.wal) == 0 {
		return nil, ui.UsageError{Err: fmt.Errorf("%s: no log beside the database: where etcd was given a --wal-dir, add "+
			"--wal with it; '%s' restores the database alone", ui.Quote(name), ui.CommandLine("raftctl", "snapshot", "restore",
			paths.Typed(filepath.Join(name, "member", "snap", "db")), "--skip-hash-check"))}
	}
	at.WalDir = o.replay.wal[0]
	return find(a, at, name, true)
}

// sourcePlace returns where the database lies.
func (o *restoreOptions) sourcePlace(ctx context.Context, v *verified) (*datadir.Place, error) {
	m := v.member
	if o.fromMember == "" {
		if m.File.State == datadir.Unknown {
			return nil, ui.UsageError{Err: fmt.Errorf("%s is a directory; '%s' restores the database in it", ui.Quote(v.path),
				ui.CommandLine("raftctl", "snapshot", "restore", "--from-member", paths.Typed(v.path)))}
		}
		p := place(m)
		if p == nil {
			return nil, ui.UsageError{Err: fmt.Errorf("%s: a .snap file holds no keys but those of the v2 store",
				ui.Quote(v.path))}
		}
		return p, nil
	}
	if m.File.State != datadir.Unknown {
		return nil, ui.UsageError{Err: fmt.Errorf("--from-member %s: a file, want a data directory", ui.Quote(v.path))}
	}
	return received(ctx, v)
}

// received returns the database of a member: the one that the leader sent with a snapshot, where etcd
// would put that in the place of its own when it starts.
func received(ctx context.Context, v *verified) (*datadir.Place, error) {
	index := uint64(0)
	if v.member.Log.State == datadir.Present {
		r, err := examineLog(ctx, v.a, v.member, v.path)
		if ctx.Err() != nil {
			return nil, err
		}
		if err == nil { // else nothing tells what etcd would do
			for _, s := range repair.Starts(r) {
				index = max(index, s.Entry.Index)
			}
		}
	}
	return ahead(ctx, v, index)
}

// ahead returns the database, or the one beside it if the database has not applied what the snapshot
// of an index includes.
func ahead(ctx context.Context, v *verified, index uint64) (*datadir.Place, error) {
	m := v.member
	own := m.Database
	applied, _, err := appliedBy(ctx, v.a, m, v.path)
	if err != nil || applied.Index >= index {
		return &own, err
	}
	name := snapshot.DBFileName(index)
	if _, err := fs.Stat(m.Snap.FS, path.Join(m.Snap.Path, name)); err == nil {
		own.State, own.Path, own.Name = datadir.Present, path.Join(m.Snap.Path, name), filepath.Join(filepath.Dir(own.Name), name)
		return &own, nil
	}
	if own.State != datadir.Present {
		return &own, nil // which is told when it is opened
	}
	return nil, &restore.RefusedError{Err: fmt.Errorf("%s: the database has applied entries up to %d, the log begins "+
		"behind entry %d, and %s, which holds the state between, is not there: '%s' tells more; the path of the "+
		"database with --skip-hash-check restores it as it is", ui.Quote(v.path), applied.Index, index, name,
		ui.CommandLine("raftctl", "snapshot", "verify", paths.Typed(v.path)))}
}

// appliedBy returns the last entry that a member's database has applied, and whom it has as members; zero if
// there is none, as for etcd, which then makes an empty one.
func appliedBy(
	ctx context.Context, a *ui.App, m *datadir.Member, name string,
) (id raftpb.EntryID, members *database.Members, err error) {
	p := m.Database
	if p.State != datadir.Present {
		return id, new(database.Members), nil
	}
	db, err := openAt(ctx, a, &p, name, database.Options{})
	if err != nil {
		return id, nil, err
	}
	defer func() { _ = db.Close() }() // opened for reading
	meta, err := db.Meta()
	if err != nil {
		return id, nil, err
	}
	members, err = db.Members()
	return raftpb.EntryID{Term: meta.Term, Index: meta.ConsistentIndex}, members, err
}

func (s *restoreSource) open(ctx context.Context, a *ui.App, o *restoreOptions, p *datadir.Place) error {
	if p.State != datadir.Present {
		return pathErr.Error(s.name, noDatabase(p))
	}
	bar := &lateBar{a: a, name: "unpack " + s.name}
	defer bar.Done()
	var err error
	s.Base, err = restore.OpenBase(ctx, p.FS, p.Path, restore.BaseOptions{
		Member: o.fromMember != "", SkipHash: o.skipHash, Progress: bar.Set,
	})
	return err
}

// rootOf returns the folder that a path belongs to, in which nothing is written: that of the member whose
// database or log it is, or lies in, and else the path itself.
func rootOf(a *ui.App, name string) string {
	at := paths.Real(a.Path(name))
	for _, dir := range []string{at, filepath.Dir(at), filepath.Join(at, "wal")} {
		member := filepath.Dir(dir)
		if base := filepath.Base(dir); (base == "snap" || base == "wal") && filepath.Base(member) == "member" {
			return filepath.Dir(member)
		}
	}
	return at
}

// refuseInside refuses to write into what is restored from.
func (o *restoreOptions) refuseInside(cmd *cobra.Command, a *ui.App, roots []string, targets []restore.Target) error {
	for _, t := range targets {
		for _, dir := range []string{t.DataDir, t.WalDir} {
			if dir == "" {
				continue
			}
			real := paths.Real(dir)
			for _, root := range roots {
				if real == root || strings.HasPrefix(real, root+string(os.PathSeparator)) {
					return ui.Usagef(cmd, "%s lies in what is restored from, which is never written to", ui.Quote(o.shown(a, dir)))
				}
			}
		}
	}
	return nil
}
