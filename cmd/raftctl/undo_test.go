package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/change"
)

// changed is a data directory whose log was changed in place: a bit in it is another one.
type changed struct {
	t   *testing.T
	dir string // the folder in which it is called data
	log string
}

const oneSegment = "0000000000000000-0000000000000000.wal"

func newChanged(t *testing.T, walDir string) *changed {
	t.Helper()
	c := &changed{t: t, dir: t.TempDir()}
	c.log = filepath.Join(c.dir, "data", "member", "wal")
	if err := os.Rename(corpus.Copy(t, "c36-leasecp-1n-clean"), filepath.Join(c.dir, "data")); err != nil {
		t.Fatal(err)
	}
	if walDir != "" {
		elsewhere := filepath.Join(c.dir, walDir)
		if err := os.Rename(c.log, elsewhere); err != nil {
			t.Fatal(err)
		}
		c.log = elsewhere
	}
	c.change(walDir)
	return c
}

func (c *changed) change(walDir string) {
	c.t.Helper()
	if walDir != "" {
		walDir = filepath.Join(c.dir, walDir)
	}
	at, err := change.Locate(vfs.OS, filepath.Join(c.dir, "data"), walDir)
	if err != nil {
		c.t.Fatal(err)
	}
	s, err := change.Begin(change.Options{FS: vfs.OS, Source: at, InPlace: true, Now: testApp(nil, nil).Now()})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.CopyFS(s.Log(), os.DirFS(at.Log)); err != nil {
		c.t.Fatal(err)
	}
	c.flip(filepath.Join(s.Log(), oneSegment))
	if _, err := s.Place(c.t.Context(), change.Record{Command: "raftctl wal repair data --in-place", Version: "1",
		What: []string{"corrected a bit", "told nobody"}}); err != nil {
		c.t.Fatal(err)
	}
}

// flip flips a bit behind the log's end.
func (c *changed) flip(name string) {
	c.t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	b := make([]byte, 1)
	_, err = f.ReadAt(b, 1_000_000)
	b[0] ^= 1
	_, writeErr := f.WriteAt(b, 1_000_000)
	if err := errors.Join(err, writeErr, f.Close()); err != nil {
		c.t.Fatal(err)
	}
}

// run runs undo in the folder.
func (c *changed) run(want int, args ...string) (out, errs string) {
	c.t.Helper()
	return c.command(want, append([]string{"undo"}, args...)...)
}

func (c *changed) command(want int, args ...string) (out, errs string) {
	c.t.Helper()
	var o, e bytes.Buffer
	a := testApp(&o, &e)
	a.Dir = c.dir
	if status := run(c.t.Context(), a, args); status != want {
		c.t.Errorf("%q: exit status %d, want %d\n%s%s", args, status, want, &o, &e)
	}
	return o.String(), e.String()
}

// is reports whether the log in place is the original: the bit in it is the old one.
func (c *changed) isOriginal() bool {
	c.t.Helper()
	f, err := os.Open(filepath.Join(c.log, oneSegment))
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, 1_000_000); err != nil {
		c.t.Fatal(err)
	}
	return b[0] == 0
}

func (c *changed) want(original bool, text, part string) {
	c.t.Helper()
	if c.isOriginal() != original {
		c.t.Errorf("the original is in place: %v, want %v", !original, original)
	}
	if !strings.Contains(text, part) {
		c.t.Errorf("got\n%swant\n%s", text, part)
	}
}

