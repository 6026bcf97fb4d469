package node_test

import (
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// add adds a learner at a URL to the cluster of a member.
func add(t testing.TB, n *node.Node, url string) (id uint64) {
	t.Helper()
	urls, err := types.NewURLs([]string{url})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	m := membership.NewMemberAsLearner("", urls, "", &now)
	if _, err := n.AddMember(t.Context(), *m); err != nil {
		t.Fatal(err)
	}
	return uint64(m.ID)
}

// promoteSynced makes a learner a voter once it has caught up.
func promoteSynced(t testing.TB, n *node.Node, id uint64) {
	t.Helper()
	eventually(t, "a learner that has caught up", func() bool {
		_, err := n.PromoteMember(t.Context(), id)
		if err != nil && !strings.Contains(err.Error(), "learner member which is in sync") {
			t.Fatal(err)
		}
		return err == nil
	})
}

// TestJoins has members join one another: this software's join its own and every etcd, and every etcd
// joins this one.
func TestJoins(t *testing.T) {
	peers := etcdtest.Peers(t, 2)
	alone := peers[:1]
	first := start(t, node.Config{
		Name: "m1", DataDir: t.TempDir(), ListenPeerURLs: []string{peers[0].URL}, NoStrictReconfig: true,
		InitialCluster: etcdtest.InitialCluster(alone),
	})
	put(t, first, "a", "1")
	id := add(t, first, peers[1].URL)
	cfg := node.Config{
		Name: "m2", DataDir: t.TempDir(), ListenPeerURLs: []string{peers[1].URL}, Join: true,
		InitialCluster: etcdtest.InitialCluster(peers),
	}
	second := start(t, cfg)
	if second.ID() != id || second.ClusterID() != first.ClusterID() {
		t.Errorf("joined as %x of cluster %x, want %x of %x", second.ID(), second.ClusterID(), id, first.ClusterID())
	}
	promoteSynced(t, first, id)
	put(t, second, "b", "2")
	for _, n := range []*node.Node{first, second} {
		if a, b := get(t, n, "a"), get(t, n, "b"); a != "1" || b != "2" {
			t.Errorf("a = %q, b = %q, want 1, 2", a, b)
		}
	}
	stop(t, second)
	second = start(t, cfg) // Join has no meaning any more
	if got := get(t, second, "b"); got != "2" {
		t.Errorf("after a restart: b = %q, want 2", got)
	}
}

// TestJoinsServer has a member join a real etcd of each release, and leads it.
func TestJoinsServer(t *testing.T) {
	for _, release := range node.Releases {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			peers := etcdtest.Peers(t, 2)
			peers[0].DataDir = t.TempDir()
			s := etcdtest.StartCluster(t, release, peers[:1],
				"--initial-cluster", etcdtest.InitialCluster(peers[:1]), "--strict-reconfig-check=false")[0]
			s.Ctl("put", "a", "1")
			s.Ctl("member", "add", "m2", "--learner", "--peer-urls", peers[1].URL)
			n := start(t, node.Config{
				Name: "m2", DataDir: t.TempDir(), ListenPeerURLs: []string{peers[1].URL}, Join: true,
				InitialCluster: etcdtest.InitialCluster(peers),
			})
			if got := n.Config().As; got != release {
				t.Errorf("stands for %s, want %s", got, release)
			}
			promoteSynced(t, n, n.ID())
			if err := n.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.Ctl("move-leader", strings.TrimLeft(types.ID(n.ID()).String(), " "))
			eventually(t, "leadership", func() bool { return n.Status().Lead == n.ID() })
			put(t, n, "b", "2")
			if got := string(s.Ctl("get", "", "--prefix", "--print-value-only")); got != "1\n2\n" {
				t.Errorf("etcd has %q", got)
			}
			want := askHash(t, peers[0].URL, 3)
			if got := askHash(t, peers[1].URL, 3); got.Hash != want.Hash {
				t.Errorf("hash %+v, etcd has %+v", got, want)
			}
		})
	}
}

