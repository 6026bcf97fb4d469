package repair

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
)

// findMember finds a member with all that it has, or the one file that is named.
func findMember(name string, o *OpenOptions) (*datadir.Member, error) {
	place, err := datadir.FindPath(name, datadir.Options{WalDir: o.WalDir, Dir: o.Dir, State: true, Log: true})
	if o.State || !errors.Is(err, datadir.ErrNoState) {
		return place, err
	}
	return datadir.FindPath(name, datadir.Options{WalDir: o.WalDir, Dir: o.Dir, Database: true})
}

// absolute returns a path that begins in dir as one that doesn't; an empty one stays empty.
func absolute(name, dir string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	if abs, err := filepath.Abs(filepath.Join(dir, name)); err == nil {
		return abs
	}
	return name
}

// isFile reports whether the member is a single file: a database or a .snap file.
func (m *Member) isFile() bool { return m.Place.File.State != datadir.Unknown }

// readFiles reads the .snap files, and looks into their stores.
func (m *Member) readFiles(ctx context.Context) {
	m.storeErr = map[string]error{}
	p := &m.Place.Snap
	switch {
	case m.isFile() && m.Place.Content == datadir.ContentSnapshot:
		m.FilesErr = m.readFile(&m.Place.File)
	case p.State == datadir.Present:
		m.FilesErr = snapshot.Walk(ctx, p.FS, p.Path, m.addFile)
	case p.State == datadir.Unreadable:
		m.FilesErr = p.Err
	}
}

func (m *Member) addFile(f *snapshot.File, s *raftpb.Snapshot) {
	m.Files = append(m.Files, *f)
	if s == nil || f.Err != nil {
		return
	}
	store, err := snapshot.ParseStore(s.Data)
	if err != nil {
		m.storeErr[f.Name] = err
		return
	}
	if m.newest != nil || f.Kind != snapshot.KindSnapshot || store.Root == nil {
		return
	}
	if members, err := store.Membership(); err == nil {
		m.newest = &newestStore{members, s.Metadata.ConfState}
	}
}

// newestStore is whom a .snap file has as members.
type newestStore struct {
	members snapshot.Membership
	conf    raftpb.ConfState
}

// readFile reads the one .snap file that there is. The error is that of reading it.
func (m *Member) readFile(p *datadir.Place) error {
	b, err := snapshot.ReadBytes(p.FS, p.Path)
	if err != nil {
		return err
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
	}
	m.Files = append(m.Files, f)
	return nil
}

// databasePlace returns where the database lies.
func (m *Member) databasePlace() *datadir.Place {
	if m.isFile() {
		return &m.Place.File
	}
	return &m.Place.Database
}

func (m *Member) readDatabase(ctx context.Context, o *OpenOptions) {
	p := m.databasePlace()
	if m.isFile() && m.Place.Content != datadir.ContentDatabase || p.State != datadir.Present {
		if p.State == datadir.Unreadable {
			m.DatabaseErr = p.Err
		}
		return
	}
	m.db, m.DatabaseErr = database.Open(ctx, p.FS, p.Path, database.Options{Progress: o.Unpacked})
	if m.DatabaseErr == nil {
		m.Database, m.DatabaseErr = readDatabase(m.db)
	}
}
