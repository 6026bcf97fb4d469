package node_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// cluster starts so many members that begin a cluster.
func cluster(t *testing.T, size int) (members []*node.Node, configs []node.Config) {
	t.Helper()
	peers := etcdtest.Peers(t, size)
	for _, p := range peers {
		cfg := node.Config{
			Name: p.Name, DataDir: t.TempDir(), ListenPeerURLs: []string{p.URL},
			InitialCluster: etcdtest.InitialCluster(peers),
		}
		configs = append(configs, cfg)
		members = append(members, startOne(t, cfg))
	}
	for _, n := range members {
		waitReady(t, n)
	}
	return members, configs
}

// Three members agree, go on without one of them, and the one catches up.
func TestThreeMembers(t *testing.T) {
	members, configs := cluster(t, 3)
	for i, n := range members {
		put(t, n, fmt.Sprint("by", i), "x")
	}
	for _, n := range members {
		for i := range members {
			if got := get(t, n, fmt.Sprint("by", i)); got != "x" {
				t.Errorf("by%d = %q, want x", i, got)
			}
		}
	}
	began := time.Now()
	stop(t, members[0])
	put(t, members[1], "without", "one")
	t.Logf("%v without the first", time.Since(began))
	members[0] = start(t, configs[0])
	if got := get(t, members[0], "without"); got != "one" {
		t.Errorf("without = %q, want one", got)
	}
}
