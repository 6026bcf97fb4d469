package snapcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
)

// startCommand runs the command in a process of its own, and returns once the part that it writes has
// some size, or it has ended.
func startCommand(t *testing.T, dir string, size int64, args ...string) (*exec.Cmd, <-chan error) {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"save"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asCommand+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for partSize(t, dir) < size {
		select {
		case err := <-ended:
			ended <- err
			return cmd, ended
		case <-time.After(100 * time.Microsecond):
		}
	}
	return cmd, ended
}

// partSize returns the size of all parts in a folder.
func partSize(t *testing.T, dir string) (size int64) {
	t.Helper()
	parts, err := filepath.Glob(filepath.Join(dir, "*.part-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if info, err := os.Stat(p); err == nil {
			size += info.Size()
		} // else it was just renamed or removed
	}
	return size
}

// Whenever the process ends, what has the result's name is whole. One that is told to end leaves
// nothing else.
func TestSaveKilled(t *testing.T) {
	s := etcdtest.Start(t, "3.7", t.TempDir(), etcdtest.Quick...)
	fillServer(s, 20, 1_000_000)
	whole := newWorld(t).saved(t, endpointArgs(s.URL(), "a.db")...)
	random := rand.New(rand.NewPCG(1, 2))
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT} {
		times := 30
		if sig != syscall.SIGKILL {
			times = 10
		}
		early := 0
		for i := range times {
			out := []string{"a.db", "a.db.zst"}[i%2]
			dir := t.TempDir()
			cmd, ended := startCommand(t, dir, random.Int64N(whole.Size), endpointArgs(s.URL(), out)...)
			_ = cmd.Process.Signal(sig) // fails only if it has ended
			err := <-ended
			if sig != syscall.SIGKILL && err != nil && cmd.ProcessState.ExitCode() != ui.StatusInterrupted {
				t.Errorf("%v: %v, want exit status %d", sig, err, ui.StatusInterrupted)
			}
			b, readErr := os.ReadFile(filepath.Join(dir, out))
			switch {
			case errors.Is(readErr, fs.ErrNotExist):
				early++
			case readErr != nil:
				t.Fatal(readErr)
			case strings.HasSuffix(out, ".zst"):
				checkWhole(t, unpack(t, "zstd", b))
			default:
				checkWhole(t, b)
			}
			if n := partSize(t, dir); n > 0 && sig != syscall.SIGKILL {
				t.Errorf("%v: parts of %d bytes are left", sig, n)
			}
		}
		if early == 0 {
			t.Errorf("%v: never came before the end in %d times", sig, times)
		}
	}
}

// A server that is killed in the middle leaves nothing.
func TestSaveFromKilledServer(t *testing.T) {
	for _, version := range etcdtest.Versions {
		w := newWorld(t)
		s := etcdtest.Start(t, version, t.TempDir(), etcdtest.Quick...)
		fillServer(s, 10, 1_000_000)
		killed := false
		w.app.FS = watchedFS{w.app.FS, func(written int64) {
			if written > 1_000_000 && !killed {
				killed = true
				s.Kill()
			}
		}}
		w.save(t, ui.StatusError, "the connection broke", endpointArgs(s.URL(), "a.db")...)
		w.wantFiles(t)
	}
}

