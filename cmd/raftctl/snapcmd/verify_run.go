package snapcmd

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/bolt"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// verified is the outcome for one path.
type verified struct {
	a      *ui.App
	source *paths.Options
	path   string
	member *datadir.Member
	err    error // why nothing could be checked

	verdict  verdict.Verdict
	findings []found
	omitted  map[string]int

	database *database.Report // nil if there is none, or it can't be opened
	origin   database.Origin
	state    *crosscheck.Database // likewise
	files    []snapshot.File      // .snap files, and what lies beside them
	log      *outlook.Report      // nil if there is no log
	starts   []crosscheck.Start   // of the log as it was before the database was opened
}

// found is one finding, of whatever kind.
type found struct {
	Class    string           `json:"class"`
	Severity verdict.Severity `json:"severity"`
	File     string           `json:"file"`
	Offset   int64            `json:"offset"`
	Page     uint64           `json:"page,omitempty"`
	Bucket   string           `json:"bucket,omitempty"`
	Key      string           `json:"key,omitempty"`
	Revision string           `json:"revision,omitempty"`
	Evidence string           `json:"evidence"`
	Advice   string           `json:"advice,omitempty"`
}

func newVerified(a *ui.App, source *paths.Options, name string) *verified {
	return &verified{a: a, source: source, path: name, omitted: map[string]int{}}
}

// classUnchecked is the class of what could not be checked, in all packages.
const classUnchecked = string(database.ClassUnchecked)

// classSnapshot is the class of damaged .snap files.
const classSnapshot = string(outlook.ClassSnapshotCorrupt)

// verify checks what is at the path. The error is one of the path, not of what lies there.
func (v *verified) verify(ctx context.Context) error {
	m, err := find(v.a, v.source, v.path, true)
	if err != nil {
		return err
	}
	defer func() { _ = m.Close() }() // opened for reading
	v.member = m
	switch {
	case m.File.State == datadir.Unknown:
		err = v.directory(ctx)
	case m.Content == datadir.ContentDatabase:
		err = v.databaseAt(ctx, &m.File)
	default:
		err = v.snapFile(&m.File)
	}
	if err != nil {
		return err
	}
	v.verdict = verdict.OK
	for _, f := range v.findings {
		switch {
		case f.Severity == verdict.Error:
			v.verdict = verdict.Problem
		case f.Class == classUnchecked && v.verdict == verdict.OK:
			v.verdict = verdict.Unchecked
		}
	}
	return nil
}

func (v *verified) unchecked(file, format string, args ...any) {
	v.findings = append(v.findings, found{Class: classUnchecked, Severity: verdict.Warning, File: file,
		Evidence: fmt.Sprintf(format, args...)})
}

// directory checks all that a member has. The log is read first: whatever snapshot it has then, the
// database of a running etcd has by the time that it is opened.
func (v *verified) directory(ctx context.Context) error {
	m := v.member
	if err := v.readLog(ctx); err != nil {
		return err
	}
	if err := v.snapFiles(ctx); err != nil {
		return err
	}
	switch m.Database.State {
	case datadir.Present:
		if err := v.databaseAt(ctx, &m.Database); err != nil {
			return err
		}
	case datadir.Missing:
		v.unchecked(path.Base(m.Database.Path), "there is no database: %s doesn't exist", m.Database.Name)
	case datadir.Unreadable:
		v.unchecked(path.Base(m.Database.Path), "the database was not checked: %v", m.Database.Err)
	case datadir.Unknown:
		v.unchecked("db", "nothing tells where the database lies; give the data directory as well")
	}
	return v.crosscheck(ctx)
}

// readLog verifies the log, if there is one.
func (v *verified) readLog(ctx context.Context) error {
	m := v.member
	switch {
	case m.Log.State == datadir.Unreadable:
		v.unchecked("wal", "the log was not read: %v", m.Log.Err)
		return nil
	case m.Log.State != datadir.Present:
		return nil
	}
	log, err := wal.OpenMember(m)
	if err != nil {
		v.unchecked("wal", "the log was not read: %v", err)
		return ctx.Err()
	}
	p := ui.NewProgress(v.a, "read the log of "+v.path, logSize(log))
	v.log, err = outlook.Examine(ctx, log, outlook.Options{Member: m, Verify: wal.VerifyOptions{Progress: p.Set}})
	p.Done()
	if err != nil {
		v.unchecked("wal", "the log was not read: %v", err)
		return ctx.Err()
	}
	if v.log.Verdict != verdict.OK {
		v.unchecked("wal", "the verdict on the log is %q, and what it says may not be all; see: %s", v.log.Verdict,
			v.source.Command("wal verify", v.path))
	}
	v.starts = startsOf(v.log)
	return nil
}

