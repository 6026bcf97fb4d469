package restore_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/restore"
)

// A bump to what clients have seen is told as what the revision grows by, also in a store that never had a key,
// which is at revision 1.
func TestBumpSeen(t *testing.T) {
	for _, puts := range []int64{0, 3} {
		dir := t.TempDir()
		s := dbtest.New(t, filepath.Join(dir, "a.db"))
		for range puts {
			s.Put("a", "b", 0)
		}
		s.Close()
		now := 1 + puts
		base, err := restore.OpenBase(t.Context(), vfs.DirFS(vfs.OS, dir), "a.db", restore.BaseOptions{SkipHash: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = base.Close() }()
		c, err := restore.ParseCluster("default=http://localhost:2380", "etcd-cluster")
		if err != nil {
			t.Fatal(err)
		}
		p, err := restore.NewPlan(restore.Options{FS: vfs.OS, Base: base, Cluster: c, BumpSeen: true, MarkCompacted: true,
			Targets: []restore.Target{{Name: "default", DataDir: filepath.Join(dir, "data")}},
			Replay: func(context.Context, string) (restore.Replayed, error) {
				return restore.Replayed{Revision: now, Seen: now + 5}, nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r.Revision != now+5 || r.Bump != 5 {
			t.Errorf("%d puts: revision %d, bumped by %d; want %d, by 5", puts, r.Revision, r.Bump, now+5)
		}
	}
}
