package restore_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/repair/restore"
	"github.com/raftctl/raftctl/repair/staging"
)

// forms are restores that write in different ways.
var forms = map[string]func(o *restore.Options, dir string){
	"one": func(o *restore.Options, dir string) {
		o.Targets = []restore.Target{{Name: "s1", DataDir: filepath.Join(dir, "new", "data")}}
	},
	"log elsewhere": func(o *restore.Options, dir string) {
		o.Targets = []restore.Target{{Name: "s1", DataDir: filepath.Join(dir, "data"), WalDir: filepath.Join(dir, "logs", "wal")}}
	},
	"two": func(o *restore.Options, dir string) {
		for _, name := range []string{"s1", "s2"} {
			o.Targets = append(o.Targets, restore.Target{Name: name, DataDir: filepath.Join(dir, "all", name)})
		}
	},
}

// try restores into a folder on a file system that may fail.
func try(t *testing.T, fsys vfs.FS, dir string, form func(*restore.Options, string), more ...func(*restore.Options)) error {
	t.Helper()
	q := asked{file: backupOf(t, "3.6").path, cluster: threeMembers, edit: func(o *restore.Options) {
		o.FS, o.Targets = fsys, nil
		form(o, dir)
		for _, m := range more {
			m(o)
		}
	}}
	p, err := restore.NewPlan(q.withDefaults(t).options(t))
	if err != nil {
		return err
	}
	_, err = p.Run(t.Context())
	return err
}

