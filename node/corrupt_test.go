package node_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// corrupt changes the value of the last key in a database.
func corrupt(t testing.TB, dir string) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, "member", "snap", "db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("key"))
		k, v := b.Cursor().Last()
		var kv mvccpb.KeyValue
		if err := proto.Unmarshal(v, &kv); err != nil {
			return err
		}
		kv.Value = []byte("not what was written")
		v, err := proto.Marshal(&kv)
		if err != nil {
			return err
		}
		return b.Put(append([]byte(nil), k...), v)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// startThree starts three members with the same settings.
func startThree(t *testing.T, settings node.Config) (members []*node.Node, configs []node.Config) {
	t.Helper()
	peers := etcdtest.Peers(t, 3)
	for _, p := range peers {
		cfg := settings
		cfg.Name, cfg.DataDir, cfg.ListenPeerURLs = p.Name, t.TempDir(), []string{p.URL}
		cfg.InitialCluster = etcdtest.InitialCluster(peers)
		configs = append(configs, cfg)
		members = append(members, startOne(t, cfg))
	}
	for _, n := range members {
		waitReady(t, n)
	}
	return members, configs
}

// isCorrupt reports whether there is one alarm, that a member is corrupt, on all members.
func isCorrupt(members []*node.Node, id uint64) bool {
	for _, n := range members {
		alarms := n.Store().Alarms()
		if len(alarms) != 1 || alarms[0].Alarm != etcdserverpb.AlarmType_CORRUPT || alarms[0].MemberID != id {
			return false
		}
	}
	return true
}

// TestCorrupt changes a value behind a member's back: it doesn't start if it is to look, and if it is not, the
// leader finds it, by what all have now or by what all had at a compaction.
func TestCorrupt(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings node.Config
		compact  bool
	}{
		{"now", node.Config{CorruptCheckInterval: 100 * time.Millisecond}, false},
		{"compacted", node.Config{CompactHashInterval: 100 * time.Millisecond}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			members, configs := startThree(t, c.settings)
			for _, key := range []string{"a", "b", "c"} {
				put(t, members[0], key, key)
			}
			for _, n := range members {
				get(t, n, "a")
			}
			time.Sleep(3 * c.settings.CorruptCheckInterval)
			if alarms := members[0].Store().Alarms(); len(alarms) != 0 {
				t.Fatalf("alarms %v of members that are well", alarms)
			}
			id := members[0].ID()
			stop(t, members[0])
			corrupt(t, configs[0].DataDir)

			careful := configs[0]
			careful.InitialCorruptCheck = true
			_, err := node.Start(t.Context(), careful)
			if err == nil || !strings.Contains(err.Error(), "the keys differ from those of member") {
				t.Fatalf("with a check at the start: %v, want a refusal", err)
			}
			members[0] = start(t, configs[0])
			get(t, members[0], "a") // it is where the others are
			if c.compact {
				propose(t, members[1], &etcdserverpb.InternalRaftRequest{
					Compaction: &etcdserverpb.CompactionRequest{Revision: 4},
				})
			}
			eventually(t, "the alarm on all members", func() bool { return isCorrupt(members, id) })
		})
	}
}

// TestCorruptCheckPasses starts members that look at each other's keys first.
func TestCorruptCheckPasses(t *testing.T) {
	members, configs := startThree(t, node.Config{InitialCorruptCheck: true})
	put(t, members[0], "a", "1")
	get(t, members[1], "a")
	stop(t, members[1])
	members[1] = start(t, configs[1])
	if got := get(t, members[1], "a"); got != "1" {
		t.Errorf("a = %q, want 1", got)
	}
}
