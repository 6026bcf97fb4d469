package snapcmd

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/etcdtest"
)

// names are the files and folders in a folder, sorted; none if it isn't there.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// result is what a data directory holds: its database and the records of its log.
func result(t *testing.T, dir string) [2]string {
	t.Helper()
	db, err := os.ReadFile(filepath.Join(dir, "member", "snap", "db"))
	if err != nil {
		t.Error(err)
	}
	f, err := os.Open(filepath.Join(dir, "member", "wal", "0000000000000000-0000000000000000.wal"))
	if err != nil {
		t.Error(err)
		return [2]string{}
	}
	defer func() { _ = f.Close() }()
	log := make([]byte, 4096) // all behind them is zero
	if _, err := f.ReadAt(log, 0); err != nil {
		t.Error(err)
	}
	return [2]string{string(db), string(log)}
}

// Whenever the command is killed, the source is what it was, and each data directory is whole or not
// there. A signal that can be caught leaves nothing but results, and what is left otherwise hinders nobody.
func TestRestoreKilled(t *testing.T) {
	w := newWorld(t)
	s := etcdtest.Start(t, "3.7", t.TempDir(), etcdtest.Quick...)
	fillServer(s, 20, 1_000_000)
	w.saved(t, endpointArgs(s.URL(), "a.db")...)
	s.Stop()
	args := []string{w.app.Path("a.db"), "--all", "all", "--initial-cluster", "m1=http://h:1,m2=http://h:2"}
	begin := time.Now()
	w.restored(t, args...)
	took := time.Since(begin)
	want := map[string][2]string{}
	for _, m := range []string{"m1", "m2"} {
		want[m] = result(t, w.app.Path(filepath.Join("all", m)))
	}
	before := stamps(t, w.app.Path("a.db"))
	random := rand.New(rand.NewPCG(5, 6))
	for sig, times := range map[syscall.Signal]int{syscall.SIGKILL: 30, syscall.SIGINT: 10} {
		stopped := 0
		for range times {
			dir := t.TempDir()
			cmd := exec.Command(os.Args[0], append([]string{"restore"}, args...)...)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), asCommand+"=1")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(random.Int64N(int64(took))))
			_ = cmd.Process.Signal(sig) // fails only if it has ended
			if err := cmd.Wait(); err != nil {
				stopped++
			}
			checkKilled(t, sig, filepath.Join(dir, "all"), want)
			_ = os.RemoveAll(dir)
		}
		if stopped == 0 {
			t.Errorf("%v: never came before the end", sig)
		}
	}
	if !reflect.DeepEqual(before, stamps(t, w.app.Path("a.db"))) {
		t.Error("the source is not what it was")
	}
}

func checkKilled(t *testing.T, sig syscall.Signal, all string, want map[string][2]string) {
	t.Helper()
	for _, name := range names(t, all) {
		switch whole, ok := want[name]; {
		case ok:
			if result(t, filepath.Join(all, name)) != whole {
				t.Errorf("%v: %s is there, and not whole", sig, name)
			}
		case sig != syscall.SIGKILL || !strings.Contains(name, ".restoring-"):
			t.Errorf("%v: %s is left", sig, name)
		}
	}
}

// What a killed restore left is told to the next one, which works.
func TestRestoreAfterKill(t *testing.T) {
	w := newWorld(t)
	s := etcdtest.Start(t, "3.6", t.TempDir(), etcdtest.Quick...)
	fillServer(s, 1, 100)
	w.saved(t, endpointArgs(s.URL(), "a.db")...)
	for _, left := range []string{"new.restoring-00000001/member", "there/member.restoring-00000002"} {
		if err := os.MkdirAll(w.app.Path(left), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.restore(t, ui.StatusOK, "new.restoring-00000001 is of a restore that was killed, or still runs; remove it if none does", "a.db", "--data-dir", "new")
	w.restore(t, ui.StatusOK, "there/member.restoring-00000002 is of a restore", "a.db", "--data-dir", "there")
	if result(t, w.app.Path("new")) != result(t, w.app.Path("there")) {
		t.Error("a directory that was there already got something else")
	}
}
