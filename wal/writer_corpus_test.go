package wal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
)

// copier writes a log again, as a member would that appends what the records say.
type copier struct {
	w     *Writer
	batch []raftpb.Entry
	prev  Record
	first string // segment
}

// openDir opens the log in a folder.
func openDir(t *testing.T, dir string) *Log {
	t.Helper()
	log, err := Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// createCopy begins a log that a copy of another one goes into.
func createCopy(t *testing.T, log *Log, flavor raftpb.Flavor) (w *Writer, dir string) {
	t.Helper()
	o, err := log.CreateOptions()
	if err != nil {
		t.Fatal(err)
	}
	o.Flavor = flavor
	dir = filepath.Join(t.TempDir(), "wal")
	if w, err = Create(vfs.OS, dir, o); err != nil {
		t.Fatal(err)
	}
	return w, dir
}

// appendAnew writes the log in dir again, into a new folder, which it returns.
func appendAnew(t *testing.T, dir string, flavor raftpb.Flavor) string {
	t.Helper()
	log := openDir(t, dir)
	w, to := createCopy(t, log, flavor)
	c := copier{w: w}
	for rec, err := range log.Records(Recover) {
		if err == nil && rec.Kind == KindDamage {
			err = rec.Damage.Err()
		}
		if err == nil {
			err = c.record(rec)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := c.flush(raftpb.HardState{}); err != nil {
		t.Fatal(err)
	}
	mustClose(t, c.w)
	return to
}

func (c *copier) record(rec *Record) error {
	prev := c.prev
	c.prev = Record{Kind: rec.Kind, Pos: rec.Pos, CRC: rec.CRC}
	if c.first == "" {
		c.first = rec.Pos.Segment
	}
	later := rec.Pos.Segment != c.first
	byItself := prev.Kind == KindMetadata &&
		(rec.Kind == KindState && later || rec.Kind == KindSnapshot && !later && c.w.enc.seq == 0)
	if rec.Kind == KindCRC || rec.Kind == KindMetadata || byItself {
		return nil
	}
	return c.decoded(rec)
}

// decoded gathers entries up to a hard state, as a member appends them.
func (c *copier) decoded(rec *Record) error {
	switch rec.Kind {
	case KindEntry:
		var e raftpb.Entry
		if err := e.Unmarshal(rec.Data); err != nil {
			return err
		}
		c.batch = append(c.batch, e)
		return nil
	case KindState:
		var s raftpb.HardState
		if err := s.Unmarshal(rec.Data); err != nil {
			return err
		}
		return c.flush(s)
	}
	if err := c.flush(raftpb.HardState{}); err != nil {
		return err
	}
	var s Snapshot
	if err := s.Unmarshal(rec.Data); err != nil {
		return err
	}
	if s.ConfState == nil && s.Index > 0 { // etcd 3.4
		return c.w.AppendRecord(KindSnapshot, rec.Data)
	}
	return c.w.SaveSnapshot(s)
}

func (c *copier) flush(s raftpb.HardState) error {
	err := c.w.Append(s, c.batch)
	c.batch = c.batch[:0]
	return err
}

// A copy of a log of etcd 3.4 to 3.7 has the same bytes, file by file.
func TestCopyIsIdentical(t *testing.T) {
	for _, l := range corpus.Logs(t) {
		t.Run(l.Name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(l.Dir, "member", "wal")
			log := openDir(t, dir)
			w, to := createCopy(t, log, raftpb.FlavorGogo)
			check(t, Copy(w, log.Records(Recover)))
			mustClose(t, w)
			compareRecords(t, to, dir)
		})
	}
}

// Appending anew what members of etcd 3.4 to 3.7 appended gives the same bytes, cuts included.
func TestAppendedAnewIsIdentical(t *testing.T) {
	for name, flavor := range map[string]raftpb.Flavor{
		"c34-1n-clean":          raftpb.FlavorGogo,
		"c35-3m-clean-m1":       raftpb.FlavorGogo,
		"c36-3m-clean-m2":       raftpb.FlavorGogo,
		"c36-multiseg-1n-clean": raftpb.FlavorGogo,
		"c37-3m-clean-m1":       raftpb.FlavorPbgo,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, l := range corpus.Logs(t) {
				if l.Name == name {
					dir := filepath.Join(l.Dir, "member", "wal")
					compareRecords(t, appendAnew(t, dir, flavor), dir)
					return
				}
			}
			t.Fatalf("no such log")
		})
	}
}

