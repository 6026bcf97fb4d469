package node_test

import (
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/types"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// pair starts a member and a real etcd that make a cluster.
func pair(t *testing.T, release string) (*node.Node, *etcdtest.Server) {
	t.Helper()
	peers := etcdtest.Peers(t, 2)
	peers[1].DataDir = t.TempDir()
	s := peers[1].Launch(t, release, "--initial-cluster", etcdtest.InitialCluster(peers), "--strict-reconfig-check=false")
	n := start(t, node.Config{
		Name: "m1", DataDir: t.TempDir(), ListenPeerURLs: []string{peers[0].URL}, As: release,
		InitialCluster: etcdtest.InitialCluster(peers), NoStrictReconfig: true,
	})
	if err := s.WaitHealthy(); err != nil {
		t.Fatalf("%v\n%s", err, s.Log())
	}
	return n, s
}

// TestServerAsksLeader has a real etcd pass on to a member that leads what only leaders answer: how long
// leases have left, their renewal, and, for a user with a token, the promotion of a learner.
func TestServerAsksLeader(t *testing.T) {
	for _, release := range node.Releases {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			n, s := pair(t, release)
			eventually(t, "leadership", func() bool {
				st := n.Status()
				if st.Lead != 0 && st.Lead != n.ID() {
					s.Ctl("move-leader", fmt.Sprintf("%x", n.ID()))
				}
				return st.Lead == n.ID()
			})
			get(t, n, "a")
			grant(t, n, 1, 600)
			putLeased(t, n, "k", 1)
			if got := string(s.Ctl("lease", "timetolive", "1", "--keys")); !strings.Contains(got, "granted with TTL(600s)") ||
				!strings.Contains(got, "attached keys([k])") {
				t.Errorf("a lease's time to live: %q", got)
			}
			if got := string(s.Ctl("lease", "keep-alive", "--once", "1")); !strings.Contains(got, "with TTL(600)") {
				t.Errorf("a lease's renewal: %q", got)
			}

			url := freeURL(t)
			id := add(t, n, url)
			var cluster []string
			for _, m := range n.Store().Cluster().Members() {
				name := m.Name
				if uint64(m.ID) == id {
					name = "m3"
				}
				cluster = append(cluster, name+"="+m.PeerURLs[0])
			}
			third := start(t, node.Config{
				Name: "m3", DataDir: t.TempDir(), ListenPeerURLs: []string{url}, Join: true,
				InitialCluster: strings.Join(cluster, ","),
			})
			eventually(t, "the learner has what the leader has", func() bool {
				return third.Status().Applied >= n.Status().Applied
			})
			s.EnableAuth()
			s.Ctl("member", "promote", fmt.Sprintf("%x", id))
			if m := n.Store().Cluster().Member(types.ID(id)); m == nil || m.IsLearner {
				t.Errorf("member %v, want a voter", m)
			}
		})
	}
}

// TestAsksServer has a member ask a real etcd that leads.
func TestAsksServer(t *testing.T) {
	for _, release := range node.Releases {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			n, s := pair(t, release)
			var lead uint64
			for _, m := range n.Store().Cluster().Members() {
				if uint64(m.ID) != n.ID() {
					lead = uint64(m.ID)
				}
			}
			eventually(t, "another leader", func() bool {
				if n.Status().Lead == n.ID() {
					_ = n.MoveLeader(t.Context(), lead)
				}
				return n.Status().Lead == lead
			})
			s.Ctl("put", "a", "1") // it has committed in its term
			grant(t, n, 1, 600)
			putLeased(t, n, "k", 1)
			if ttl, err := n.RenewLease(t.Context(), 1); err != nil || ttl != 600 {
				t.Errorf("a lease's renewal: %d, %v, want 600", ttl, err)
			}
			if _, err := n.RenewLease(t.Context(), 2); err == nil || err.Error() != "lease not found" {
				t.Errorf("the renewal of a lease that there isn't: %v", err)
			}
			got, err := n.LeaseTimeToLive(t.Context(), &etcdserverpb.LeaseTimeToLiveRequest{ID: 1, Keys: true})
			if err != nil || got.GrantedTTL != 600 || len(got.Keys) != 1 || string(got.Keys[0]) != "k" {
				t.Errorf("a lease's time to live: %v, %v", got, err)
			}
			if _, err := n.PromoteMember(t.Context(), lead); err == nil || !strings.Contains(err.Error(), "learner") {
				t.Errorf("the promotion of a voter: %v", err)
			}
		})
	}
}
