package node

import (
	"path/filepath"
	"testing"

	"github.com/coreos/go-semver/semver"
	"go.uber.org/zap"

	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// A cluster is of version 3.0 until all its members have been heard of. One that starts again in that time is what it
// was: its log tells.
func TestReleaseOfNewCluster(t *testing.T) {
	for _, c := range []struct {
		version, want string
		flavor        raftpb.Flavor
	}{
		{"", "3.7", raftpb.FlavorPbgo}, {"3.0.0", "3.7", raftpb.FlavorPbgo},
		{"", "3.5", raftpb.FlavorGogo}, {"3.0.0", "3.5", raftpb.FlavorGogo}, {"3.4.0", "3.5", raftpb.FlavorGogo},
		{"3.6.0", "3.6", raftpb.FlavorGogo},
	} {
		t.Run(c.version+" "+c.flavor.String(), func(t *testing.T) {
			dir := t.TempDir()
			store, err := kv.Open(dir, kv.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			w, err := wal.Create(vfs.OS, filepath.Join(dir, "wal"), wal.CreateOptions{WriterOptions: wal.WriterOptions{Flavor: c.flavor}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = w.Close() }()
			if err := w.Append(raftpb.HardState{Term: 1}, []raftpb.Entry{{Term: 1, Index: 1}}); err != nil {
				t.Fatal(err)
			}
			if c.version != "" {
				store.Cluster().SetVersion(semver.New(c.version), func(*zap.Logger, *semver.Version) {}, membership.ApplyBoth)
			}
			n := &Node{store: store, wal: w}
			if err := n.chooseRelease(); err != nil || n.cfg.As != c.want {
				t.Errorf("stands for %q (%v), want %q", n.cfg.As, err, c.want)
			}
		})
	}
}

// A member that joined and was stopped before it had an entry writes those that come as its release does.
func TestReleaseOfEmptyLog(t *testing.T) {
	dir := t.TempDir()
	cfg, err := Config{DataDir: dir}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	n := newNode(cfg)
	if err := n.createLog(wal.Metadata{NodeID: 1, ClusterID: 2}, raftpb.HardState{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := n.boot(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.close() }()
	if n.cfg.As != "3.7" || n.wal.Flavor() != raftpb.FlavorPbgo {
		t.Errorf("stands for %s and writes %s, want 3.7 and pbgo", n.cfg.As, n.wal.Flavor())
	}
}
