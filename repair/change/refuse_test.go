package change_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/repair/change"
)

// refused begins a change that can't be, and checks that nothing has changed.
func (w *world) refused(what string, is func(error) bool, want string) {
	w.t.Helper()
	before := w.read("")
	_, err := w.change()
	if err == nil || !is(err) || !strings.Contains(err.Error(), want) {
		w.t.Errorf("%s: %v, want %q", what, err, want)
	}
	w.checkSame(what, w.read(""), before)
}

func isLocked(err error) bool { return errors.Is(err, vfs.ErrLocked) }

func isUnfit(err error) bool { _, ok := errors.AsType[*change.UnfitError](err); return ok }

// While a change is being made, nobody can lock the log or begin another change: neither the old nor the new one,
// up to its end.
func TestHoldsTheLog(t *testing.T) {
	r := newRig(t, "data", true)
	s, err := r.begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.begin(); !isLocked(err) {
		t.Errorf("a second one: %v", err)
	}
	if _, err := r.undo(); !isLocked(err) {
		t.Errorf("undo: %v", err)
	}
	if err := r.fill(s); err != nil {
		t.Fatal(err)
	}
	exchanged, held := false, []string{}
	r.mem.Watch(func(op faultfs.Op) error {
		if exchanged = exchanged || op.Kind == faultfs.OpExchange; exchanged && op.Kind == faultfs.OpClose &&
			strings.HasSuffix(op.Name, ".wal") {
			held = append(held, filepath.Base(op.Name))
		}
		return nil
	})
	if _, err := s.Place(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	if len(held) != 3 || len(r.mem.Locked()) > 0 {
		t.Errorf("%q were held up to the end, %q still are", held, r.mem.Locked())
	}
}

// Of many that change a log at the same time, each is done as a whole or refused.
func TestConcurrent(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["log alone"])
	at, next := w.place(), newLog(w.read("logs/m1"))
	w.at, w.next = &at, next
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 20 {
		wg.Go(func() {
			_, err := w.change()
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			} else if !isLocked(err) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(w.history()) != done || done == 0 {
		t.Errorf("%d are done, and %d on record", done, len(w.history()))
	}
	w.checkSame("the log", w.read("logs/m1"), next)
}

// A log on another disk than the folder that it lies in, as the system says when it comes to renaming it.
func TestOtherDevice(t *testing.T) {
	for _, errno := range []error{syscall.EXDEV, syscall.EBUSY} {
		for _, exchange := range []bool{true, false} {
			r := newRig(t, "data", exchange)
			r.mem.Watch(func(op faultfs.Op) error {
				moved := op.Kind == faultfs.OpExchange || op.Kind == faultfs.OpRename && strings.HasSuffix(op.Name, "/wal")
				if moved {
					return errno
				}
				return nil
			})
			_, err := r.change()
			if !isUnfit(err) || !errors.Is(err, errno) || !strings.Contains(err.Error(), "it can't get another name") {
				t.Errorf("%v: %v", errno, err)
			}
			r.mem.Watch(nil)
			r.checkSame(errno.Error(), without(r.read(""), ".jsonl"), r.before)
		}
	}
}

// A folder that can't be written to, and an owner to whom nothing may be given.
func TestNotPermitted(t *testing.T) {
	for kind, want := range map[faultfs.Kind]string{faultfs.OpMkdir: "no folder can be made in it",
		faultfs.OpAdopt: "what is made can't be given to its owner"} {
		r := newRig(t, "data", true)
		r.mem.Watch(func(op faultfs.Op) error {
			if op.Kind == kind {
				return fs.ErrPermission
			}
			return nil
		})
		_, err := r.begin()
		if !isUnfit(err) || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", kind, err)
		}
		r.mem.Watch(nil)
		r.checkSame(string(kind), r.read(""), r.before)
		if len(r.mem.Locked()) > 0 {
			t.Errorf("%s: %q are locked", kind, r.mem.Locked())
		}
	}
}

// A change that was begun and given up leaves nothing.
func TestGivenUp(t *testing.T) {
	r := newRig(t, "data", true)
	s, err := r.begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.fill(s); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Remove(); err != nil {
			t.Error(err)
		}
	}
	r.checkSame("given up", r.read(""), r.before)
	if len(r.mem.Locked()) > 0 {
		t.Errorf("%q are locked", r.mem.Locked())
	}
}

// A snapshot file is never written over, nor put aside where there is none; and a log without a segment is no log.
func TestWrongFiles(t *testing.T) {
	for what, do := range map[string]func(w *world, s *change.Staged) error{
		"it exists": func(w *world, s *change.Staged) error {
			return writeFile(w.fs, filepath.Join(s.Snap(), "0000000000000002-0000000000000199.snap"), nil)
		},
		"none.snap: file does not exist": func(_ *world, s *change.Staged) error {
			s.Quarantine("none.snap")
			return nil
		},
		"no segment": func(w *world, s *change.Staged) error {
			return errors.Join(w.fs.RemoveAll(s.Log()), w.fs.MkdirAll(s.Log(), 0o700))
		},
	} {
		r := newRig(t, "data", true)
		s, err := r.begin()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.fill(s), do(r.world, s)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Place(t.Context(), record); err == nil || !strings.Contains(strings.ReplaceAll(err.Error(),
			"no such file or directory", "file does not exist"), what) {
			t.Errorf("%v, want %q", err, what)
		}
		if err := s.Remove(); err != nil {
			t.Error(err)
		}
		r.checkSame(what, r.read(""), r.before)
	}
}

// What the options leave open is refused.
func TestNeither(t *testing.T) {
	for _, o := range []change.Options{{}, {InPlace: true, Output: "x"}, {InPlace: true}} {
		o.FS = faultfs.New()
		if _, err := change.Begin(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}
