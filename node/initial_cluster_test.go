package node_test

import (
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// TestInitialCluster begins clusters whose description is wrong, with the words of a real etcd, and one that
// has its URLs in another order.
func TestInitialCluster(t *testing.T) {
	url, other := freeURL(t), freeURL(t)
	local := strings.Replace(url, "127.0.0.1", "localhost", 1)
	for _, c := range []struct {
		name, cluster, advertised, want string
	}{
		{"not in it", "b=" + url, url, `couldn't find local name "a" in the initial cluster configuration`},
		{"elsewhere", "a=" + other, url, "--initial-cluster has a=" + other +
			" but missing from --initial-advertise-peer-urls=" + url},
		{"advertises more", "a=" + url, url + "," + other, "--initial-advertise-peer-urls has " + other +
			" but missing from --initial-cluster="},
		{"a name for an address", "a=" + url, local, "--initial-cluster has a=" + url +
			" but missing from --initial-advertise-peer-urls=" + local},
		{"twice", "a=" + url + ",b=" + url, url, "has duplicate url"},
	} {
		cfg := node.Config{
			Name: "a", DataDir: t.TempDir(), ListenPeerURLs: []string{url}, InitialCluster: c.cluster,
			AdvertisePeerURLs: strings.Split(c.advertised, ","),
		}
		n, err := node.Start(t.Context(), cfg)
		if err == nil {
			stop(t, n)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		log, ended := etcdtest.Watch(t, "3.7", t.TempDir(), 0, "--name", "a", "--listen-peer-urls", url,
			"--initial-cluster", c.cluster, "--initial-advertise-peer-urls", c.advertised)
		if text := strings.ReplaceAll(log, `\"`, `"`); !ended || !strings.Contains(text, c.want) {
			t.Errorf("%s: etcd says\n%s\nwant %q", c.name, log, c.want)
		}
	}
	n := start(t, node.Config{
		Name: "a", DataDir: t.TempDir(), ListenPeerURLs: []string{url},
		AdvertisePeerURLs: []string{url, other}, InitialCluster: "a=" + other + ",a=" + url,
	})
	put(t, n, "a", "1")
}
