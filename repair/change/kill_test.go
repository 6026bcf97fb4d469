package change_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/change"
)

// asChanger makes the test binary a process that changes a log, and undoes that, again and again. It is the path
// of the data directory.
const asChanger = "RAFTCTL_TEST_CHANGE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asChanger); dir != "" {
		fmt.Fprintln(os.Stderr, changeForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// changeForever ends with an error only.
func changeForever(dir string) error {
	at, err := change.Locate(vfs.OS, dir, "")
	if err != nil {
		return err
	}
	old := map[string]string{}
	if err := readTree(vfs.OS, at.Log, "", old); err != nil {
		return err
	}
	w := &world{fs: vfs.OS, form: forms["data"], next: newLog(old)}
	for ctx := context.Background(); ; {
		s, err := change.Begin(change.Options{FS: vfs.OS, Source: at, InPlace: true, Now: time.Now()})
		if err != nil {
			return err
		}
		if err := w.fill(s); err != nil {
			return err
		}
		if _, err = s.Place(ctx, record); err != nil {
			return err
		}
		u, err := change.PlanUndo(ctx, change.UndoOptions{FS: vfs.OS, Place: at, Now: time.Now()})
		if err != nil {
			return err
		}
		if err := errors.Join(u.Run(ctx), u.Close(), os.RemoveAll(u.UndoneTo)); err != nil {
			return err
		}
	}
}

// Whenever a process is killed that changes a log or undoes a change, the log is the old one or the new one,
// as a whole, and undo puts back the old one, bit for bit.
func TestKilled(t *testing.T) {
	const kills, longest = 60, 200 * time.Millisecond
	w := newWorld(t, vfs.OS, t.TempDir(), forms["data"])
	r := &rig{world: w, exchange: true, before: w.read("")}
	random := rand.New(rand.NewPCG(11, 7))
	ends := map[string]int{}
	for range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), asChanger+"="+w.path("data"))
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(longest))))
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		if !cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
			t.Fatal("it has ended by itself")
		}
		ends[r.checkKilled()]++
	}
	t.Log(ends)
	if len(ends) < 3 {
		t.Error("want more ways to end")
	}
}

// checkKilled checks what a killed process left, puts it right, and says what it was.
func (r *rig) checkKilled() string {
	r.t.Helper()
	end := "old"
	if log := r.log(); log != "old" {
		end = log
		if log != "new" {
			r.t.Errorf("the log is %s", log)
		}
	}
	states := append([]change.State{change.Undone}, r.history()...)
	if last := states[len(states)-1]; last != change.Undone && last != change.TakenBack {
		end += ", " + string(last)
		if err := r.doUndo(); err != nil {
			r.t.Fatalf("%s: undo: %v", end, err)
		}
	}
	r.checkSame(end, r.rest(), r.before)
	left, err := change.Leftovers(vfs.OS, r.place())
	undone, globErr := filepath.Glob(r.path("data/member/wal.undone-*"))
	if err := errors.Join(err, globErr); err != nil {
		r.t.Fatal(err)
	}
	for _, dir := range append(left, undone...) {
		if err := os.RemoveAll(dir); err != nil {
			r.t.Fatal(err)
		}
	}
	r.checkSame(end+", removed", without(r.read(""), ".jsonl"), r.before)
	return end
}