// undo puts the original back, after it has shown what it would do, and not without a yes.
func TestUndo(t *testing.T) {
	c := newChanged(t, "")
	out, _ := c.run(ui.StatusOK, "data", "--list")
	c.want(false, out, "done   data/member/wal.before-")
	c.want(false, out, "corrected a bit, and 1 more")
	out, _ = c.run(ui.StatusOK, "data", "--dry-run")
	c.want(false, out, "would keep  what is in place, as data/member/wal.undone-")
	c.want(false, out, "1 file of 61.0 MiB; every file is what it was")
	_, errs := c.run(ui.StatusUsage, "data")
	c.want(false, errs, "Put back data/member/wal.before-")
	c.want(false, errs, "no terminal to ask on; --yes answers")
	out, _ = c.run(ui.StatusOK, "data", "--yes")
	c.want(true, out, "undone      the original is in place; what was there is kept in data/member/wal.undone-")
	out, _ = c.run(ui.StatusOK, "data", "--list")
	c.want(true, out, "undone  in place  corrected a bit")
	_, errs = c.run(ui.StatusUsage, "data", "--yes")
	c.want(true, errs, "raftctl undo: data: no change in place that isn't undone; 'raftctl undo --list data' lists what was done")
}

// On a terminal, it asks.
func TestUndoAsks(t *testing.T) {
	c := newChanged(t, "")
	for _, answer := range []bool{false, true} {
		var out, errs bytes.Buffer
		a := testApp(&out, &errs)
		a.Dir, a.Confirm = c.dir, func(string) (bool, error) { return answer, nil }
		status := run(t.Context(), a, []string{"undo", "data"})
		if (status == ui.StatusOK) != answer || !answer && status != ui.StatusRefused {
			t.Errorf("%v: exit status %d: %s", answer, status, &errs)
		}
		c.want(answer, out.String()+errs.String(), "undone")
	}
}