// onDisk is a command whose OUT lies in a file system that fails.
func onDisk(t *testing.T, disk *faultfs.FS) *world {
	t.Helper()
	w := newWorld(t)
	w.app.FS = disk
	w.app.Dir = "/backup"
	if err := disk.MkdirAll(w.app.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := disk.SyncDir("/"); err != nil {
		t.Fatal(err)
	}
	return w
}

// onlyWhole checks that a disk holds no result that isn't whole, and returns what else it holds.
func onlyWhole(t *testing.T, disk *faultfs.FS) (whole bool, others []string) {
	t.Helper()
	entries, err := disk.ReadDir("/backup")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "a.db" && e.Name() != "a.db.zst" {
			others = append(others, e.Name())
			continue
		}
		b, err := fs.ReadFile(readFS{disk}, "/backup/"+e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() == "a.db.zst" {
			b = unpack(t, "zstd", b)
		}
		checkWhole(t, b)
		whole = true
	}
	return whole, others
}

type readFS struct{ *faultfs.FS }

func (r readFS) Open(name string) (fs.File, error) { return r.FS.Open(name) }

// A disk that runs full, wherever, leaves nothing.
func TestSaveDiskFull(t *testing.T) {
	s := etcdtest.Start(t, "3.6", t.TempDir(), etcdtest.Quick...)
	fillServer(s, 5, 50_000)
	dir := corpus.Dir(t, "c36-multiseg-1n-clean")
	for _, source := range [][]string{endpointArgs(s.URL(), "a.db"), endpointArgs(s.URL(), "a.db.zst"), {dir, "a.db"}} {
		disk := faultfs.New()
		full := onDisk(t, disk)
		size := full.saved(t, source...).Size
		for _, space := range []int64{0, 1, 4096, size / 2, size - 40, size - 1} {
			disk := faultfs.New()
			w := onDisk(t, disk)
			disk.SetSpace(space)
			w.save(t, ui.StatusError, "no space left on device", source...)
			if whole, others := onlyWhole(t, disk); whole || len(others) > 0 {
				t.Errorf("%d bytes of space: result %v, %q left", space, whole, others)
			}
		}
	}
}

// Whichever operation fails, the result is whole or not there, and so it is after a power cut.
func TestSaveFailures(t *testing.T) {
	dir := corpus.Dir(t, "c36-leasecp-1n-clean")
	for _, out := range []string{"a.db", "a.db.zst"} {
		disk := faultfs.New()
		w := onDisk(t, disk)
		first := disk.Ops()
		w.saved(t, dir, out)
		n := disk.Ops() - first
		if n < 10 {
			t.Fatalf("%d operations, want more", n)
		}
		results := 0
		for i := range n {
			disk := faultfs.New()
			w := onDisk(t, disk)
			kind := faultfs.Kind("")
			disk.Watch(func(op faultfs.Op) error {
				if op.N != first+i {
					return nil
				}
				kind = op.Kind
				return faultfs.ErrInjected
			})
			status := execute(t.Context(), w.app, []string{"save", dir, out})
			disk.Watch(nil)
			whole, others := onlyWhole(t, disk)
			if kind == faultfs.OpRead && status == ui.StatusOK && whole {
				continue // what was to be read ahead was read when it was needed
			}
			if status == ui.StatusOK || whole && kind != faultfs.OpSyncDir && kind != faultfs.OpClose && kind != faultfs.OpRemove {
				t.Errorf("%s fails: exit status %d, result %v", kind, status, whole)
			}
			if len(others) > 0 && kind != faultfs.OpRemove {
				t.Errorf("%s fails: %q is left", kind, others)
			}
			if whole {
				results++
			}
		}
		if results == 0 {
			t.Error("no failure left a result; syncing its folder should")
		}
	}
}

func TestSavePowerCut(t *testing.T) {
	dir := corpus.Dir(t, "c36-leasecp-1n-clean")
	disk := faultfs.New()
	w := onDisk(t, disk)
	first := disk.Ops()
	w.saved(t, dir, "a.db")
	random := rand.New(rand.NewPCG(3, 4))
	after := 0
	for i := range disk.Ops() - first + 1 {
		for _, keep := range []float64{0, 0.5, 1} {
			disk := faultfs.New()
			w := onDisk(t, disk)
			disk.Watch(func(op faultfs.Op) error {
				if op.N >= first+i {
					return fmt.Errorf("%v: the power is off", op)
				}
				return nil
			})
			execute(t.Context(), w.app, []string{"save", dir, "a.db"})
			disk.Watch(nil)
			if whole, _ := onlyWhole(t, disk.Crash(faultfs.Crash{Unit: 512, Keep: keep, Rand: random})); whole {
				after++
			}
		}
	}
	if after == 0 {
		t.Error("no result after a power cut; one that was synced should be there")
	}
}
