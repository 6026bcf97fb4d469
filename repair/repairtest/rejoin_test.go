package repairtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/change"
)

// rejoinTests are ways to mend one member of three: with the others' help, by what its database has applied, and by a
// snapshot that is made of that.
var rejoinTests = []struct {
	name, remedy string
	donors       bool
	flags        []string // of etcd, so that there is or isn't a snapshot
}{
	{"spliced", "splice", true, []string{"--snapshot-count", "100000"}},
	{"begun anew at a snapshot", "begin_anew", false, []string{"--snapshot-count", "150"}},
	{"begun anew with a snapshot that is made", "begin_anew", false, []string{"--snapshot-count", "100000"}},
}

// A member of a real cluster that was killed, damaged and repaired in place goes back to the others, which went on
// meanwhile: it catches up, and all have the same keys.
func TestRejoin(t *testing.T) {
	for i, version := range etcdtest.Versions {
		test := rejoinTests[i%len(rejoinTests)]
		t.Run(version+" "+test.name, func(t *testing.T) {
			peers := etcdtest.Peers(t, 3)
			for i := range peers {
				peers[i].DataDir = filepath.Join(t.TempDir(), peers[i].Name)
			}
			flags := append([]string{"--heartbeat-interval", "50", "--election-timeout", "500", "--initial-cluster", etcdtest.InitialCluster(peers)}, test.flags...)
			servers := etcdtest.StartCluster(t, version, peers, flags...)
			putMany(t, servers[0], "before", 400)
			servers[2].Kill()
			putMany(t, servers[0], "while-away", 50)
			mend(t, peers, test.remedy, test.donors)
			servers[2] = etcdtest.StartCluster(t, version, peers[2:], flags...)[0]
			putMany(t, servers[2], "after", 50)
			for _, s := range servers {
				if n := count(t, s); n != 500 {
					t.Errorf("%s has %d keys, want 500", s.Endpoint, n)
				}
			}
			sameHashes(t, servers)
		})
	}
}

// mend damages the log of the third member, and repairs it in place.
func mend(t *testing.T, peers []etcdtest.Peer, remedy string, donors bool) {
	t.Helper()
	dir := peers[2].DataDir
	zeroMiddle(t, dir)
	m, err := repair.Open(t.Context(), dir, repair.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var o repair.PlanOptions
	if donors {
		o.Donors = []string{peers[0].DataDir, peers[1].DataDir}
	}
	p, err := repair.NewPlan(t.Context(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, s := range p.Steps {
		steps = append(steps, s.Remedy)
	}
	if p.Status != repair.StatusRepair || !strings.Contains(strings.Join(steps, " "), remedy) {
		t.Fatalf("status %s, remedies %q, want %s; %v", p.Status, steps, remedy, p.Refused)
	}
	at, err := change.Locate(vfs.OS, dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Apply(t.Context(), m, repair.ApplyOptions{InPlace: true, At: at, Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
}

// withClient calls use with a client of one server.
func withClient(t *testing.T, s *etcdtest.Server, use func(ctx context.Context, c *clientv3.Client)) {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{s.Endpoint}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	use(ctx, client)
}

// putMany writes keys, each in an entry of its own. On a busy machine a leader may be lost meanwhile.
func putMany(t *testing.T, s *etcdtest.Server, prefix string, n int) {
	t.Helper()
	withClient(t, s, func(ctx context.Context, c *clientv3.Client) {
		for i := 0; i < n; {
			_, err := c.Put(ctx, fmt.Sprintf("%s/%04d", prefix, i), strings.Repeat("v", 100))
			switch {
			case ctx.Err() != nil:
				t.Fatal(err)
			case err == nil:
				i++
			}
		}
	})
}

// zeroMiddle zeroes two sectors in the middle of what the first segment holds.
func zeroMiddle(t *testing.T, dir string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "member", "wal", "*.wal"))
	if err != nil || len(names) == 0 {
		t.Fatal("no segments", err)
	}
	f, err := os.OpenFile(names[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	used := int64(len(bytes.TrimRight(b, "\x00")))
	if _, err := f.WriteAt(make([]byte, 1024), used/2/512*512); err != nil {
		t.Fatal(err)
	}
}

// count returns how many keys there are, as the cluster has agreed on.
func count(t *testing.T, s *etcdtest.Server) (n int64) {
	t.Helper()
	withClient(t, s, func(ctx context.Context, c *clientv3.Client) {
		for {
			r, err := c.Get(ctx, "", clientv3.WithPrefix(), clientv3.WithCountOnly())
			if err == nil {
				n = r.Count
				return
			}
			if ctx.Err() != nil {
				t.Fatal(err)
			}
		}
	})
	return n
}

// sameHashes compares the keys of servers by etcd's own hash. Each has caught up: it has just counted them.
func sameHashes(t *testing.T, servers []*etcdtest.Server) {
	t.Helper()
	hashes := map[uint32]int{}
	for _, s := range servers {
		withClient(t, s, func(ctx context.Context, c *clientv3.Client) {
			r, err := c.HashKV(ctx, s.Endpoint, 0)
			if err != nil {
				t.Fatal(err)
			}
			hashes[r.Hash]++
		})
	}
	if len(hashes) != 1 {
		t.Errorf("the members have different keys: hashes %v", hashes)
	}
}
