package restoretest

import (
	"bytes"
	"io/fs"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// thinFS allocates little ahead: a simulated log takes some KiB.
type thinFS struct{ vfs.FS }

type thinFile struct{ vfs.File }

func (f thinFS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	file, err := f.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return thinFile{file}, nil
}

func (f thinFile) Allocate(size int64) error { return f.File.Allocate(min(size, 4<<10)) }

// WriteAt leaves out the zeros that a writer puts ahead of its records.
func (f thinFile) WriteAt(b []byte, off int64) (int, error) {
	if len(b) >= 512 && len(bytes.Trim(b[:512], "\x00")) == 0 && bytes.Equal(b[512:], b[:len(b)-512]) {
		return len(b), nil
	}
	return f.File.WriteAt(b, off)
}

func (f thinFile) Sync() error { return nil }

func (m *simMember) path(below ...string) string {
	return filepath.Join(append([]string{m.dir, m.name}, below...)...)
}

func (m *simMember) snapDir() string { return m.path("member", "snap") }

// append adds entries, which may overwrite, and saves them. A commit alone is not always saved.
func (m *simMember) append(list ...simEntry) {
	var out []raftpb.Entry
	for _, e := range list {
		m.log = append(m.log[:e.Index-m.base.Index-1], e)
		out = append(out, raftpb.Entry{Term: e.Term, Index: e.Index, Type: e.Type, Data: []byte(e.Data)})
		for i := e.Index; m.held[i].Index == i; i++ {
			delete(m.held, i)
		}
		m.held[e.Index] = e
	}
	st := m.state
	if st == m.saved || len(out) == 0 && st.Term == m.saved.Term && m.rng.IntN(2) == 0 {
		st = raftpb.HardState{}
	}
	m.must(m.w.Append(st, out))
	if st.Term > 0 {
		m.saved = st
	}
	if m.rng.IntN(8) == 0 {
		m.must(m.w.Roll())
	}
}

// save writes a .snap file, and the record of it.
func (m *simMember) save(id raftpb.EntryID) {
	s := &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: id.Index, Term: id.Term, ConfState: m.voters()},
		Data: []byte(`{"Root":{}}`)}
	m.must(snapshot.Write(vfs.OS, m.snapDir(), s, raftpb.FlavorGogo))
	voters := m.voters()
	m.must(m.w.SaveSnapshot(wal.Snapshot{Index: id.Index, Term: id.Term, ConfState: &voters}))
	m.start = id
}
