package node

import (
	"log/slog"
	"path/filepath"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// runSome starts a member on a directory, has it apply so many writes, and stops it.
func runSome(t *testing.T, dir string, writes int) *Node {
	t.Helper()
	url := etcdtest.Peers(t, 1)[0].URL
	n, err := Start(t.Context(), Config{
		Name: "m1", DataDir: dir, ListenPeerURLs: []string{url}, InitialCluster: "m1=" + url,
		SnapshotCount: 10, CatchUpEntries: 10, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	<-n.Ready()
	for range writes {
		_, err := n.Propose(t.Context(), &etcdserverpb.InternalRaftRequest{
			Put: &etcdserverpb.PutRequest{Key: []byte("a")},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n
}

// With each snapshot the log in memory is dropped up to the entries that are kept for slow members, however few: unless
// the disk is too slow to record the snapshot, which is tried again.
func TestSnapshotDropsFromMemory(t *testing.T) {
	dir := t.TempDir()
	var first, applied uint64
	for range 10 {
		n := runSome(t, dir, 40)
		applied = n.store.Applied().Index
		var err error
		if first, err = n.memory.FirstIndex(); err != nil {
			t.Fatal(err)
		}
		if first+30 >= applied {
			return
		}
	}
	t.Errorf("entries from %d on are in memory, %d is applied", first, applied)
}

// A member that starts often records snapshots as often as one that runs on.
func TestSnapshotsOfManyStarts(t *testing.T) {
	dir := t.TempDir()
	for range 10 {
		runSome(t, dir, 1)
		if found, _ := filepath.Glob(filepath.Join(dir, "member", "snap", "*.snap")); len(found) > 0 {
			return
		}
	}
	t.Error("no snapshot after 10 starts")
}
