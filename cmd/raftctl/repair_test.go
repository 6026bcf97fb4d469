package main

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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
)

// ailing is a member with a flipped bit, in a folder of its own.
type ailing struct {
	t      *testing.T
	folder string
	dir    string // the data directory in it
	app    *ui.App
	out    bytes.Buffer
	errs   bytes.Buffer
}

func newAiling(t *testing.T) *ailing {
	t.Helper()
	folder := filepath.Dir(corpus.Copy(t, "damaged/flipped"))
	p := &ailing{t: t, folder: folder, dir: filepath.Join(folder, "flipped")}
	if err := os.Truncate(filepath.Join(p.dir, "member", "wal", segmentName), 4096); err != nil { // the rest is zeros
		t.Fatal(err)
	}
	p.app = testApp(&p.out, &p.errs)
	p.app.Dir = folder
	return p
}

// repair runs the command in the folder.
func (p *ailing) repair(ctx context.Context, args ...string) int {
	p.out.Reset()
	p.errs.Reset()
	return run(ctx, p.app, append([]string{"wal", "repair", "flipped"}, args...))
}

// files returns all files in the folder with what is in them.
func (p *ailing) files() map[string]string {
	p.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(p.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		text := "folder"
		if !d.IsDir() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = string(b)
		}
		all[strings.TrimPrefix(path, p.folder)] = text
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

// countingFS calls a function before each operation that changes something.
type countingFS struct {
	vfs.FS
	before func() error
}

func (f countingFS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	if flag&os.O_CREATE != 0 {
		if err := f.before(); err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
	return f.FS.OpenFile(name, flag, perm)
}

func (f countingFS) MkdirAll(name string, perm fs.FileMode) error {
	if err := f.before(); err != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: err}
	}
	return f.FS.MkdirAll(name, perm)
}

func (f countingFS) SyncDir(name string) error {
	if err := f.before(); err != nil {
		return &fs.PathError{Op: "sync", Path: name, Err: err}
	}
	return f.FS.SyncDir(name)
}

// Whenever a repair is interrupted, it is there as a whole, or nothing is, and nothing is left half-named.
func TestRepairInterrupted(t *testing.T) {
	for _, to := range [][]string{{"--output", "new"}, {"--in-place", "--yes"}, {"--plan", "plan.json"}} {
		t.Run(to[0], func(t *testing.T) {
			interrupted := 0
			for i := 1; ; i++ {
				p := newAiling(t)
				before := p.files()
				ctx, cancel := context.WithCancel(t.Context())
				n := 0
				p.app.FS = countingFS{vfs.OS, func() error {
					if n++; n == i {
						cancel()
					}
					return nil
				}}
				status := p.repair(ctx, to...)
				cancel()
				if n < i {
					break
				}
				if status != ui.StatusInterrupted {
					continue // it had come too far
				}
				interrupted++
				if got := p.errs.String(); got != "raftctl: interrupted\n" || p.out.Len() > 0 {
					t.Errorf("after %d operations: %q, %q", i, got, &p.out)
				}
				if diff := cmp.Diff(before, p.files()); diff != "" {
					t.Fatalf("after %d operations, before and after: %.500s", i, diff)
				}
			}
			if to[0] != "--plan" && interrupted == 0 {
				t.Error("it was never interrupted")
			}
		})
	}
}

// Where nothing can be written, the error says where, and nothing is left.
func TestRepairReadOnly(t *testing.T) {
	for _, to := range [][]string{{"--output", "new"}, {"--in-place", "--yes"}, {"--plan", "plan.json"}} {
		p := newAiling(t)
		before := p.files()
		p.app.FS = countingFS{vfs.OS, func() error { return syscall.EROFS }}
		status := p.repair(t.Context(), to...)
		if got := p.errs.String(); status != ui.StatusError || !strings.Contains(got, "read-only file system") || !strings.Contains(got, p.folder) {
			t.Errorf("%q: exit status %d, %q, want %d", to, status, got, ui.StatusError)
		}
		if diff := cmp.Diff(before, p.files()); diff != "" {
			t.Errorf("%q: %.500s", to, diff)
		}
	}
}