// compareRecords checks that two folders hold the same segments, but for the zeros at the end.
func compareRecords(t *testing.T, got, want string) {
	t.Helper()
	names, err := Etcd.segmentNames(vfs.OS, want)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := Etcd.segmentNames(vfs.OS, got)
	if err != nil || len(ours) != len(names) {
		t.Errorf("segments %v, want %v (%v)", ours, names, err)
	}
	for i, name := range names {
		g, err := os.ReadFile(filepath.Join(got, name.String()))
		if err != nil {
			t.Fatal(err)
		}
		w, err := os.ReadFile(filepath.Join(want, name.String()))
		if err != nil {
			t.Fatal(err)
		}
		if i == len(names)-1 {
			g, w = bytes.TrimRight(g, "\x00"), bytes.TrimRight(w, "\x00")
		}
		if !bytes.Equal(g, w) {
			off := firstDifference(g, w)
			t.Errorf("%v: %d bytes, want %d; differs at %d: %x, want %x", name, len(g), len(w), off,
				g[off:min(off+40, len(g))], w[off:min(off+40, len(w))])
		}
	}
}

// The logs of real members, also of killed ones, are appended to in their own flavour, and etcd's
// package finds the new entry behind what it wrote.
func TestGoesOnWithRealLogs(t *testing.T) {
	for name, flavor := range map[string]raftpb.Flavor{
		"c34-1n-clean":     raftpb.FlavorGogo,
		"c36-3m-kill9":     raftpb.FlavorGogo,
		"c37-3m-clean":     raftpb.FlavorPbgo,
		"chain-1n-after36": raftpb.FlavorGogo,
		"chain-1n-after37": raftpb.FlavorPbgo, // the last of four versions that wrote it
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dirs, err := filepath.Glob(filepath.Join(corpus.Copy(t, name), "m*", "member", "wal"))
			if err != nil {
				t.Fatal(err)
			}
			if len(dirs) == 0 {
				dirs = []string{filepath.Join(corpus.Copy(t, name), "member", "wal")}
			}
			for _, dir := range dirs {
				goOn(t, dir, flavor)
			}
		})
	}
}

func goOn(t *testing.T, dir string, flavor raftpb.Flavor) {
	t.Helper()
	var state raftpb.HardState
	w := mustOpen(t, dir, AppendOptions{NoEntries: true, Replay: func(rec *Record) error {
		if rec.Kind != KindState {
			return nil
		}
		return state.Unmarshal(rec.Data)
	}})
	if w.Flavor() != flavor {
		t.Errorf("%s: flavour %v, want %v", dir, w.Flavor(), flavor)
	}
	want := raftpb.Entry{Term: state.Term, Index: w.Last() + 1, Data: []byte("new")}
	if err := w.Append(raftpb.HardState{}, []raftpb.Entry{want}); err != nil {
		t.Fatal(err)
	}
	mustClose(t, w)
	snaps, err := etcdwal.ValidSnapshotEntries(zap.NewNop(), dir)
	if err != nil || len(snaps) == 0 {
		t.Fatalf("%s: %d snapshots, %v", dir, len(snaps), err)
	}
	theirs, err := etcdwal.Open(zap.NewNop(), dir, snaps[len(snaps)-1])
	if err != nil {
		t.Fatal(err)
	}
	_, _, entries, err := theirs.ReadAll()
	if err != nil || len(entries) == 0 {
		t.Fatalf("%s: etcd reads %d entries, %v", dir, len(entries), err)
	}
	last := entries[len(entries)-1]
	if last.GetIndex() != want.Index || last.GetTerm() != want.Term ||
		string(last.GetData()) != "new" {
		t.Errorf("%s: etcd's last entry is %v, want %v", dir, last, want)
	}
	mustClose(t, theirs)
}
