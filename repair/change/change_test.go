package change_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/repair/change"
)

// A change puts its log in place and keeps the original, wherever the member's parts lie; undo puts it back
// bit for bit, and keeps what it takes out.
func TestInPlace(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, vfs.OS, t.TempDir(), form)
			before := w.read("")
			c := w.mustChange()
			log := w.path(form.log)
			if c.Kept != log+".before-20261129T010203Z" || c.Log != log || c.State != change.Done || !c.KeptThere {
				t.Errorf("%s is kept of %s, %s", c.Kept, c.Log, c.State)
			}
			all := w.read("")
			w.checkSame("after the change", without(all, ".jsonl", ".before-"), w.changed(before))
			w.checkSame("the original", w.read(form.log+".before-20261129T010203Z"), only(before, form.log))

			u, err := w.undo()
			if err != nil {
				t.Fatal(err)
			}
			if u.UndoneTo != log+".undone-20261129T020203Z" || u.Original != c.Kept || u.Loss != nil {
				t.Errorf("%s is kept, the original was %s, loss %v", u.UndoneTo, u.Original, u.Loss)
			}
			w.checkSame("after undo", without(w.read(""), ".jsonl", ".undone-"), before)
			w.checkSame("what was undone", w.read(form.log+".undone-20261129T020203Z"), only(w.changed(before), form.log))
			if got := w.history(); !slices.Equal(got, []change.State{change.Undone}) {
				t.Errorf("history: %q", got)
			}
			if _, err := w.undo(); !errors.Is(err, change.ErrNothing) {
				t.Errorf("undone twice: %v", err)
			}
		})
	}
}

// only are the files in a folder, by their names in it.
func only(files map[string]string, dir string) map[string]string {
	in := map[string]string{}
	for name, text := range files {
		if base, ok := strings.CutPrefix(name, dir+"/"); ok && base != "" {
			in[base] = text
		}
	}
	return in
}

// What a change was is on record: with sizes and sums of every file.
func TestRecord(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["data"])
	old := w.read("data/member")
	w.mustChange()
	list, err := change.History(vfs.OS, w.place())
	if err != nil || len(list) != 1 {
		t.Fatalf("%d changes, %v", len(list), err)
	}
	c := list[0]
	if c.Command != record.Command || c.Version != "1" || c.Plan != "0123" || !slices.Equal(c.What, record.What) ||
		!c.Time.Equal(now) {
		t.Errorf("%+v", c)
	}
	now := w.read("data/member")
	wantFiles(t, c.Before, only(old, "wal"))
	wantFiles(t, c.After, only(now, "wal"))
	wantFiles(t, c.Added, map[string]string{newSnap: now["snap/"+newSnap]})
	want := []change.Renamed{{File: fileOf(badSnap, old["snap/"+badSnap]), To: badSnap + ".broken"}}
	if diff := cmp.Diff(want, c.Quarantined); diff != "" {
		t.Errorf("put aside (-want +got):\n%s", diff)
	}
}

func wantFiles(t *testing.T, got []change.File, files map[string]string) {
	t.Helper()
	var want []change.File
	for name, text := range files {
		want = append(want, fileOf(name, text))
	}
	slices.SortFunc(want, func(a, b change.File) int { return strings.Compare(a.Name, b.Name) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// The log may be a link to a folder on another disk: that one is changed, and the link stays.
func TestLinkedLog(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["log elsewhere"])
	if err := os.Symlink(w.path("logs/the wal"), w.path("data/member/wal")); err != nil {
		t.Fatal(err)
	}
	w.form.wal = ""
	before := w.read("logs/the wal")
	c := w.mustChange()
	if c.Kept != w.path("logs/the wal.before-20261129T010203Z") {
		t.Errorf("%s is kept", c.Kept)
	}
	w.checkSame("behind the link", w.read("data/member/wal"), newLog(before))
	if _, err := w.undo(); err != nil {
		t.Fatal(err)
	}
	w.checkSame("behind the link after undo", w.read("data/member/wal"), before)
	if info, err := os.Lstat(w.path("data/member/wal")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
}

// Several changes in a second have names of their own, and are undone one by one, the last one first.
func TestSeveral(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["log alone"])
	states := []map[string]string{w.read("logs/m1")}
	for range 3 {
		w.mustChange()
		states = append(states, w.read("logs/m1"))
	}
	for i := 2; i >= 0; i-- {
		if _, err := w.undo(); err != nil {
			t.Fatal(err)
		}
		w.checkSame("after undo", w.read("logs/m1"), states[i])
	}
	if got := w.history(); !slices.Equal(got, []change.State{change.Undone, change.Undone, change.Undone}) {
		t.Errorf("history: %q", got)
	}
	for _, number := range []string{"", "-2", "-3"} {
		if name := "logs/m1.undone-20261129T020203Z" + number; len(w.read(name)) == 0 {
			t.Errorf("%s is not there", name)
		}
	}
}

// A snapshot file that is put aside may be replaced by one of its name, and etcd's own .broken file is not
// overwritten.
func TestReplacedSnapshot(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["data"])
	w.write("data/member/snap/"+badSnap+".broken", []byte("put aside before"))
	before := w.read("")
	s, err := w.begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.fill(s); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Snap(), badSnap), []byte("a better one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Place(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	snap := w.read("data/member/snap")
	if snap[badSnap] != "a better one" || snap[badSnap+".broken"] != "put aside before" ||
		snap[badSnap+".broken-2"] != before["data/member/snap/"+badSnap] {
		t.Errorf("%q", names(snap, nil))
	}
	if _, err := w.undo(); err != nil {
		t.Fatal(err)
	}
	w.checkSame("after undo", without(w.read(""), ".jsonl", ".undone-"), before)
}

// Where names can't be exchanged, two renames do it.
func TestWithoutExchange(t *testing.T) {
	for name, form := range forms {
		w := newWorld(t, plain{faultfs.NewOver(vfs.OS)}, t.TempDir(), form)
		before := w.read("")
		w.mustChange()
		w.checkSame(name, without(w.read(""), ".jsonl", ".before-"), w.changed(before))
		if _, err := w.undo(); err != nil {
			t.Fatal(err)
		}
		w.checkSame(name+" after undo", without(w.read(""), ".jsonl", ".undone-"), before)
	}
}

// A caller that has had enough while files are summed up finds everything as it was.
func TestCanceled(t *testing.T) {
	for _, form := range []string{"data", "log alone"} {
		r := newRig(t, form, true)
		ctx, cancel := context.WithCancel(t.Context())
		told := int64(0)
		s, err := change.Begin(change.Options{FS: r.fs, Source: *r.at, InPlace: true, Now: now, Progress: func(done, total int64) {
			if cancel(); done < told || done > total {
				t.Errorf("%d of %d, after %d", done, total, told)
			}
			told = done
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.fill(s); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Place(ctx, record); !errors.Is(err, context.Canceled) || told == 0 {
			t.Errorf("%v, after %d bytes", err, told)
		}
		if err := s.Remove(); err != nil {
			t.Error(err)
		}
		r.checkSame(form, r.read(""), r.before)
	}
}

// plain is a file system that can do what every one can.
type plain struct{ vfs.FS }
