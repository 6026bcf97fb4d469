package node_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/authpb"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/lease"

	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/raft"
)

// propose has a member apply a request, which must be taken.
func propose(t testing.TB, n *node.Node, r *etcdserverpb.InternalRaftRequest) {
	t.Helper()
	got, err := n.Propose(t.Context(), r)
	if err != nil || got.Err != nil {
		t.Fatal(err, got.Err)
	}
}

func grant(t testing.TB, n *node.Node, id, ttl int64) {
	t.Helper()
	propose(t, n, &etcdserverpb.InternalRaftRequest{LeaseGrant: &etcdserverpb.LeaseGrantRequest{ID: id, TTL: ttl}})
}

func putLeased(t testing.TB, n *node.Node, key string, id int64) {
	t.Helper()
	propose(t, n, &etcdserverpb.InternalRaftRequest{
		Put: &etcdserverpb.PutRequest{Key: []byte(key), Value: []byte("v"), Lease: id},
	})
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not after 30 s: %s", what)
}

// TestLeasesExpire lets more leases expire at once than are revoked at once, with authentication on, under
// which only root may revoke those with keys that others may not write.
func TestLeasesExpire(t *testing.T) {
	n := start(t, node.Config{DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}, BcryptCost: 4})
	var all sync.WaitGroup
	for id := int64(1); id <= 40; id++ {
		all.Go(func() {
			for _, r := range []*etcdserverpb.InternalRaftRequest{
				{LeaseGrant: &etcdserverpb.LeaseGrantRequest{ID: id, TTL: 3}},
				{Put: &etcdserverpb.PutRequest{Key: fmt.Append(nil, "k", id), Lease: id}},
			} {
				if got, err := n.Propose(t.Context(), r); err != nil || got.Err != nil {
					t.Error(err, got.Err)
				}
			}
		})
	}
	all.Wait()
	grant(t, n, 100, 600)
	putLeased(t, n, "stays", 100)
	enableAuth(t, n)
	eventually(t, "all 40 leases are gone", func() bool { return len(n.Store().Lessor().Leases()) == 1 })
	if got := get(t, n, "k1"); got != "" {
		t.Errorf("the key of a lease that expired is there: %q", got)
	}
	if got := get(t, n, "stays"); got != "v" {
		t.Errorf("the key of a lease that didn't expire is %q, want v", got)
	}
}

func enableAuth(t testing.TB, n *node.Node) {
	t.Helper()
	for _, r := range []*etcdserverpb.InternalRaftRequest{
		{AuthUserAdd: &etcdserverpb.AuthUserAddRequest{
			Name: "root", Options: &authpb.UserAddOptions{NoPassword: true},
		}},
		{AuthRoleAdd: &etcdserverpb.AuthRoleAddRequest{Name: "root"}},
		{AuthUserGrantRole: &etcdserverpb.AuthUserGrantRoleRequest{User: "root", Role: "root"}},
		{AuthEnable: &etcdserverpb.AuthEnableRequest{}},
	} {
		propose(t, n, r)
	}
}

// TestLeaseCheckpoints lets a lease run for a while, and restarts the member, which must not begin anew with
// it: the checkpoint is in the log. Members that stand for 3.5 keep it only if they are told to.
func TestLeaseCheckpoints(t *testing.T) {
	for _, c := range []struct {
		as            string
		persist, kept bool
	}{{"3.5", false, false}, {"3.5", true, true}, {"3.7", false, true}} {
		t.Run(fmt.Sprint(c.as, c.persist), func(t *testing.T) {
			t.Parallel()
			cfg := node.Config{
				DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}, As: c.as,
				LeaseCheckpoints: true, LeaseCheckpointInterval: time.Second, LeaseCheckpointPersist: c.persist,
			}
			n := start(t, cfg)
			eventually(t, "the cluster has its version", func() bool {
				v := n.Store().Cluster().Version()
				return v != nil && v.Minor >= 5
			})
			grant(t, n, 1, 10_000)
			before := n.Status().Applied
			eventually(t, "four checkpoints", func() bool { return n.Status().Applied >= before+4 })
			stop(t, n)
			n = start(t, cfg)
			left := n.Store().Lessor().Lookup(lease.LeaseID(1)).Remaining()
			if kept := left < 9998*time.Second; kept != c.kept {
				t.Errorf("the lease has %v left, want less than its 10,000 s: %v", left, c.kept)
			}
		})
	}
}

// TestLeaseNotRenewed asks a leader that has lost its follower, and has yet to find out, to renew a lease: somebody else may
// lead by now, by whose clock the lease ends earlier than this answer would promise. Clients and other members ask alike.
func TestLeaseNotRenewed(t *testing.T) {
	members, configs := cluster(t, 2)
	grant(t, members[0], 1, 600)
	lead := 0
	if members[1].Status().Role == raft.StateLeader {
		lead = 1
	}
	if _, err := members[lead].RenewLease(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	renewal := request{http.MethodPost, "/leases", "", message(t, &etcdserverpb.LeaseKeepAliveRequest{ID: 1})}
	url := configs[lead].ListenPeerURLs[0]
	if got := ask(t, url, renewal); got.Status != "200 OK" {
		t.Fatalf("%+v", got)
	}
	stop(t, members[1-lead])
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() {
		if ttl, err := members[lead].RenewLease(ctx, 1); err == nil {
			t.Errorf("renewed for %d s, by a leader without a majority", ttl)
		}
	})
	both.Go(func() {
		if got := ask(t, url, renewal); got.Status == "200 OK" {
			t.Errorf("renewed for another member, by a leader without a majority: %+v", got)
		}
	})
	both.Wait()
}
