package node_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	etcderrors "go.etcd.io/etcd/server/v3/etcdserver/errors"

	"github.com/raftctl/raftctl/node"
)

// TestQuota writes until the quota is reached: whoever is refused finds the alarm, and it is raised once
// however many write at a time.
func TestQuota(t *testing.T) {
	n := start(t, node.Config{DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}, QuotaBytes: 256 << 10})
	eventually(t, "the cluster has a version, after which it is quiet", func() bool {
		return n.Store().Cluster().Version() != nil
	})
	before := n.Status().Applied
	value := []byte(strings.Repeat("v", 8<<10))
	var writers sync.WaitGroup
	var mu sync.Mutex
	puts := 0
	for range 16 {
		writers.Go(func() {
			for {
				r, err := n.Propose(t.Context(), &etcdserverpb.InternalRaftRequest{
					Put: &etcdserverpb.PutRequest{Key: []byte("k"), Value: value},
				})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				puts++
				mu.Unlock()
				if !errors.Is(r.Err, etcderrors.ErrNoSpace) {
					continue
				}
				if alarms := n.Store().Alarms(); len(alarms) != 1 || alarms[0].MemberID != n.ID() {
					t.Errorf("alarms %v, want one of this member", alarms)
				}
				return
			}
		})
	}
	writers.Wait()
	if others := n.Status().Applied - before - uint64(puts); others > 1 {
		t.Errorf("%d entries besides the puts, want one alarm", others)
	}
	r, err := n.Propose(t.Context(), &etcdserverpb.InternalRaftRequest{
		DeleteRange: &etcdserverpb.DeleteRangeRequest{Key: []byte("k")},
	})
	if err != nil || r.Err != nil {
		t.Errorf("a deletion: %v, %v", err, r.Err)
	}
}
