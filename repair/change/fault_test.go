package change_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/repair/change"
)

// rig is a member on a file system that fails.
type rig struct {
	*world
	mem      *faultfs.FS
	exchange bool // it can exchange names
	before   map[string]string
}

func newRig(t *testing.T, form string, exchange bool) *rig {
	mem := faultfs.New()
	r := &rig{mem: mem, exchange: exchange}
	r.world = newWorld(t, r.over(mem), "", forms[form])
	r.before = r.read("")
	at := r.place()
	r.at, r.next = &at, newLog(only(r.before, r.form.log))
	return r
}

// over returns a file system that can exchange names or not.
func (r *rig) over(mem *faultfs.FS) vfs.FS {
	if r.exchange {
		return mem
	}
	return plain{mem}
}

// crashed is the rig as a power cut leaves it.
func (r *rig) crashed(c faultfs.Crash) *rig {
	next := *r
	w := *r.world
	next.mem = r.mem.Crash(c)
	w.fs = r.over(next.mem)
	next.world = &w
	return &next
}

// log tells which log lies in place: "old", "new", or another thing.
func (r *rig) log() string {
	r.t.Helper()
	log := r.read(r.form.log)
	switch {
	case len(names(log, only(r.before, r.form.log))) == 0:
		return "old"
	case len(names(log, newLog(only(r.before, r.form.log)))) == 0:
		return "new"
	case len(log) == 0:
		return "none"
	}
	return fmt.Sprintf("mixed: %q", names(log, nil))
}

// rest is all but what a change leaves beside what is there.
func (r *rig) rest() map[string]string {
	return without(r.read(""), ".jsonl", ".undone-", ".before-", ".changing-")
}

// each runs a test for members of all kinds, on file systems of both kinds.
func each(t *testing.T, test func(t *testing.T, r func() *rig)) {
	for _, form := range []string{"data", "log elsewhere", "log alone"} {
		for _, exchange := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, exchange %v", form, exchange), func(t *testing.T) {
				test(t, func() *rig { return newRig(t, form, exchange) })
			})
		}
	}
}

// operations returns how many operations do does.
func (r *rig) operations(do func() error) int {
	r.t.Helper()
	first := r.mem.Ops()
	if err := do(); err != nil {
		r.t.Fatal(err)
	}
	return r.mem.Ops() - first
}

// failing runs do while one operation fails, and all later ones if it is a crash.
func (r *rig) failing(i int, crash bool, do func() error) (at faultfs.Op, err error) {
	i += r.mem.Ops()
	r.mem.Watch(func(op faultfs.Op) error {
		if op.N < i || op.N > i && !crash {
			return nil
		}
		if op.N == i {
			at = op
		}
		return faultfs.ErrInjected
	})
	err = do()
	r.mem.Watch(nil)
	return at, err
}

func (r *rig) doChange() error { _, err := r.change(); return err }
func (r *rig) doUndo() error   { _, err := r.undo(); return err }

// Whichever operation of a change fails, the old log is in place as it was, or the new one as a whole. Undo
// puts back all.
func TestChangeFails(t *testing.T) {
	each(t, func(t *testing.T, newRig func() *rig) {
		r := newRig()
		n := r.operations(r.doChange)
		ends := map[string]int{}
		for i := range n {
			r := newRig()
			at, err := r.failing(i, false, r.doChange)
			ends[r.checkFailed(at, err)]++
		}
		t.Logf("of %d: %v", n, ends)
		if ends["taken back"] < 5 || ends["nothing"] < 20 || ends["half done"] > 0 {
			t.Error("want that those which fail are taken back")
		}
	})
}

// checkFailed checks what a change left of which one operation failed, and says how it ended.
func (r *rig) checkFailed(at faultfs.Op, err error) string {
	r.t.Helper()
	states, log := r.history(), r.log()
	if err == nil {
		if log != "new" || !slices.Equal(states, []change.State{change.Done}) {
			r.t.Errorf("%v fails, and nobody says so; the log is %s, %q", at, log, states)
		}
		r.checkUndo(at)
		return "done"
	}
	if !errors.Is(err, faultfs.ErrInjected) {
		r.t.Errorf("%v fails: %v", at, err)
	}
	if log != "old" && log != "new" {
		r.t.Errorf("%v fails: the log is %s; %v", at, log, err)
	}
	if slices.Equal(states, []change.State{change.HalfDone}) {
		var half *change.HalfDoneError
		if _, err := r.begin(); !errors.As(err, &half) || !half.Refused() {
			r.t.Errorf("%v fails: the next change: %v", at, err)
		}
		r.checkUndo(at)
		return "half done"
	}
	r.checkSame(fmt.Sprintf("%v fails", at), without(r.read(""), ".jsonl"), r.before)
	if err := r.doChange(); err != nil {
		r.t.Errorf("%v fails: the next change: %v", at, err)
	}
	if len(states) == 0 {
		return "nothing"
	}
	if states[0] != change.TakenBack {
		r.t.Errorf("%v fails: %q", at, states)
	}
	return "taken back"
}

