package kv_test

import (
	"fmt"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// TestReplayOfServer has real etcds of each version work through all kinds of requests, and replays their
// logs from an empty database, which is then theirs. RAFTCTL_LOOKS says how many seeds there are.
func TestReplayOfServer(t *testing.T) {
	t.Setenv("ETCD_VERIFY", "all")
	needed := needed{}
	for _, version := range etcdtest.Versions {
		for seed := range uint64(etcdtest.Looks(t, 2)) {
			t.Run(fmt.Sprintf("%s/seed=%d", version, seed), func(t *testing.T) {
				m := serve(t, version, seed)
				dir := t.TempDir()
				m.replay(t, dir, m.last/2)
				m.replay(t, dir, m.last)
				needed.compare(t, m.db, readState(t, dir), &m.subject)
				for _, bucket := range []string{"key", "lease", "alarm", "authUsers", "members_removed"} {
					if len(m.db[bucket]) == 0 && (bucket != "alarm" || seed%2 == 0) {
						t.Errorf("bucket %s is empty, so that nothing was compared", bucket)
					}
				}
			})
		}
	}
	needed.all(t)
}

// serve runs a server under a workload, stops it, and returns what it left.
func serve(t *testing.T, version string, seed uint64) *member {
	t.Helper()
	dir := t.TempDir()
	args := append([]string{"--quota-backend-bytes", "3000000", "--snapshot-count", "100"}, etcdtest.Quick...)
	server := etcdtest.Start(t, version, dir, args...)
	newWorkload(t, server, seed).run()
	server.Stop()
	m := openMember(t, version, dir)
	m.minTTL = 1
	if !m.whole() {
		t.Fatalf("the log of %s isn't whole: %+v", version, m.view.Ranges)
	}
	return m
}