// On a terminal the plan is shown before it is asked whether the log may be replaced. Only a yes replaces it.
func TestRepairAsks(t *testing.T) {
	for _, yes := range []bool{false, true} {
		p := newAiling(t)
		before := p.files()
		p.app.ErrTerm = true
		p.app.Confirm = func(question string) (bool, error) {
			if want := "Replace the log of flipped? The original is kept."; question != want {
				t.Errorf("%q, want %q", question, want)
			}
			if got := p.errs.String(); !strings.HasPrefix(got, "verdict     problem: it can be repaired") || p.out.Len() > 0 {
				t.Errorf("shown before the question: %q", got)
			}
			return yes, nil
		}
		status := p.repair(t.Context(), "--in-place")
		if want := map[bool]int{false: ui.StatusRefused, true: ui.StatusOK}[yes]; status != want {
			t.Errorf("answer %v: exit status %d, want %d: %s", yes, status, want, &p.errs)
		}
		if same := cmp.Equal(before, p.files()); same == yes {
			t.Errorf("answer %v: the files are as before: %v", yes, same)
		}
	}
	p := newAiling(t)
	p.app.Confirm = func(string) (bool, error) { return false, errors.New("asked") }
	for _, args := range [][]string{{}, {"--output", "new"}, {"--in-place", "--yes"}} {
		if p.repair(t.Context(), args...); strings.Contains(p.errs.String(), "asked") {
			t.Errorf("%q asks", args)
		}
	}
}

// What a running etcd holds is not replaced; once it has stopped, a bit of its log is corrected in place, and it goes on.
func TestRepairOfEtcd(t *testing.T) {
	dir := t.TempDir()
	s := etcdtest.Start(t, "3.6", dir, etcdtest.Quick...)
	for range 20 {
		s.Ctl("put", "key", "before the damage")
	}
	repair := func(want int, args ...string) string {
		t.Helper()
		status, out, errs := command(t, append([]string{"wal", "repair", dir}, args...)...)
		if status != want {
			t.Fatalf("%q: exit status %d, want %d: %s%s", args, status, want, out, errs)
		}
		return string(errs)
	}
	got := repair(ui.StatusInUse, "--neutralise", "10", "--accept-loss", "--in-place", "--yes")
	if !strings.HasSuffix(got, "; stop the etcd that runs on it first\n") {
		t.Errorf("%q, want what to do", got)
	}
	s.Stop()

	segment := filepath.Join(dir, "member", "wal", segmentName)
	b, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.Index(b, []byte("before the damage"))] ^= 4
	if err := os.WriteFile(segment, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := etcdtest.TryStart(t, "3.6", dir, etcdtest.Quick...); err == nil {
		t.Fatalf("etcd starts on the damaged log: %s", s.Log())
	}
	repair(ui.StatusDamage)
	repair(ui.StatusOK, "--in-place", "--yes")
	s = etcdtest.Start(t, "3.6", dir, etcdtest.Quick...)
	if got := string(s.Ctl("get", "key", "--print-value-only")); got != "before the damage\n" {
		t.Errorf("key is %q", got)
	}
	s.Stop()
	if status, _, errs := command(t, "undo", dir, "--yes"); status != ui.StatusRefused {
		t.Errorf("undone though etcd has gone on: exit status %d, %s", status, errs)
	}
}

// Without a terminal, a long repair tells every ten seconds how far it is.
func TestRepairProgress(t *testing.T) {
	folder := filepath.Dir(corpus.Copy(t, "damaged/flipped"))
	var out, errs bytes.Buffer
	a := testApp(&out, &errs)
	a.Dir = folder
	now := time.Unix(0, 0)
	a.Now = func() time.Time {
		now = now.Add(11 * time.Second)
		return now
	}
	if status := run(t.Context(), a, []string{"wal", "repair", "flipped", "--output", "new"}); status != ui.StatusOK {
		t.Fatalf("exit status %d: %s", status, &errs)
	}
	for _, want := range []string{"read flipped: ", "read flipped as corrected: ", "copy the log: ", "copy db: ", "verify the result: "} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("nothing tells of %q:\n%s", want, &errs)
		}
	}
}

// A plan file with any byte changed is no plan; one that still is does what it did.
func TestRepairDamagedPlan(t *testing.T) {
	p := newAiling(t)
	if status := p.repair(t.Context(), "--plan", "plan.json"); status != ui.StatusDamage {
		t.Fatalf("exit status %d: %s", status, &p.errs)
	}
	plan := filepath.Join(p.folder, "plan.json")
	good, err := os.ReadFile(plan)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(good); i += 11 {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if err := os.WriteFile(plan, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if status := p.repair(t.Context(), "--apply", "plan.json", "--output", "new"); status != ui.StatusUsage ||
			!strings.Contains(p.errs.String(), "plan.json is no plan that --plan wrote: ") {
			t.Fatalf("byte %d of the plan: exit status %d, %s", i, status, &p.errs)
		}
	}
}