// checkUndo undoes the change, and checks that all is as it was.
func (r *rig) checkUndo(at faultfs.Op) {
	r.t.Helper()
	if err := r.doUndo(); err != nil {
		r.t.Errorf("%v fails: undo: %v", at, err)
		return
	}
	r.checkSame(fmt.Sprintf("%v fails, undone", at), without(r.read(""), ".jsonl", ".undone-"), r.before)
	if states := r.history(); states[len(states)-1] != change.Undone {
		r.t.Errorf("%v fails, undone: %q", at, states)
	}
}

// Whichever operation of undo fails, the log is the old one or the new one, and undo goes on when it is
// run again.
func TestUndoFails(t *testing.T) {
	each(t, func(t *testing.T, newRig func() *rig) {
		r := newRig()
		r.mustChange()
		n := r.operations(r.doUndo)
		again := 0
		for i := range n {
			r := newRig()
			r.mustChange()
			at, err := r.failing(i, false, r.doUndo)
			if log := r.log(); log != "old" && log != "new" {
				t.Errorf("%v fails: the log is %s; %v", at, log, err)
			}
			if r.history()[0] == change.Undone {
				r.checkSame(fmt.Sprintf("%v fails", at), without(r.read(""), ".jsonl", ".undone-", ".changing-"), r.before)
				continue
			}
			if err == nil {
				t.Errorf("%v fails, and nobody says so", at)
			}
			again++
			r.checkUndo(at)
		}
		t.Logf("of %d, %d had to be undone again", n, again)
	})
}

// cuts are what power cuts may leave.
func cuts(seed uint64) []faultfs.Crash {
	return []faultfs.Crash{{}, {Keep: 1}, {Keep: 0.5, Unit: 512, Rand: rand.New(rand.NewPCG(seed, 1))}}
}

// Wherever a change is interrupted, by a kill or a power cut, the log is the old one or the new one as a
// whole. Where names can't be exchanged, there may be none, which is on record then. Undo puts back all.
func TestChangeInterrupted(t *testing.T) {
	each(t, func(t *testing.T, newRig func() *rig) {
		r := newRig()
		n := r.operations(r.doChange)
		logs := map[string]int{}
		for i := range n {
			r := newRig()
			at, _ := r.failing(i, true, r.doChange)
			for _, cut := range cuts(uint64(i)) {
				logs[r.crashed(cut).checkInterrupted(at)]++
			}
		}
		t.Logf("of %d: %v", n, logs)
		if logs["old"] == 0 || logs["new"] == 0 {
			t.Error("want both")
		}
	})
}

// checkInterrupted checks what an interruption left, and says which log is in place.
func (r *rig) checkInterrupted(at faultfs.Op) string {
	r.t.Helper()
	states, log := r.history(), r.log()
	switch {
	case len(states) == 0:
		r.checkSame(fmt.Sprintf("up to %v", at), r.rest(), r.before)
		if err := r.doChange(); err != nil {
			r.t.Errorf("up to %v: the next change: %v", at, err)
		}
		return log
	case log == "none" && !r.exchange && states[0] != change.Done:
	case log != "old" && log != "new":
		r.t.Errorf("up to %v: the log is %s, %q", at, log, states)
	case states[0] == change.Done && log != "new":
		r.t.Errorf("up to %v: the log is %s, %q", at, log, states)
	}
	if left, err := change.Leftovers(r.fs, *r.at); states[0] == change.HalfDone && len(left) > 0 || err != nil {
		r.t.Errorf("up to %v: %q, which undo needs, %v", at, left, err)
	}
	r.checkUndo(at)
	return log
}

// The same of undo.
func TestUndoInterrupted(t *testing.T) {
	each(t, func(t *testing.T, newRig func() *rig) {
		r := newRig()
		r.mustChange()
		n := r.operations(r.doUndo)
		logs := map[string]int{}
		for i := range n {
			r := newRig()
			r.mustChange()
			at, _ := r.failing(i, true, r.doUndo)
			for _, cut := range cuts(uint64(i)) {
				logs[r.crashed(cut).checkUndoInterrupted(at)]++
			}
		}
		t.Logf("of %d: %v", n, logs)
		if logs["old"] == 0 || logs["new"] == 0 {
			t.Error("want both")
		}
	})
}

func (r *rig) checkUndoInterrupted(at faultfs.Op) string {
	r.t.Helper()
	states, log := r.history(), r.log()
	if states[0] == change.Undone {
		r.checkSame(fmt.Sprintf("up to %v", at), without(r.read(""), ".jsonl", ".undone-", ".changing-"), r.before)
		return log
	}
	if log != "old" && log != "new" && (log != "none" || r.exchange || states[0] != change.HalfUndone) {
		r.t.Errorf("up to %v: the log is %s, %q", at, log, states)
	}
	r.checkUndo(at)
	return log
}
