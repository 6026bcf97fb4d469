package snapcmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/snapshot/database"
)

// wantedPaths is what commands on a state take.
const wantedPaths = "a data directory, a database, a .snap file or an archive"

// pathErr says of other paths what to do with them.
var pathErr = paths.Wanted{Paths: wantedPaths, Else: func(c datadir.Content) string {
	if c == datadir.ContentSegment {
		return "'raftctl wal stat' reads it"
	}
	return ""
}}

// pathHelp says in help texts what PATH is.
const pathHelp = `PATH is a data directory, its member/snap, a database (member/snap/db, or a file of snapshot save),
a .snap file, or an archive of these (tar); a path may lead on into an archive. Files may be compressed
with zstd, gzip, s2 or snappy; what a file is is told by its content. Nothing is written and no lock is
taken. A compressed database is unpacked, and one that a running etcd holds is copied, into an unnamed
file in the temporary folder (TMPDIR, or /tmp), which takes its size.`

// find finds the member, or the file, at a path that the user gave; with its log if that is wanted.
func find(a *ui.App, o *paths.Options, name string, log bool) (*datadir.Member, error) {
	m, err := datadir.FindPath(name, datadir.Options{WalDir: o.WalDir, Dir: a.Dir, State: true, Log: log})
	return m, pathErr.Error(name, err)
}

// place returns where the database lies; nil if there is none but a .snap file.
func place(m *datadir.Member) *datadir.Place {
	switch {
	case m.File.State == datadir.Unknown:
		return &m.Database
	case m.Content == datadir.ContentDatabase:
		return &m.File
	}
	return nil
}

// openDatabase opens the database of what was found at a path. damaged: even one that only a scan can
// read.
func openDatabase(
	ctx context.Context, a *ui.App, m *datadir.Member, name string, damaged bool,
) (*database.DB, error) {
	p := place(m)
	switch {
	case p == nil:
		return nil, ui.UsageError{Err: fmt.Errorf("%s: a .snap file holds no keys but those of the v2 store; "+
			"'%s' reads it", ui.Quote(name), ui.CommandLine("raftctl", "snapshot", "status", paths.Typed(name)))}
	case p.State != datadir.Present:
		return nil, pathErr.Error(name, noDatabase(p))
	}
	return openAt(ctx, a, p, name, database.Options{Damaged: damaged})
}

// openAt opens the database at a place.
func openAt(
	ctx context.Context, a *ui.App, p *datadir.Place, name string, o database.Options,
) (*database.DB, error) {
	bar := &lateBar{a: a, name: "unpack " + name}
	o.Progress = bar.Set
	db, err := database.Open(ctx, p.FS, p.Path, o)
	bar.Done()
	if err != nil {
		return nil, openError(name, p, err)
	}
	return db, nil
}

// openError says which path a database could not be opened at. It names a file once only.
func openError(name string, p *datadir.Place, err error) error {
	if filepath.Base(name) == path.Base(p.Path) {
		err = errors.Unwrap(err)
	}
	err = pathErr.Error(name, err)
	if database.IsDamage(err) {
		return fmt.Errorf("%w; see: %s", err, ui.CommandLine("raftctl", "snapshot", "verify", paths.Typed(name)))
	}
	return err
}

// lateBar shows progress of which the total is known when it begins.
type lateBar struct {
	a    *ui.App
	name string
	bar  *ui.Progress
}

// Set tells how many bytes of how many are done.
func (l *lateBar) Set(done, total int64) {
	if l.bar == nil {
		l.bar = ui.NewProgress(l.a, l.name, total)
	}
	l.bar.Set(done)
}

// Done removes the bar.
func (l *lateBar) Done() { l.bar.Done() }

// revisionError is pathErr's Error, and says of a revision that isn't there that another is to be given.
func revisionError(name string, err error) error {
	told := pathErr.Error(name, err)
	if errors.Is(err, database.ErrCompacted) || errors.Is(err, database.ErrFuture) {
		return ui.UsageError{Err: told}
	}
	return told
}

// errNoDatabase is returned when a member has no database.
var errNoDatabase = errors.New("no database")

// noDatabase says why there is none at a place.
func noDatabase(p *datadir.Place) error {
	switch {
	case p.State == datadir.Unknown:
		return fmt.Errorf("%w: nothing tells where it would lie", errNoDatabase)
	case errors.Is(p.Err, fs.ErrNotExist), p.Err == nil:
		return fmt.Errorf("%w: %s doesn't exist", errNoDatabase, ui.Quote(p.Name))
	}
	return fmt.Errorf("%s: %w", ui.Quote(p.Name), p.Err)
}

// sayCopied tells that a copy is read, and why.
func sayCopied(a *ui.App, verb, name string, db *database.DB) {
	if why := db.Origin().Copied; why != "" {
		fmt.Fprintf(a.Err, "raftctl snapshot %s: %s: %s: a copy of it is read, as it was at one moment\n",
			verb, ui.Quote(name), why)
	}
}

// keyBucket is where etcd keeps the history of its keys, by revision.
const keyBucket = "key"
