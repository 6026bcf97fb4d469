package restoretest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/rehearse"
	"github.com/raftctl/raftctl/wal"
)

// lengthen adds puts to the log of a member that was.
func lengthen(t *testing.T, dir string, n int) {
	t.Helper()
	w, found, err := wal.OpenForAppend(vfs.OS, filepath.Join(dir, "member", "wal"), wal.AppendOptions{CutTorn: true})
	if err != nil {
		t.Fatal(err)
	}
	const batch = 1000
	state, last := found.State, w.Last()
	for range n / batch {
		var entries []raftpb.Entry
		for range batch {
			last++
			data, err := proto.Marshal(&pb.InternalRaftRequest{Header: &pb.RequestHeader{ID: last},
				Put: &pb.PutRequest{Key: fmt.Appendf(nil, "long/%d", last%5000), Value: make([]byte, 100)}})
			if err != nil {
				t.Fatal(err)
			}
			entries = append(entries, raftpb.Entry{Term: state.Term, Index: last, Data: data})
		}
		state.Commit = last
		if err := w.Append(state, entries); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// rehearsed boots a copy of a data directory.
func rehearsed(t *testing.T, dir string) rehearse.Report {
	t.Helper()
	r, err := rehearse.Run(t.Context(), rehearse.Options{SnapDir: filepath.Join(dir, "member", "snap"),
		WALDir: filepath.Join(dir, "member", "wal"), Scratch: filepath.Join(t.TempDir(), "scratch")})
	if err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	return *r
}

// Wherever a restore is killed, what has the result's name is whole, and what is left is no data directory that an
// etcd would be started on. The next restore says what to remove.
func TestRestoreKilled(t *testing.T) {
	const puts, kills = 30_000, 30
	w, s, o := startOld(t, "3.7")
	w.put("a/1", 0)
	o.save(s, w)
	w.killed(s)
	lengthen(t, o.dir, puts)
	unchanged(t, o.dir, filepath.Dir(o.backup))

	begun := time.Now()
	whole := o.restoreIn(t, t.TempDir(), time.Hour)
	took := time.Since(begun)
	want := rehearsed(t, whole)
	if rev := o.last().Rev + puts; want.Revision != rev {
		t.Fatalf("revision %d, want %d", want.Revision, rev)
	}
	rng := rand.New(rand.NewPCG(1, 6))
	stages := map[string]int{}
	for range kills {
		dir := t.TempDir()
		made := o.restoreIn(t, dir, time.Duration(rng.Int64N(int64(took)*5/4)))
		stages[o.checkKilled(t, dir, made, &want)]++
	}
	t.Logf("of %d restores that took %v: %v", kills, took, stages)
	if stages["staged"] == 0 {
		t.Error("none was killed while it wrote")
	}
}

// restoreIn runs a restore as a process of its own, which is killed after a time, and returns the data directory.
func (o *old) restoreIn(t *testing.T, dir string, after time.Duration) string {
	t.Helper()
	made := filepath.Join(dir, "new")
	cmd := exec.Command(os.Args[0], "restore", o.backup, "--wal", o.dir, "--data-dir", made)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(after, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
	_ = cmd.Wait() // killed or not: what it left tells
	kill.Stop()
	return made
}

// checkKilled looks at what a killed restore left, and says how far it was.
func (o *old) checkKilled(t *testing.T, dir, made string, want *rehearse.Report) string {
	t.Helper()
	if _, err := os.Stat(made); err == nil {
		if got := rehearsed(t, made); got.Hash != want.Hash || got.Revision != want.Revision {
			t.Errorf("a result with hash %d at revision %d, want %d at %d", got.Hash, got.Revision, want.Hash, want.Revision)
		}
		return "done"
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) == 0 {
		return "nothing"
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "new.restoring-") {
			t.Errorf("%s was left", e.Name())
		}
	}
	status, _, errs := run(t, o.backup, "--data-dir", made)
	if status != 0 || !strings.Contains(errs, entries[0].Name()+" is of a restore that was killed, or still runs; remove it if none does") {
		t.Errorf("the next restore: exit status %d, %s", status, errs)
	}
	return "staged"
}
