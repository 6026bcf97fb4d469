package change_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/repair/change"
	"github.com/raftctl/raftctl/repair/staging"
)

// beginNew begins a result that lies elsewhere.
func (w *world) beginNew(output string, edit ...func(*change.Options)) (*change.Staged, error) {
	w.t.Helper()
	o := change.Options{FS: w.fs, Source: w.place(), Output: w.path(output), LogOnly: w.form.member == "", Now: now}
	for _, e := range edit {
		e(&o)
	}
	return change.Begin(o)
}

// makeNew makes a result that lies elsewhere, of the old log and the database.
func (w *world) makeNew(output string, edit ...func(*change.Options)) (*change.Change, error) {
	w.t.Helper()
	s, err := w.beginNew(output, edit...)
	if err != nil {
		return nil, err
	}
	err = w.fill(s)
	if err == nil && s.Database() != "" {
		err = writeFile(w.fs, s.Database(), []byte("a database"))
	}
	var c *change.Change
	if err == nil {
		r := record
		r.Source = "data"
		c, err = s.Place(w.t.Context(), r)
	}
	return c, errors.Join(err, s.Remove())
}

// madeFiles are those that a result has, below its folder.
func (w *world) madeFiles(before map[string]string) map[string]string {
	files := newLog(only(before, w.form.log))
	if w.form.member == "" {
		return files
	}
	made := map[string]string{"member/": "", "member/wal/": "", "member/snap/": "", "member/snap/db": "a database",
		"member/snap/" + newSnap: "a snapshot"}
	for name, text := range files {
		made["member/wal/"+name] = text
	}
	return made
}