func logSize(log *wal.Log) (size int64) {
	for _, s := range log.Segments() {
		size += s.Size
	}
	return size
}

// startsOf returns what the releases start from that get through starting; where none does, what those
// start from that read the log.
func startsOf(r *outlook.Report) (list []crosscheck.Start) {
	var all []crosscheck.Start
	for _, o := range outlook.Fold(r.Outlooks) {
		if o.Read.Action == wal.ActionRefuses || o.Read.Action == wal.ActionUnknown {
			continue
		}
		s := crosscheck.Start{Releases: o.Read.Releases(), Entry: o.Read.Start}
		all = append(all, s)
		if o.Action != wal.ActionRefuses {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return all
	}
	return list
}

// snapFiles checks the .snap files.
func (v *verified) snapFiles(ctx context.Context) error {
	m := v.member
	switch m.Snap.State {
	case datadir.Present:
	case datadir.Unreadable:
		v.unchecked(path.Base(m.Snap.Path), "the snapshot files were not checked: %v", m.Snap.Err)
		return nil
	default:
		return nil
	}
	err := snapshot.Walk(ctx, m.Snap.FS, m.Snap.Path, func(f *snapshot.File, snap *storedSnapshot) {
		v.files = append(v.files, *f)
		v.judgeSnap(f, snap)
	})
	if err != nil && ctx.Err() == nil {
		v.unchecked(path.Base(m.Snap.Path), "the snapshot files were not checked: %v", err)
		return nil
	}
	return err
}

// judgeSnap takes the verdict on a .snap file, and looks into its store.
func (v *verified) judgeSnap(f *snapshot.File, snap *storedSnapshot) {
	err := f.Err
	if err == nil && snap != nil {
		_, err = snapshot.ParseStore(snap.Data)
	}
	if f.Kind != snapshot.KindSnapshot && f.Kind != snapshot.KindMisnamed || err == nil {
		return
	}
	v.badSnap(f.Name, err)
}

// badSnap adds the finding on a .snap file that is not intact.
func (v *verified) badSnap(name string, err error) {
	corrupt, isCorrupt := errors.AsType[*snapshot.CorruptError](err)
	store, isStore := errors.AsType[*snapshot.StoreError](err)
	f := found{Class: classSnapshot, Severity: verdict.Error, File: name, Evidence: err.Error()}
	switch {
	case isCorrupt:
		f.Offset, f.Evidence = corrupt.Off, corrupt.Err.Error()
	case isStore:
		f.Evidence = store.Error()
	default:
		v.unchecked(name, "not checked: %v", err)
		return
	}
	v.findings = append(v.findings, f)
}

// snapFile checks one .snap file.
func (v *verified) snapFile(p *datadir.Place) error {
	b, err := snapshot.ReadBytes(p.FS, p.Path)
	if err != nil {
		return pathErr.Error(v.path, err)
	}
	name := path.Base(p.Path)
	f := snapshot.File{Name: name, Kind: snapshot.KindOf(name), Size: int64(len(b)), Verdict: verdict.OK}
	snap, err := snapshot.Parse(b)
	if err == nil {
		f.ID, f.Metadata = snap.Metadata.ID(), snap.Metadata
		_, err = snapshot.ParseStore(snap.Data)
	}
	if id, ok := snapshot.ParseFileName(name); ok && err == nil && id != f.ID {
		err = &snapshot.CorruptError{Err: fmt.Errorf("snapshot of %v, but its name says %v", f.ID, id)}
	}
	if f.Err = err; err != nil {
		f.Verdict = verdict.Problem
		v.badSnap(name, err)
	}
	v.files = append(v.files, f)
	return nil
}

// databaseAt checks a database. One that can't be opened is a finding, unless it is no file to speak of.
func (v *verified) databaseAt(ctx context.Context, p *datadir.Place) error {
	name := path.Base(p.Path)
	db, err := openAt(ctx, v.a, p, v.path, database.Options{})
	corrupt, isCorrupt := errors.AsType[*bolt.CorruptError](err)
	switch {
	case isCorrupt && (!errors.Is(err, database.ErrNotBolt) || v.hasPages(ctx, p)):
		v.findings = append(v.findings, found{Class: string(database.ClassMetaPage), Severity: verdict.Error, File: name,
			Offset: corrupt.Off, Page: corrupt.Page, Evidence: corrupt.Err.Error() + "; nor is the other meta page intact",
			Advice: "'" + v.source.Command("snapshot dump", v.path, "--scan") + "' prints what can be read without them"})
		return nil
	case errors.Is(err, database.ErrNotBolt), errors.Is(err, database.ErrEmpty):
		v.findings = append(v.findings, found{Class: string(database.ClassNotEtcd), Severity: verdict.Error, File: name,
			Evidence: unwrapped(err).Error()})
		return nil
	case err != nil && ctx.Err() == nil && v.member.File.State == datadir.Unknown:
		v.unchecked(name, "the database was not checked: %v", err)
		return nil
	case err != nil:
		return err
	}
	defer func() { _ = db.Close() }() // opened for reading
	return v.openDatabase(ctx, db, name)
}

// hasPages reports whether a file whose meta pages are gone is a database nevertheless.
func (v *verified) hasPages(ctx context.Context, p *datadir.Place) bool {
	db, err := database.Open(ctx, p.FS, p.Path, database.Options{Damaged: true})
	if err != nil {
		return false
	}
	return db.Close() == nil
}

// unwrapped returns what is wrong with a file, without its name.
func unwrapped(err error) error {
	for _, sentinel := range []error{database.ErrEmpty, database.ErrNotBolt} {
		if errors.Is(err, sentinel) {
			return sentinel
		}
	}
	return err
}

func (v *verified) openDatabase(ctx context.Context, db *database.DB, name string) error {
	p := ui.NewProgress(v.a, "verify "+v.path, db.Size())
	r, err := db.Verify(ctx, database.VerifyOptions{Progress: p.Set})
	p.Done()
	if err != nil {
		if ctx.Err() == nil && v.member.File.State == datadir.Unknown {
			v.unchecked(name, "the database was not checked: %v", err)
			return nil
		}
		return pathErr.Error(v.path, err)
	}
	v.database, v.origin = r, db.Origin()
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Class == database.ClassNoTrailer && v.member.File.State == datadir.Unknown {
			continue // a member's own never has one
		}
		v.findings = append(v.findings, newFound(name, f))
	}
	for c, n := range r.Omitted {
		v.omitted[string(c)] = n
	}
	members, err := db.Members()
	if err == nil {
		v.state = &crosscheck.Database{Meta: r.Meta, Members: *members}
	}
	return nil
}

