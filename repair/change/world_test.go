package change_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/change"
)

var now = time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC)

// The snapshot files that the tests add and put aside; a real member has the second.
const (
	newSnap = "0000000000000002-0000000000000250.snap"
	badSnap = "0000000000000002-00000000000001fe.snap"
)

// form is where a member lies, below a folder.
type form struct {
	dir, wal string // as a user names them
	member   string // the folder that has snap; empty: there is none
	log      string // the folder of segments
}

var forms = map[string]form{
	"data":          {dir: "data", member: "data/member", log: "data/member/wal"},
	"names":         {dir: "my data/m 1", member: "my data/m 1/member", log: "my data/m 1/member/wal"},
	"log elsewhere": {dir: "data", wal: "logs/the wal", member: "data/member", log: "logs/the wal"},
	"log alone":     {dir: "logs/m1", log: "logs/m1"},
	"member alone":  {dir: "copy", member: "copy", log: "copy/wal"},
}

// world is a member that is changed.
type world struct {
	t    testing.TB
	fs   vfs.FS
	root string
	form form

	at   *change.Place     // instead of finding it, where that may fail
	next map[string]string // likewise the log that a change makes
}

// newWorld puts a real member onto a file system.
func newWorld(t testing.TB, fsys vfs.FS, root string, f form) *world {
	t.Helper()
	w := &world{t: t, fs: fsys, root: root, form: f}
	for name, b := range memberFiles(t) {
		dir, base := filepath.Split(name)
		switch {
		case dir == "wal/":
			w.write(filepath.Join(f.log, base), b)
		case f.member != "":
			w.write(filepath.Join(f.member, name), b)
		}
	}
	w.write(filepath.Join(f.log, "0.tmp"), []byte("spare"))
	return w
}

