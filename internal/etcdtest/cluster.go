package etcdtest

import (
	"strings"
	"testing"
)

// Peer is a member of a cluster: its name, its data directory, and the URL at which the others reach it.
type Peer struct {
	Name, DataDir, URL string
}

// Peers returns n members m1, m2 and so on, without data directories, at URLs that nothing listens on.
func Peers(tb testing.TB, n int) []Peer {
	tb.Helper()
	var list []Peer
	for i := range n {
		list = append(list, Peer{Name: "m" + string(rune('1'+i)), URL: "http://" + FreeAddr(tb)})
	}
	return list
}

// InitialCluster is what the flag --initial-cluster takes for members.
func InitialCluster(peers []Peer) string {
	var pairs []string
	for _, p := range peers {
		pairs = append(pairs, p.Name+"="+p.URL)
	}
	return strings.Join(pairs, ",")
}

// Launch runs an etcd on the member's data directory and doesn't wait: it may need another member to be healthy.
func (p Peer) Launch(tb testing.TB, version string, args ...string) *Server {
	tb.Helper()
	return Launch(tb, version, p.DataDir, append([]string{"--name", p.Name, "--listen-peer-urls", p.URL,
		"--initial-advertise-peer-urls", p.URL}, args...)...)
}

// StartCluster runs an etcd on each member's data directory, and waits until all are healthy, which
// takes a leader. The servers are killed when the test ends, those that still run.
func StartCluster(tb testing.TB, version string, peers []Peer, args ...string) []*Server {
	tb.Helper()
	var all []*Server
	for _, p := range peers {
		all = append(all, p.Launch(tb, version, args...))
	}
	for i, s := range all {
		if err := s.waitHealthy(); err != nil {
			tb.Fatalf("etcd %s on %s: %v\n%s", version, peers[i].DataDir, err, s.Log())
		}
	}
	return all
}