// What was written since is lost only if that is accepted.
func TestUndoLoss(t *testing.T) {
	c := newChanged(t, "")
	c.flip(filepath.Join(c.log, oneSegment))
	out, _ := c.run(ui.StatusRefused, "data", "--dry-run")
	c.want(true, out, "loss        the log in place has gone on since the change: "+oneSegment+": sha256 ")
	_, errs := c.run(ui.StatusRefused, "data", "--yes")
	c.want(true, errs, "'raftctl undo --accept-loss data' takes it out all the same, and keeps it beside")
	out, _ = c.run(ui.StatusOK, "data", "--dry-run", "--accept-loss", "-o", "json")
	var r struct {
		DryRun bool `json:"dry_run"`
		Undone bool
		Loss   struct {
			Files   []string
			Now     struct{ Index uint64 }
			Then    struct{ Index uint64 }
			Applied uint64
		}
		Change struct{ State, Command string }
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if !r.DryRun || r.Undone || r.Change.State != "done" || len(r.Loss.Files) != 1 || r.Loss.Then.Index == 0 ||
		r.Loss.Applied == 0 {
		t.Errorf("%+v", r)
	}
	out, _ = c.run(ui.StatusOK, "data", "--yes", "--accept-loss")
	c.want(true, out, "undone ")
	out, _ = c.run(ui.StatusOK, "data", "--list", "-o", "json")
	c.want(true, out, `"state": "undone"`)
}

// An original that isn't what it was is damage.
func TestUndoAltered(t *testing.T) {
	c := newChanged(t, "")
	kept, err := filepath.Glob(c.log + ".before-*")
	if err != nil || len(kept) != 1 {
		t.Fatalf("%q, %v", kept, err)
	}
	c.flip(filepath.Join(kept[0], oneSegment))
	_, errs := c.run(ui.StatusDamage, "data", "--yes")
	c.want(false, errs, oneSegment+": sha256 ")
	c.want(false, errs, "nothing was undone")
	if err := os.RemoveAll(kept[0]); err != nil {
		t.Fatal(err)
	}
	out, _ := c.run(ui.StatusOK, "data", "--list")
	c.want(false, out, ": gone")
	_, errs = c.run(ui.StatusDamage, "data", "--yes")
	c.want(false, errs, "it is missing; nothing was undone")
}

// A log that a process holds is left alone.
func TestUndoHeld(t *testing.T) {
	c := newChanged(t, "")
	f, err := vfs.OS.OpenFile(filepath.Join(c.log, oneSegment), os.O_RDWR, 0)
	if err == nil {
		err = f.Lock()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	_, errs := c.run(ui.StatusInUse, "data", "--yes")
	c.want(false, errs, "locked by another process; stop the etcd that runs on it")
}

// A log that lies elsewhere has to be named.
func TestUndoWalDir(t *testing.T) {
	c := newChanged(t, "my log")
	_, errs := c.run(ui.StatusUsage, "data", "--yes")
	c.want(false, errs, "name it: 'raftctl undo data --wal-dir 'my log''")
	out, _ := c.run(ui.StatusOK, "data", "--yes", "--wal-dir", "my log")
	c.want(true, out, "is kept in 'my log.undone-")
}

// What isn't a member, or no command line.
func TestUndoUsage(t *testing.T) {
	c := newChanged(t, "")
	for _, args := range [][]string{{}, {"data", "x"}, {"data", "--list", "--yes"}, {"data", "--nope"}, {""}} {
		_, errs := c.run(ui.StatusUsage, args...)
		c.want(false, errs, "raftctl undo: ")
	}
	_, errs := c.run(ui.StatusUsage, "data/member/snap/db", "--yes")
	c.want(false, errs, "data/member/snap/db is no directory, want a data directory or a folder of segments")
	_, errs = c.run(ui.StatusError, "none", "--yes")
	c.want(false, errs, "none: no such file or directory")
	if err := os.Mkdir(filepath.Join(c.dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	out, _ := c.run(ui.StatusOK, "empty", "--list")
	c.want(false, out, "no changes: there is nothing on record in empty.raftctl-changes.jsonl")
	_, errs = c.run(ui.StatusUsage, "empty", "--yes")
	c.want(false, errs, "no change in place")
}

// What undo prints as JSON is in the contract.
func TestUndoJSONContract(t *testing.T) {
	text := readDoc(t, "docs/json.md")
	c := newChanged(t, "")
	c.flip(filepath.Join(c.log, oneSegment))
	for _, args := range [][]string{{"--list"}, {"--dry-run", "--accept-loss"}, {"--yes", "--accept-loss"}} {
		out, _ := c.run(ui.StatusOK, append(args, "data", "-o", "jsonl")...)
		var v any
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		wantNames(t, text, v)
	}
	for _, s := range []change.State{
		change.Made, change.Done, change.HalfDone, change.TakenBack, change.HalfUndone, change.Undone,
	} {
		wantNamed(t, text, string(s))
	}
}

// A change that was interrupted is known: nothing else is begun, and undo takes it back, also where there is no log
// at its place.
func TestUndoHalfDone(t *testing.T) {
	for _, missing := range []bool{false, true} {
		c := newChanged(t, "")
		audit := filepath.Join(c.dir, "data", "raftctl-changes.jsonl")
		text, err := os.ReadFile(audit)
		if err != nil {
			t.Fatal(err)
		}
		begun, _, _ := bytes.Cut(text, []byte("\n"))
		if err := os.WriteFile(audit, append(begun, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		if missing { // as between two renames
			var e struct{ Staged string }
			if err := json.Unmarshal(begun, &e); err != nil {
				t.Fatal(err)
			}
			staged := filepath.Join(filepath.Dir(c.log), e.Staged)
			if err := errors.Join(os.Mkdir(staged, 0o700), os.Rename(c.log, filepath.Join(staged, "wal"))); err != nil {
				t.Fatal(err)
			}
		} else {
			_, errs := c.command(ui.StatusRefused, "wal", "repair", "data", "--in-place", "--yes")
			c.want(false, errs, "was interrupted; undo finishes that first")
		}
		out, _ := c.run(ui.StatusOK, "data", "--list")
		if !strings.Contains(out, "half done  undo finds it") {
			t.Errorf("missing %v: %s", missing, out)
		}
		out, _ = c.run(ui.StatusOK, "data", "--yes")
		c.want(true, out, "undone      the original is in place")
		left, err := filepath.Glob(filepath.Join(c.dir, "data", "member", "*.changing-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("%q are left, %v", left, err)
		}
	}
}
