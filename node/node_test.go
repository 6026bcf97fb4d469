package node_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/pkg/v3/traceutil"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

func freeURL(t testing.TB) string {
	t.Helper()
	return "http://" + etcdtest.FreeAddr(t)
}

// start starts a member, and waits until it serves.
func start(t testing.TB, cfg node.Config) *node.Node {
	t.Helper()
	n := startOne(t, cfg)
	waitReady(t, n)
	return n
}

// startOne starts a member, and doesn't wait for a leader.
func startOne(t testing.TB, cfg node.Config) *node.Node {
	t.Helper()
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	cfg.Tick, cfg.ElectionTimeout = 50*time.Millisecond, 500*time.Millisecond
	n, err := node.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopAnyhow(n) })
	return n
}

func waitReady(t testing.TB, n *node.Node) {
	t.Helper()
	select {
	case <-n.Ready():
	case <-n.Done():
		t.Fatal(n.Err())
	case <-time.After(30 * time.Second):
		t.Fatal("not ready after 30 s")
	}
}

func stop(t testing.TB, n *node.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func put(t testing.TB, n *node.Node, key, value string) {
	t.Helper()
	r, err := n.Propose(t.Context(), &etcdserverpb.InternalRaftRequest{
		Put: &etcdserverpb.PutRequest{Key: []byte(key), Value: []byte(value)},
	})
	if err != nil || r.Err != nil {
		t.Fatal(err, r.Err)
	}
}

// get reads a key linearizably.
func get(t testing.TB, n *node.Node, key string) string {
	t.Helper()
	if err := n.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	tx := n.Store().KV().Read(mvcc.ConcurrentReadTxMode, traceutil.TODO())
	defer tx.End()
	r, err := tx.Range(t.Context(), []byte(key), nil, mvcc.RangeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.KVs) == 0 {
		return ""
	}
	return string(r.KVs[0].Value)
}

func TestSingleMember(t *testing.T) {
	dir := t.TempDir()
	cfg := node.Config{DataDir: dir, ListenPeerURLs: []string{freeURL(t)}}
	n := start(t, cfg)
	put(t, n, "a", "1")
	if got := get(t, n, "a"); got != "1" {
		t.Errorf("a = %q, want 1", got)
	}
	stop(t, n)
	n = start(t, cfg)
	if got := get(t, n, "a"); got != "1" {
		t.Errorf("after a restart: a = %q, want 1", got)
	}
}

// stopAnyhow stops a member that may have failed.
func stopAnyhow(n *node.Node) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = n.Stop(ctx) // its error is the failure
}
