package repair

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/bolt"
	"github.com/raftctl/raftctl/snapshot/database"
)

// checkSnapshots takes over what is wrong with the .snap files.
func (x *examination) checkSnapshots(context.Context) {
	for i := range x.Files {
		f := &x.Files[i]
		err := f.Err
		if err == nil {
			err = x.storeErr[f.Name]
		}
		if err != nil && (f.Kind == snapshot.KindSnapshot || f.Kind == snapshot.KindMisnamed || x.isFile()) {
			x.badSnap(f.Name, err)
		}
	}
	if x.FilesErr != nil {
		x.unchecked(CheckSnapshots, path.Base(x.Place.Snap.Path),
			fmt.Sprintf("the snapshot files were not checked: %v", x.FilesErr))
	}
}

// badSnap adds the finding on a .snap file that is not intact.
func (x *examination) badSnap(name string, err error) {
	corrupt, isCorrupt := errors.AsType[*snapshot.CorruptError](err)
	store, isStore := errors.AsType[*snapshot.StoreError](err)
	f := Finding{Class: string(outlook.ClassSnapshotCorrupt), Severity: verdict.Error, Check: CheckSnapshots, File: name}
	switch {
	case isCorrupt:
		f.Off, f.Evidence = corrupt.Off, corrupt.Err.Error()
	case isStore:
		f.Evidence = store.Error()
	default:
		x.unchecked(CheckSnapshots, name, fmt.Sprintf("not checked: %v", err))
		return
	}
	if !x.isFile() {
		f.Next = []string{"wal", "repair", x.Name} // which puts it aside
	}
	x.add(f)
}

// checkDatabase reads all of the database.
func (x *examination) checkDatabase(ctx context.Context) {
	p := x.databasePlace()
	name := path.Base(p.Path)
	switch {
	case p.State == datadir.Missing:
		x.unchecked(CheckDatabase, name, fmt.Sprintf("there is no database: %s doesn't exist", p.Name))
	case p.State == datadir.Unreadable:
		x.unchecked(CheckDatabase, name, fmt.Sprintf("the database was not checked: %v", p.Err))
	case p.State == datadir.Unknown:
		x.unchecked(CheckDatabase, "db", "nothing tells where the database lies; give the data directory as well")
	case x.db == nil:
		x.unopened(ctx, p, name)
	default:
		x.readAll(ctx, name)
	}
}

// unopened adds why the database can't be opened.
func (x *examination) unopened(ctx context.Context, p *datadir.Place, name string) {
	err := x.DatabaseErr
	f := Finding{Severity: verdict.Error, Check: CheckDatabase, File: name}
	corrupt, isCorrupt := errors.AsType[*bolt.CorruptError](err)
	switch {
	case isCorrupt && (!errors.Is(err, database.ErrNotBolt) || hasPages(ctx, p)):
		f.Class, f.Off = string(database.ClassMetaPage), corrupt.Off
		f.Evidence = corrupt.Err.Error() + "; nor is the other meta page intact"
		f.Database = &database.Finding{Class: database.ClassMetaPage, Severity: f.Severity, Off: f.Off, Page: corrupt.Page,
			Evidence: f.Evidence}
		f.Next = []string{"snapshot", "dump", x.Name, "--scan"}
	case errors.Is(err, database.ErrNotBolt):
		f.Class, f.Evidence = string(database.ClassNotEtcd), database.ErrNotBolt.Error()
	case errors.Is(err, database.ErrEmpty):
		f.Class, f.Evidence = string(database.ClassNotEtcd), database.ErrEmpty.Error()
	default:
		x.unchecked(CheckDatabase, name, fmt.Sprintf("the database was not checked: %v", err))
		return
	}
	x.add(f)
}

// hasPages reports whether a file whose meta pages are gone is a database nevertheless.
func hasPages(ctx context.Context, p *datadir.Place) bool {
	db, err := database.Open(ctx, p.FS, p.Path, database.Options{Damaged: true})
	if err != nil {
		return false
	}
	return db.Close() == nil
}

func (x *examination) readAll(ctx context.Context, name string) {
	var o database.VerifyOptions
	if tell := x.o.Progress; tell != nil {
		o.Progress = func(done int64) { tell(x.Member, done, x.db.Size()) }
	}
	r, err := x.db.Verify(ctx, o)
	if err != nil {
		x.unchecked(CheckDatabase, name, fmt.Sprintf("the database was not checked: %v", err))
		return
	}
	x.DatabaseReport, x.Origin = r, x.db.Origin()
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Class == database.ClassNoTrailer && !x.isFile() {
			continue // a member's own never has one
		}
		x.add(x.ofDatabase(name, f))
	}
	for c, n := range r.Omitted {
		x.Omitted[string(c)] += n
	}
}

// ofDatabase returns a finding of the database's check as one of the diagnosis.
func (x *examination) ofDatabase(file string, f *database.Finding) Finding {
	g := Finding{Class: string(f.Class), Severity: f.Severity, Check: CheckDatabase, File: file, Off: f.Off,
		Evidence: f.Evidence, Database: f}
	switch {
	case f.Class == database.ClassMembers, f.Class == database.ClassMemberRemoved:
		g.Check = CheckMembers
	case f.Class == database.ClassAlarm:
		g.Advice = "while it stands, etcd refuses to write, or the member to work; free space or replace the member first, " +
			"then, on the running cluster: etcdctl alarm disarm"
	case f.Severity == verdict.Error:
		g.Next = []string{"snapshot", "dump", x.Name, "--scan"}
	}
	return g
}
