package node_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/snapshot/database"
)

func compacted(t testing.TB, n *node.Node) int64 {
	t.Helper()
	h, _, err := n.Store().HashKV(0)
	if err != nil {
		t.Fatal(err)
	}
	return h.CompactRevision
}

// TestCompactsByItself has members compact what is older than a second: the leader does, and the next one.
func TestCompactsByItself(t *testing.T) {
	members, _ := startThree(t, node.Config{AutoCompactionMode: "periodic", AutoCompactionRetention: time.Second})
	for round := range 2 {
		var lead *node.Node
		eventually(t, "a leader", func() bool {
			for _, n := range members {
				if n.Status().Lead == n.ID() {
					lead = n
				}
			}
			return lead != nil
		})
		before := compacted(t, lead)
		for i := range 10 {
			put(t, lead, "a", fmt.Sprint(round, i))
		}
		for _, n := range members {
			eventually(t, "a compaction", func() bool { return compacted(t, n) > before })
		}
		to := members[0]
		if to == lead {
			to = members[1]
		}
		if err := lead.MoveLeader(t.Context(), to.ID()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCompactionModeUnknown(t *testing.T) {
	_, err := node.Start(t.Context(), node.Config{
		DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}, AutoCompactionMode: "hourly", AutoCompactionRetention: 1,
	})
	if err == nil || !strings.Contains(err.Error(), "hourly") {
		t.Errorf("mode hourly: %v, want a refusal", err)
	}
}

// TestCompactionPauses has a compaction take one key at a time, and an hour in between: it isn't done until the
// member starts without that.
func TestCompactionPauses(t *testing.T) {
	cfg := node.Config{
		DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}, CompactionBatch: 1, CompactionPause: time.Hour,
	}
	n := start(t, cfg)
	for i := range 5 {
		put(t, n, "a", fmt.Sprint(i))
	}
	r, err := n.Propose(t.Context(), &etcdserverpb.InternalRaftRequest{
		Compaction: &etcdserverpb.CompactionRequest{Revision: 5},
	})
	if err != nil || r.Err != nil {
		t.Fatal(err, r.Err)
	}
	select {
	case <-r.Compacted:
		t.Error("the compaction is done at once")
	case <-time.After(200 * time.Millisecond):
	}
	stop(t, n)
	cfg.CompactionBatch, cfg.CompactionPause = 0, 0
	n = start(t, cfg)
	eventually(t, "the end of the compaction", func() bool {
		if err := n.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		db, err := database.Open(t.Context(), os.DirFS(filepath.Join(cfg.DataDir, "member", "snap")), "db", database.Options{})
		if err != nil {
			return false // it was written at the moment
		}
		defer db.Close()
		meta, err := db.Meta()
		return err == nil && meta.Finished == 5
	})
}
