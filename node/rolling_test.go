package node_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/version"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// rolling is a cluster of two members and a real etcd, of which each is replaced in its turn.
type rolling struct {
	t       *testing.T
	peers   []etcdtest.Peer
	members []*node.Node
	server  *etcdtest.Server
}

func (r *rolling) startMember(i int, as string) {
	r.t.Helper()
	r.members[i] = startOne(r.t, node.Config{
		Name: r.peers[i].Name, DataDir: r.peers[i].DataDir, ListenPeerURLs: []string{r.peers[i].URL}, As: as,
		InitialCluster: etcdtest.InitialCluster(r.peers),
	})
}

func (r *rolling) startServer(release string) {
	r.t.Helper()
	r.server = etcdtest.StartCluster(r.t, release, r.peers[2:], "--initial-cluster", etcdtest.InitialCluster(r.peers))[0]
}

// restart has all go to a release, one after the other.
func (r *rolling) restart(release, as string) {
	r.t.Helper()
	for i, n := range r.members {
		stop(r.t, n)
		r.startMember(i, as)
		waitReady(r.t, r.members[i])
		if got := r.members[i].Config().As; got != release {
			r.t.Fatalf("%s stands for %s, want %s", r.peers[i].Name, got, release)
		}
	}
	r.server.Stop()
	r.startServer(release)
}

// settle waits until the versions of the cluster and of all databases are those of a release, and no downgrade
// goes on.
func (r *rolling) settle(release string, downgrading bool) {
	r.t.Helper()
	want := release + ".0"
	eventually(r.t, "all at "+want, func() bool {
		for _, p := range r.peers {
			var v version.Versions
			body := ask(r.t, p.URL, request{method: http.MethodGet, path: "/version"}).Body
			if err := json.Unmarshal([]byte(body), &v); err != nil || v.Cluster != want || v.Storage != want {
				return false
			}
		}
		return r.members[0].Store().Cluster().DowngradeInfo().Enabled == downgrading
	})
}

// compare writes by each member, and compares the keys of all.
func (r *rolling) compare(value string) {
	r.t.Helper()
	put(r.t, r.members[0], "a", value)
	put(r.t, r.members[1], "b", value)
	r.server.Ctl("put", "c", value)
	for _, n := range r.members {
		get(r.t, n, "c")
	}
	_, revision, err := r.members[0].Store().HashKV(0)
	if err != nil {
		r.t.Fatal(err)
	}
	want := askHash(r.t, r.peers[0].URL, revision)
	for _, p := range r.peers[1:] {
		if got := askHash(r.t, p.URL, revision); got.Hash != want.Hash {
			r.t.Errorf("with %s: %s has %+v, %s %+v", value, p.Name, got, r.peers[0].Name, want)
		}
	}
}

// TestRollingReleases takes a mixed cluster to the release before and back, without a stop of the whole.
func TestRollingReleases(t *testing.T) {
	r := &rolling{t: t, peers: etcdtest.Peers(t, 3), members: make([]*node.Node, 2)}
	for i := range r.peers {
		r.peers[i].DataDir = t.TempDir()
	}
	for i := range r.members {
		r.startMember(i, "3.7")
	}
	r.startServer("3.7")
	r.settle("3.7", false)
	r.compare("before")
	_, err := r.members[0].Downgrade(t.Context(), &etcdserverpb.DowngradeRequest{
		Action: etcdserverpb.DowngradeRequest_ENABLE, Version: "3.6",
	})
	if err != nil {
		t.Fatal(err)
	}
	r.settle("3.6", true)
	r.restart("3.6", "")
	r.settle("3.6", false)
	r.compare("downgraded")
	r.restart("3.7", "3.7")
	r.settle("3.7", false)
	r.compare("upgraded")
}