func newFound(file string, f *database.Finding) found {
	x := found{Class: string(f.Class), Severity: f.Severity, File: file, Offset: f.Off, Page: f.Page, Bucket: f.Bucket,
		Evidence: f.Evidence}
	if f.Key != nil {
		x.Key = string(f.Key)
	}
	if f.Revision != (database.Revision{}) {
		x.Revision = f.Revision.String()
	}
	return x
}

// crosscheck sets log, .snap files and database against each other.
func (v *verified) crosscheck(ctx context.Context) error {
	in := &crosscheck.Input{Starts: v.starts, Files: v.files, Database: v.state,
		Missing: v.member.Database.State == datadir.Missing}
	if v.log != nil && v.log.View != nil {
		in.View = v.log.View
		if err := v.catchUp(ctx, in); err != nil {
			return err
		}
	}
	for _, f := range crosscheck.Check(in) {
		v.findings = append(v.findings, found{Class: string(f.Class), Severity: f.Severity, File: f.File,
			Evidence: f.Evidence, Advice: f.Advice})
	}
	return nil
}

// catchUp reads the log again if the database is ahead of it, as that of a running etcd may be by now,
// and follows the members up to where the database has come.
func (v *verified) catchUp(ctx context.Context, in *crosscheck.Input) error {
	if in.Database == nil {
		return nil
	}
	log, err := wal.OpenMember(v.member)
	if err != nil {
		return ctx.Err() // it was read before: what is known of it counts
	}
	index := in.Database.Meta.ConsistentIndex
	if index > in.View.LastIndex() {
		view, err := log.View(ctx)
		if err != nil {
			return ctx.Err()
		}
		in.View = view
	}
	in.Replay, err = crosscheck.Replay(ctx, log, in.View, index)
	if commit := in.View.State.Commit; err == nil && in.Database.Meta.Term == 0 && commit > index {
		in.Later, err = crosscheck.Replay(ctx, log, in.View, commit)
	}
	if err != nil {
		v.unchecked("wal", "the members were not compared with those of the log: %v", err)
		return ctx.Err()
	}
	return nil
}