// memberFiles are the files of a real member, whose log is cut to what it holds.
func memberFiles(t testing.TB) map[string][]byte {
	t.Helper()
	dir := filepath.Join(corpus.Dir(t, "c34-1n-clean"), "member")
	once.Do(func() {
		err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(filepath.Join(dir, name))
			if strings.HasSuffix(name, ".wal") {
				b = append(bytes.TrimRight(b, "\x00"), make([]byte, 64)...)
			}
			files[name] = b
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	return files
}

var (
	once  sync.Once
	files = map[string][]byte{}
)

func (w *world) path(name string) string { return filepath.Join(w.root, name) }

// write writes a file for good, and the folders above it.
func (w *world) write(name string, b []byte) {
	w.t.Helper()
	path := w.path(name)
	err := w.fs.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = writeFile(w.fs, path, b)
	}
	for dir := filepath.Dir(path); err == nil && len(dir) >= len(w.root) && dir != "."; dir = filepath.Dir(dir) {
		err = w.fs.SyncDir(dir)
	}
	if err == nil && w.root == "" {
		err = w.fs.SyncDir("")
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func writeFile(fsys vfs.FS, path string, b []byte) error {
	f, err := fsys.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	return errors.Join(err, f.Sync(), f.Close())
}

func readFile(fsys vfs.FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// read returns all files below a folder of the world, with their bytes; folders end with a slash.
func (w *world) read(name string) map[string]string {
	w.t.Helper()
	all := map[string]string{}
	if err := readTree(w.fs, w.path(name), "", all); err != nil {
		w.t.Fatal(err)
	}
	return all
}

func readTree(fsys vfs.FS, root, at string, all map[string]string) error {
	entries, err := fsys.ReadDir(filepath.Join(root, at))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(at, e.Name())
		if e.IsDir() {
			all[name+"/"] = ""
			if err := readTree(fsys, root, name, all); err != nil {
				return err
			}
			continue
		}
		b, err := readFile(fsys, filepath.Join(root, name))
		if err != nil {
			return err
		}
		all[name] = string(b)
	}
	return nil
}

// place finds the member.
func (w *world) place() change.Place {
	w.t.Helper()
	if w.at != nil {
		return *w.at
	}
	wal := w.form.wal
	if wal != "" {
		wal = w.path(wal)
	}
	p, err := change.Locate(w.fs, w.path(w.form.dir), wal)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// newLog are the files of the log that a change makes of an old one: it ends otherwise, and has another segment.
func newLog(old map[string]string) map[string]string {
	files := map[string]string{"0000000000000001-0000000000000300.wal": strings.Repeat("segment ", 512)}
	for name, text := range old {
		if strings.HasSuffix(name, ".wal") {
			b := []byte(text)
			b[len(b)/2] ^= 4
			files[name] = string(b)
		}
	}
	return files
}

// begin begins a change of the member.
func (w *world) begin() (*change.Staged, error) {
	w.t.Helper()
	return change.Begin(change.Options{FS: w.fs, Source: w.place(), InPlace: true, Now: now})
}

// fill writes what a change puts in place: a log, and a snapshot file where there are such. Another one is put
// aside.
func (w *world) fill(s *change.Staged) error {
	next := w.next
	if next == nil {
		next = newLog(w.read(w.form.log))
	}
	for name, text := range next {
		if err := w.fs.MkdirAll(s.Log(), 0o700); err != nil {
			return err
		}
		if err := writeFile(w.fs, filepath.Join(s.Log(), name), []byte(text)); err != nil {
			return err
		}
	}
	if w.form.member == "" {
		return nil
	}
	s.Quarantine(badSnap)
	return writeFile(w.fs, filepath.Join(s.Snap(), newSnap), []byte("a snapshot"))
}

var record = change.Record{Command: "raftctl wal repair data --in-place", Version: "1", Plan: "0123",
	What: []string{"cut off a torn end", "added a snapshot"}}

// change changes the member in place.
func (w *world) change() (*change.Change, error) {
	w.t.Helper()
	s, err := w.begin()
	if err != nil {
		return nil, err
	}
	err = w.fill(s)
	var c *change.Change
	if err == nil {
		c, err = s.Place(w.t.Context(), record)
	}
	return c, errors.Join(err, s.Remove())
}

// mustChange is change that must not fail.
func (w *world) mustChange() *change.Change {
	w.t.Helper()
	c, err := w.change()
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// undo undoes the last change.
func (w *world) undo(edit ...func(*change.UndoOptions)) (*change.Undo, error) {
	w.t.Helper()
	o := change.UndoOptions{FS: w.fs, Place: w.place(), Command: "raftctl undo data", Version: "1", Now: now.Add(time.Hour)}
	for _, e := range edit {
		e(&o)
	}
	u, err := change.PlanUndo(w.t.Context(), o)
	if err != nil {
		return nil, err
	}
	return u, errors.Join(u.Run(w.t.Context()), u.Close())
}

func acceptLoss(o *change.UndoOptions) { o.AcceptLoss = true }

// history returns the states of all changes.
func (w *world) history() (states []change.State) {
	w.t.Helper()
	list, err := change.History(w.fs, w.place())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range list {
		states = append(states, c.State)
	}
	return states
}

// changed is what there is after a change of what there was before, but for the audit file and what is kept.
func (w *world) changed(before map[string]string) map[string]string {
	after := map[string]string{}
	log := w.form.log + "/"
	old := map[string]string{}
	for name, text := range before {
		if base, ok := strings.CutPrefix(name, log); ok && base != "" {
			old[base] = text
			continue
		}
		after[name] = text
	}
	for name, text := range newLog(old) {
		after[log+name] = text
	}
	if w.form.member != "" {
		snap := w.form.member + "/snap/"
		after[snap+newSnap] = "a snapshot"
		after[snap+badSnap+".broken"] = before[snap+badSnap]
		delete(after, snap+badSnap)
	}
	return after
}

// without leaves out files and folders whose names have one of these parts, and what lies in such.
func without(files map[string]string, parts ...string) map[string]string {
	rest := maps.Clone(files)
	maps.DeleteFunc(rest, func(name, _ string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(name, p) })
	})
	return rest
}

// names are those of files whose contents two worlds don't have alike.
func names(a, b map[string]string) (list []string) {
	for name, text := range a {
		if other, ok := b[name]; !ok || other != text {
			list = append(list, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// checkSame reports the files that aren't what they should be.
func (w *world) checkSame(what string, got, want map[string]string) {
	w.t.Helper()
	if list := names(got, want); len(list) > 0 {
		w.t.Errorf("%s: %q differ", what, list)
	}
}

// fileOf is what is on record of a file.
func fileOf(name, text string) change.File {
	sum := change.Sum(sha256.Sum256([]byte(text)))
	return change.File{Name: name, Size: int64(len(text)), SHA256: sum.String()}
}