// tree are the paths of all files and folders.
func tree(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if path != dir {
			list = append(list, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Whichever operation fails, there is no result and nothing else, and the source is as it was.
func TestFailures(t *testing.T) {
	source := backupOf(t, "3.6").path
	before, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	for name, form := range forms {
		for _, i := range operations(t, form) {
			var at faultfs.Op
			o := faultfs.NewOver(vfs.OS)
			o.Watch(func(op faultfs.Op) error {
				if op.N != i {
					return nil
				}
				at = op
				return faultfs.ErrInjected
			})
			dir := t.TempDir()
			err := try(t, o, dir, form)
			if left := tree(t, dir); err != nil && len(left) > 0 {
				t.Errorf("%s: %v fails: %v, and %q is left", name, at, err, left)
			}
			if err == nil {
				survived(t, at, dir, form)
			}
			_ = os.RemoveAll(dir)
		}
	}
	if after, err := os.ReadFile(source); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the source is another one, %v", err)
	}
}

// survived checks a restore that got over a failure: there is another way, as for one of two meta pages, or a
// folder that can't be renamed while it is open. The result is whole.
func survived(t *testing.T, at faultfs.Op, dir string, form func(*restore.Options, string)) {
	t.Helper()
	switch at.Kind {
	case faultfs.OpRead, faultfs.OpStat, faultfs.OpReadDir, faultfs.OpClose:
	case faultfs.OpRename:
		if filepath.Ext(at.Name) != ".tmp" {
			t.Errorf("%v fails, and nobody says so", at)
		}
	default:
		t.Errorf("%v fails, and nobody says so", at)
	}
	q := asked{file: backupOf(t, "3.6").path, cluster: threeMembers, name: "s1"}
	want := items(t, databaseOf(q.ours(t, restore.Release36)))
	var o restore.Options
	form(&o, dir)
	for _, target := range o.Targets {
		if diff := cmp.Diff(want, items(t, databaseOf(target.DataDir))); diff != "" {
			t.Errorf("%v fails: %s", at, diff)
		}
		wal := target.WalDir
		if wal == "" {
			wal = filepath.Join(target.DataDir, "member", "wal")
		}
		if b, err := os.ReadFile(filepath.Join(wal, segmentName)); err != nil || len(b) != 64_000_000 || b[480] == 0 {
			t.Errorf("%v fails: a log of %d bytes, %v", at, len(b), err)
		}
	}
	for _, name := range tree(t, dir) {
		if strings.Contains(name, ".restoring-") {
			t.Errorf("%v fails: %s is left", at, name)
		}
	}
}

// operations are the numbers of the operations of a restore. Of a stretch of reads, as of the log when it is
// verified, they are the first ones.
func operations(t *testing.T, form func(*restore.Options, string)) (list []int) {
	t.Helper()
	const most = 4
	reads := 0
	o := faultfs.NewOver(vfs.OS)
	o.Watch(func(op faultfs.Op) error {
		if reads++; op.Kind != faultfs.OpRead {
			reads = 0
		}
		if reads <= most {
			list = append(list, op.N)
		}
		return nil
	})
	if err := try(t, o, t.TempDir(), form); err != nil {
		t.Fatal(err)
	}
	if len(list) < 50 {
		t.Errorf("%d operations, want more", len(list))
	}
	return list
}

// A disk without room is seen before anything is written, and one that runs full leaves nothing.
func TestDiskFull(t *testing.T) {
	const need = 64_000_000
	for name, form := range forms {
		o := faultfs.NewOver(vfs.OS)
		o.SetSpace(need / 2)
		dir := t.TempDir()
		before := o.Ops()
		err := try(t, o, dir, form)
		if !errors.Is(err, syscall.ENOSPC) || !contains(err, "bytes are needed, and 32000000 are free") {
			t.Errorf("%s: %v, want a full disk, with both numbers", name, err)
		}
		if left := tree(t, dir); len(left) > 0 || o.Ops() == before {
			t.Errorf("%s: %q is left", name, left)
		}
		for _, room := range []int64{0, 1, 5000, 40_000, need, need + 100} {
			o := faultfs.NewOver(vfs.OS)
			err := try(t, blind{o}, dir, form, func(*restore.Options) { o.SetSpace(room) })
			if left := tree(t, dir); !errors.Is(err, syscall.ENOSPC) || len(left) > 0 {
				t.Errorf("%s: %d bytes of room: %v, and %q is left", name, room, err, left)
			}
		}
	}
}

// blind is a file system that doesn't tell how much room it has.
type blind struct{ vfs.FS }

// A restore that is interrupted leaves nothing, wherever it is.
func TestInterrupted(t *testing.T) {
	for step := range 4 {
		ctx, cancel := context.WithCancel(t.Context())
		dir := t.TempDir()
		o := asked{file: backupOf(t, "3.6").path, cluster: threeMembers, name: "s1", skipHash: true}.withDefaults(t).options(t)
		o.Targets = nil
		forms["two"](&o, dir)
		steps := map[restore.Step]bool{}
		o.Progress = func(s restore.Step, _, _ int64) {
			if steps[s] = true; len(steps) == step {
				cancel()
			}
		}
		p, err := restore.NewPlan(o)
		if err != nil {
			t.Fatal(err)
		}
		if step == 0 {
			cancel()
		}
		if _, err := p.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("step %d: %v, want that it was canceled", step, err)
		}
		cancel()
		if left := tree(t, dir); len(left) > 0 {
			t.Errorf("step %d: %q is left", step, left)
		}
	}
}

// What is there already is not touched, and what a killed restore left is no hindrance.
func TestOccupied(t *testing.T) {
	write := func(dir string, names ...string) {
		for _, name := range names {
			if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tc := range []struct {
		form  string
		there []string
		want  string
	}{
		{"one", []string{"new/data/member"}, "data: it is not empty, it holds member"},
		{"one", []string{"new/data/x"}, "it holds x"},
		{"one", []string{"new/data"}, ""},
		{"one", []string{"new/data.restoring-0123/member", "new/data/member.restoring-1"}, ""},
		{"log elsewhere", []string{"logs/wal"}, "wal: it exists"},
		{"log elsewhere", []string{"logs/wal.restoring-1"}, ""},
		{"two", []string{"all/s2/member"}, "s2: it is not empty"},
		{"two", []string{"all/s2"}, ""},
	} {
		dir := t.TempDir()
		write(dir, tc.there...)
		before := tree(t, dir)
		err := try(t, vfs.OS, dir, forms[tc.form])
		if tc.want == "" {
			if err != nil {
				t.Errorf("%s with %q: %v", tc.form, tc.there, err)
			}
			continue
		}
		var occupied *staging.OccupiedError
		if !errors.As(err, &occupied) || !contains(err, tc.want) {
			t.Errorf("%s with %q: %v, want %q", tc.form, tc.there, err, tc.want)
		}
		if after := tree(t, dir); strings.Join(after, " ") != strings.Join(before, " ") {
			t.Errorf("%s with %q: %q", tc.form, tc.there, after)
		}
	}
}