// TestServerJoins has a real etcd of each release join a member that stands for it, and lead it.
func TestServerJoins(t *testing.T) {
	for _, release := range node.Releases {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			peers := etcdtest.Peers(t, 2)
			n := start(t, node.Config{
				Name: "m1", DataDir: t.TempDir(), ListenPeerURLs: []string{peers[0].URL}, As: release,
				InitialCluster: etcdtest.InitialCluster(peers[:1]), NoStrictReconfig: true,
			})
			put(t, n, "a", "1")
			eventually(t, "the cluster has its version", func() bool { return n.Store().Cluster().Version() != nil })
			id := add(t, n, peers[1].URL)
			peers[1].DataDir = t.TempDir()
			s := peers[1].Launch(t, release,
				"--initial-cluster", etcdtest.InitialCluster(peers), "--initial-cluster-state", "existing")
			promoteSynced(t, n, id)
			if err := s.WaitHealthy(); err != nil {
				t.Fatalf("%v\n%s", err, s.Log())
			}
			eventually(t, "another leader", func() bool { return n.MoveLeader(t.Context(), id) == nil })
			s.Ctl("put", "b", "2")
			if a, b := get(t, n, "a"), get(t, n, "b"); a != "1" || b != "2" {
				t.Errorf("a = %q, b = %q, want 1, 2", a, b)
			}
			want := askHash(t, peers[1].URL, 3)
			if got := askHash(t, peers[0].URL, 3); got.Hash != want.Hash {
				t.Errorf("hash %+v, etcd has %+v", got, want)
			}
		})
	}
}

// TestJoinRefused has members join that can't, or that the cluster must not trust.
func TestJoinRefused(t *testing.T) {
	peers := etcdtest.Peers(t, 4)
	first := start(t, node.Config{
		Name: "m1", DataDir: t.TempDir(), ListenPeerURLs: []string{peers[0].URL}, NoStrictReconfig: true,
		InitialCluster: etcdtest.InitialCluster(peers[:1]),
	})
	join := node.Config{
		Name: "m2", ListenPeerURLs: []string{peers[1].URL}, Join: true, InitialCluster: etcdtest.InitialCluster(peers[:2]),
	}
	refuse := func(name, want string, cfg node.Config) {
		t.Helper()
		cfg.DataDir = t.TempDir()
		n, err := node.Start(t.Context(), cfg)
		if err == nil {
			stop(t, n)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	refuse("not added", "member count is unequal", join)
	id := add(t, first, peers[1].URL)
	elsewhere := join
	elsewhere.ListenPeerURLs = []string{peers[2].URL}
	elsewhere.InitialCluster = etcdtest.InitialCluster(peers[:1]) + ",m2=" + peers[2].URL
	refuse("added at another URL", "no match found for existing member", elsewhere)
	silent := elsewhere
	silent.InitialCluster = "m1=" + peers[3].URL + ",m2=" + peers[2].URL
	refuse("nobody there", "cannot fetch cluster info from peer urls", silent)
	eventually(t, "the cluster has its version", func() bool { return first.Store().Cluster().Version() != nil })
	early := join
	early.As = "3.6"
	refuse("an earlier release", "start it with --as 3.7", early)

	second := join
	second.DataDir = t.TempDir()
	n := start(t, second)
	promoteSynced(t, first, id)
	get(t, n, "a")
	stop(t, n)
	refuse("a voter without its directory", "has run before", join)
}

// TestBootstrapsOnce has a member that lost its directory begin its cluster again.
func TestBootstrapsOnce(t *testing.T) {
	members, configs := startThree(t, node.Config{})
	stop(t, members[0])
	again := configs[0]
	again.DataDir = t.TempDir()
	n, err := node.Start(t.Context(), again)
	if err == nil {
		stop(t, n)
	}
	if err == nil || !strings.Contains(err.Error(), "has already been bootstrapped") {
		t.Errorf("%v, want a refusal", err)
	}
}

// TestJoinsDowngrade has members join a cluster that goes to an earlier release, whose log has the version before:
// one that catches up must not take that for the present one.
func TestJoinsDowngrade(t *testing.T) {
	peers := etcdtest.Peers(t, 2)
	first := start(t, node.Config{
		Name: "m1", DataDir: t.TempDir(), ListenPeerURLs: []string{peers[0].URL}, NoStrictReconfig: true,
		InitialCluster: etcdtest.InitialCluster(peers[:1]),
	})
	eventually(t, "the versions 3.7", func() bool { return first.Versions().Storage == "3.7.0" })
	_, err := first.Downgrade(t.Context(), &etcdserverpb.DowngradeRequest{
		Action: etcdserverpb.DowngradeRequest_ENABLE, Version: "3.6",
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the versions 3.6", func() bool { return first.Versions().Storage == "3.6.0" })
	add(t, first, peers[1].URL)
	for _, c := range [][2]string{{"3.5", "start it with --as 3.6"}, {"3.7", "is being downgraded"}, {"", ""}} {
		as, want := c[0], c[1]
		n, err := node.Start(t.Context(), node.Config{
			Name: "m2", ListenPeerURLs: []string{peers[1].URL}, Join: true, As: as, DataDir: t.TempDir(),
			InitialCluster: etcdtest.InitialCluster(peers),
		})
		if err == nil {
			waitReady(t, n)
			if got := n.Config().As; got != "3.6" {
				t.Errorf("stands for %s, want 3.6", got)
			}
			stop(t, n)
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("as %q: %v, want %q", as, err, want)
		}
	}
}
