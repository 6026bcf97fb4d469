package change_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/change"
	"github.com/raftctl/raftctl/wal"
)

// alter edits a file of the world.
func (w *world) alter(name string, edit func([]byte) []byte) {
	w.t.Helper()
	b, err := readFile(w.fs, w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(name, edit(b))
}

func flip(b []byte) []byte { b[len(b)/2] ^= 1; return b }

// An original that isn't bit for bit what it was is not put back, and the error names the file.
func TestOriginalAltered(t *testing.T) {
	const kept, segment = "logs/m1.before-20261129T010203Z", "0000000000000000-0000000000000000.wal"
	for what, tc := range map[string]struct {
		alter func(w *world) error
		want  string
	}{
		"a bit": {func(w *world) error { w.alter(kept+"/"+segment, flip); return nil }, segment + ": sha256 "},
		"shorter": {func(w *world) error {
			w.alter(kept+"/"+segment, func(b []byte) []byte { return b[:100] })
			return nil
		}, segment + ": 100 bytes, want "},
		"a file more":   {func(w *world) error { w.write(kept+"/1.wal", nil); return nil }, "1.wal: it was not there"},
		"a file less":   {func(w *world) error { return os.Remove(w.path(kept + "/0.tmp")) }, "0.tmp: it is missing"},
		"no file":       {func(w *world) error { return os.RemoveAll(w.path(kept + "/" + segment)) }, segment + ": it is missing"},
		"gone":          {func(w *world) error { return os.RemoveAll(w.path(kept)) }, kept + ": it is missing"},
		"called so now": {func(w *world) error { return os.Rename(w.path(kept), w.path("logs/m2")) }, kept + ": it is missing"},
	} {
		w := newWorld(t, vfs.OS, t.TempDir(), forms["log alone"])
		w.mustChange()
		if err := tc.alter(w); err != nil {
			t.Fatal(err)
		}
		before := w.read("")
		_, err := w.undo(acceptLoss)
		if altered, ok := errors.AsType[*change.AlteredError](err); !ok || !strings.Contains(altered.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", what, err, tc.want)
		}
		w.checkSame(what, w.read(""), before)
	}
}

// A log that has gone on since is taken out only if the loss is accepted; it is kept then, too. What etcd
// prepares for later is no loss.
func TestLoss(t *testing.T) {
	const segment = "logs/m1/0000000000000000-0000000000000000.wal"
	for what, tc := range map[string]struct {
		alter func(w *world) error
		want  string // empty: no loss
	}{
		"a spare": {func(w *world) error { w.write("logs/m1/1.tmp", []byte("x")); return nil }, ""},
		"nothing": {func(*world) error { return nil }, ""},
		"a bit":   {func(w *world) error { w.alter(segment, flip); return nil }, "0000000000000000.wal: sha256 "},
		"longer": {func(w *world) error {
			w.alter(segment, func(b []byte) []byte { return append(b, 1) })
			return nil
		}, "0000000000000000.wal: 136546 bytes, want 136545"},
		"a segment more": {func(w *world) error { w.write("logs/m1/2.wal", nil); return nil }, "2.wal: it was not there"},
		"a segment less": {func(w *world) error { return os.Remove(w.path(segment)) }, "0000000000000000.wal: it is missing"},
	} {
		w := newWorld(t, vfs.OS, t.TempDir(), forms["log alone"])
		before := w.read("logs/m1")
		w.mustChange()
		if err := tc.alter(w); err != nil {
			t.Fatal(err)
		}
		changed := w.read("logs/m1")
		_, err := w.undo()
		refused, is := errors.AsType[*change.RefusedError](err)
		if tc.want != "" {
			if !is || !refused.Refused() || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %v, want %q", what, err, tc.want)
			}
			w.checkSame(what, w.read("logs/m1"), changed)
			_, err = w.undo(acceptLoss)
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		w.checkSame(what, w.read("logs/m1"), before)
		w.checkSame(what+", kept", w.read("logs/m1.undone-20261129T020203Z"), changed)
	}
}

// The loss is told in entries, where the logs can be read.
func TestLossOfEntries(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["data"])
	s, err := w.begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(s.Log(), os.DirFS(w.path("data/member/wal"))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Place(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	log, _, err := wal.OpenForAppend(vfs.OS, w.path("data/member/wal"), wal.AppendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	then := log.Last()
	err = log.Append(raftpb.HardState{}, []raftpb.Entry{{Term: 9, Index: then + 1}, {Term: 9, Index: then + 2}})
	if err := errors.Join(err, log.Close()); err != nil {
		t.Fatal(err)
	}
	o := change.UndoOptions{FS: vfs.OS, Place: w.place(), Now: now}
	u, err := change.PlanUndo(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = u.Close() }()
	if u.Loss == nil || u.Loss.Now != (raftpb.EntryID{Term: 9, Index: then + 2}) || u.Loss.Then.Index != then {
		t.Errorf("loss: %v", u.Loss)
	}
	if u.Loss.Applied == 0 || u.Loss.Applied > then {
		t.Errorf("applied: %d", u.Loss.Applied)
	}
}

// Snapshot files are put back only where that destroys nothing.
func TestUndoSnapshots(t *testing.T) {
	const snap = "data/member/snap/"
	w := newWorld(t, vfs.OS, t.TempDir(), forms["data"])
	before := w.read("")
	w.mustChange()
	w.write(snap+newSnap, []byte("another one"))
	w.write(snap+badSnap, []byte("came since"))
	if _, err := w.undo(); err != nil {
		t.Fatal(err)
	}
	got := w.read("data/member/snap")
	for name, want := range map[string]string{newSnap + ".undone-20261129T020203Z": "another one", badSnap: "came since",
		badSnap + ".broken": before[snap+badSnap]} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if _, ok := got[newSnap]; ok {
		t.Errorf("%s is still there", newSnap)
	}
}

// etcd may have taken away what the change has added or put aside; that is as good as put back.
func TestUndoSnapshotsGone(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["data"])
	w.mustChange()
	for _, name := range []string{newSnap, badSnap + ".broken"} {
		if err := os.Remove(w.path("data/member/snap/" + name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.undo(); err != nil {
		t.Error(err)
	}
}

// A change can be undone in a data directory that was moved, with its log elsewhere too.
func TestUndoMoved(t *testing.T) {
	for _, name := range []string{"data", "log elsewhere"} {
		w := newWorld(t, vfs.OS, t.TempDir(), forms[name])
		before := w.read(w.form.log)
		w.mustChange()
		if err := os.Rename(w.path("data"), w.path("moved")); err != nil {
			t.Fatal(err)
		}
		w.form.dir, w.form.member = "moved", "moved/member"
		if w.form.wal != "" {
			if err := os.Rename(w.path("logs"), w.path("disk")); err != nil {
				t.Fatal(err)
			}
			w.form.wal = "disk/the wal"
			w.form.log = w.form.wal
		} else {
			w.form.log = "moved/member/wal"
		}
		if _, err := w.undo(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		w.checkSame(name, w.read(w.form.log), before)
	}
}

// In a data directory whose changed log lies elsewhere, that log has to be named.
func TestUndoOtherLog(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["log elsewhere"])
	w.mustChange()
	w.form.wal, w.form.log = "", "data/member/wal"
	w.write("data/member/wal/0000000000000000-0000000000000000.wal", []byte("another log"))
	before := w.read("")
	_, err := w.undo(acceptLoss)
	if other, ok := errors.AsType[*change.OtherLogError](err); !ok || other.Changed != w.path("logs/the wal") {
		t.Errorf("%v", err)
	}
	w.checkSame("not undone", w.read(""), before)
}

// Nothing to undo: there was no change, or it is undone.
func TestNothingToUndo(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["data"])
	if _, err := w.undo(); !errors.Is(err, change.ErrNothing) || len(w.history()) > 0 {
		t.Errorf("%v", err)
	}
	if states := w.history(); len(states) > 0 {
		t.Errorf("%q", states)
	}
}

// Where a path leads to a member, the audit file is found, whatever part of it is named.
func TestLocate(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["data"])
	w.write("other/wal/1.wal", nil)
	w.write("alone/1.wal", nil)
	w.write("two/m1/member/wal/1.wal", nil)
	w.write("two/m2/member/wal/1.wal", nil)
	data := change.Place{DataDir: w.path("data"), Log: w.path("data/member/wal"), Snap: w.path("data/member/snap")}
	for _, tc := range []struct {
		dir, wal string
		want     change.Place
		err      string
	}{
		{dir: "data", want: data},
		{dir: "data/", want: data},
		{dir: "data/member", want: data},
		{dir: "data/member/wal", want: data},
		{wal: "data/member/wal", want: data},
		{dir: "data/member/wal", wal: "data/member/wal", want: data},
		{dir: "data", wal: "alone", want: change.Place{DataDir: data.DataDir, Log: w.path("alone"), Snap: data.Snap}},
		{dir: "alone", want: change.Place{Log: w.path("alone")}},
		{dir: "alone/none", want: change.Place{Log: w.path("alone/none")}},
		{dir: "other", want: change.Place{Log: w.path("other/wal")}},
		{dir: "alone", wal: "other/wal", err: "no member/snap in it, want the data directory that goes with"},
		{dir: "two", err: "several data directories, name one: "},
		{dir: "two/m1", want: change.Place{DataDir: w.path("two/m1"), Log: w.path("two/m1/member/wal")}},
		{dir: "alone/1.wal", err: "1.wal"},
	} {
		abs := func(name string) string {
			if name == "" {
				return ""
			}
			return w.root + "/" + name
		}
		got, err := change.Locate(vfs.OS, abs(tc.dir), abs(tc.wal))
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s %s: %+v, %v, want %q", tc.dir, tc.wal, got, err, tc.err)
			}
			continue
		}
		if err != nil || got != tc.want {
			t.Errorf("%s %s: %+v, %v", tc.dir, tc.wal, got, err)
		}
	}
	t.Chdir(w.path("data/member/wal"))
	for _, dir := range []string{".", "..", "../..", "../wal"} {
		got, err := change.Locate(vfs.OS, dir, "")
		if err != nil || got.Log != data.Log || filepath.Base(got.Audit()) != "raftctl-changes.jsonl" {
			t.Errorf("%s: %+v, %v", dir, got, err)
		}
	}
	if got, want := (change.Place{Log: "/logs/m1"}).Audit(), "/logs/m1.raftctl-changes.jsonl"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
