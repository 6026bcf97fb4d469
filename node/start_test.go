package node_test

import (
	"fmt"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// Each release starts on a directory of a member that stood for it, and the member on what it left.
func TestEtcdTakesOver(t *testing.T) {
	for _, release := range node.Releases {
		t.Run(release, func(t *testing.T) {
			cfg := node.Config{DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}, As: release}
			n := start(t, cfg)
			for i := range 20 {
				put(t, n, fmt.Sprint("key", i), "ours")
			}
			stop(t, n)

			etcd := etcdtest.Start(t, release, cfg.DataDir, etcdtest.Quick...)
			if got := string(etcd.Ctl("get", "key19", "--print-value-only")); got != "ours\n" {
				t.Errorf("etcd has key19 = %q, want ours", got)
			}
			etcd.Ctl("put", "key19", "etcd's")
			etcd.Kill()

			n = start(t, cfg)
			if got := get(t, n, "key19"); got != "etcd's" {
				t.Errorf("key19 = %q, want etcd's", got)
			}
			if got := get(t, n, "key0"); got != "ours" {
				t.Errorf("key0 = %q, want ours", got)
			}
		})
	}
}