// A result lies where it should, says what it was made of, and the source is as it was.
func TestOutput(t *testing.T) {
	for name, form := range forms {
		for _, there := range []bool{false, true} {
			if there && form.member == "" {
				continue
			}
			w := newWorld(t, vfs.OS, t.TempDir(), form)
			before := w.read("")
			if there { // as a mount point is, with what an interrupted one left
				if err := os.MkdirAll(w.path("new/one/member.changing-0123"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			c, err := w.makeNew("new/one")
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if c.State != change.Made || c.Source != "data" || c.Kept != "" {
				t.Errorf("%s: %+v", name, c)
			}
			w.checkSame(name, without(w.read("new/one"), ".jsonl", "0123"), w.madeFiles(before))
			w.checkSame(name+", the source", without(w.read(""), "new"), before)
			w.checkMade(name)
		}
	}
}

// checkMade checks what is on record of a result.
func (w *world) checkMade(name string) {
	w.t.Helper()
	at, err := change.Locate(w.fs, w.path("new/one"), "")
	if err != nil {
		w.t.Fatal(err)
	}
	list, err := change.History(w.fs, at)
	if err != nil || len(list) != 1 || list[0].State != change.Made || list[0].Plan != "0123" || len(list[0].After) != 2 {
		w.t.Errorf("%s: %+v, %v", name, list, err)
	}
	o := change.UndoOptions{FS: w.fs, Place: at, Now: now}
	if _, err := change.PlanUndo(w.t.Context(), o); !errors.Is(err, change.ErrNothing) {
		w.t.Errorf("%s: undo: %v", name, err)
	}
}

// A result is never put where there is something.
func TestOccupied(t *testing.T) {
	for name, form := range map[string]form{"data": forms["data"], "log alone": forms["log alone"]} {
		w := newWorld(t, vfs.OS, t.TempDir(), form)
		w.write("new/one/x", nil)
		before := w.read("")
		_, err := w.makeNew("new/one")
		if occupied, ok := errors.AsType[*staging.OccupiedError](err); !ok || occupied.Path != w.path("new/one") {
			t.Errorf("%s: %v", name, err)
		}
		w.checkSame(name, w.read(""), before)
	}
}

// A result is never put into what it is made of, by whatever path.
func TestInSource(t *testing.T) {
	w := newWorld(t, vfs.OS, filepath.Join(t.TempDir(), "world"), forms["log elsewhere"])
	if err := os.Symlink(w.path("logs"), w.path("../link")); err != nil {
		t.Fatal(err)
	}
	before := w.read("")
	for _, output := range []string{"data", "data/new", "data/member/new", "logs/the wal/new", "../link/the wal/new"} {
		_, err := w.makeNew(output)
		if _, ok := errors.AsType[*staging.OccupiedError](err); !ok || !strings.Contains(err.Error(), "in what it is made of") {
			t.Errorf("%s: %v", output, err)
		}
		w.checkSame(output, w.read(""), before)
	}
}

// Whichever operation fails, there is no result, and nothing else; wherever it is interrupted, it is there as a
// whole or not at all. The source is as it was.
func TestOutputFails(t *testing.T) {
	for _, form := range []string{"data", "log alone"} {
		r := newRig(t, form, true)
		do := func(r *rig) func() error {
			return func() error { _, err := r.makeNew("new/one"); return err }
		}
		n := r.operations(do(r))
		for i := range n {
			for _, crash := range []bool{false, true} {
				r := newRig(t, form, true)
				at, err := r.failing(i, crash, do(r))
				if !crash {
					r.checkOutputFailed(at, err)
					continue
				}
				for _, cut := range cuts(uint64(i)) {
					r.crashed(cut).checkOutput(at)
				}
			}
		}
	}
}

func (r *rig) checkOutputFailed(at faultfs.Op, err error) {
	r.t.Helper()
	if err == nil {
		r.checkSame(at.String(), without(r.read("new/one"), ".jsonl"), r.madeFiles(r.before))
		return
	}
	left := r.read("")
	if len(r.read("new")) == 0 && at.Kind == faultfs.OpRemove {
		delete(left, "new/") // nobody else could remove it either
	}
	r.checkSame(at.String(), left, r.before)
}

// checkOutput checks a result that was interrupted.
func (r *rig) checkOutput(at faultfs.Op) {
	r.t.Helper()
	all := r.read("")
	r.checkSame(at.String(), without(all, "new"), r.before)
	if made := without(r.read("new/one"), ".jsonl"); len(made) > 0 {
		r.checkSame(at.String(), made, r.madeFiles(r.before))
	}
	for name := range all {
		if !strings.HasPrefix(name, "new/one/") && strings.HasPrefix(name, "new/") && name != "new/" &&
			!strings.HasPrefix(name, "new/one.") && name != "new/one" {
			r.t.Errorf("up to %v: %s is left", at, name)
		}
	}
}

// What is made belongs to whom the source belongs, with its permissions, in place and elsewhere. Without the
// right to give files away a change in place is refused.
func TestOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Log("not root: whatever is made belongs to the user")
		return
	}
	w := newWorld(t, vfs.OS, t.TempDir(), forms["data"])
	const uid, gid = 1234, 2345
	modes := map[string]os.FileMode{"data/member/wal": 0o750, "data/member/wal/0000000000000000-0000000000000000.wal": 0o640}
	for name := range w.read("") {
		if err := os.Chown(w.path(name), uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range modes {
		if err := os.Chmod(w.path(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	w.mustChange()
	modes["data/member/wal/0000000000000001-0000000000000300.wal"] = 0o640
	modes["data/member/snap/"+newSnap], modes["data/raftctl-changes.jsonl"] = 0o600, 0o600
	check := func(want map[string]os.FileMode, under string) {
		t.Helper()
		for name := range w.read(under) {
			info, err := os.Stat(w.path(filepath.Join(under, name)))
			if err != nil {
				t.Fatal(err)
			}
			if st := info.Sys().(*syscall.Stat_t); st.Uid != uid || st.Gid != gid {
				t.Errorf("%s belongs to %d:%d", name, st.Uid, st.Gid)
			}
			mode, ok := want[filepath.Join(under, strings.TrimSuffix(name, "/"))]
			if ok && info.Mode().Perm() != mode {
				t.Errorf("%s has mode %v, want %v", name, info.Mode(), mode)
			}
		}
	}
	check(modes, "data")
	if _, err := w.makeNew("new/one"); err != nil {
		t.Fatal(err)
	}
	check(map[string]os.FileMode{"new/one/member": 0o700, "new/one/member/snap/db": 0o600}, "new/one")
}

// The files of a source in an archive belong to nobody.
func TestOutputOfArchive(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["data"])
	if _, err := w.makeNew("new/one", func(o *change.Options) { o.Source = change.Place{} }); err != nil {
		t.Error(err)
	}
	w.checkMade("archive")
}

// Sums that the caller has are put on record, and those files aren't read again.
func TestSums(t *testing.T) {
	r := newRig(t, "log alone", true)
	s, err := r.begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.fill(s); err != nil {
		t.Fatal(err)
	}
	rec, sum := record, change.Sum{1, 2, 3}
	rec.Sums = map[string]change.Sum{}
	for _, dir := range []string{"logs/m1", s.Log()} {
		for name := range r.read(dir) {
			rec.Sums[filepath.Join(dir, name)] = sum
		}
	}
	reads := 0
	r.mem.Watch(func(op faultfs.Op) error {
		if op.Kind == faultfs.OpRead && !strings.HasSuffix(op.Name, ".jsonl") {
			reads++
		}
		return nil
	})
	c, err := s.Place(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(c.Before, c.After)
	if reads > 0 || len(all) != 4 {
		t.Errorf("%d reads, of %d files", reads, len(all))
	}
	for _, f := range all {
		if f.SHA256 != sum.String() {
			t.Errorf("%s: %s", f.Name, f.SHA256)
		}
	}
}
