package etcdapi

import (
	"context"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// TestLearner makes the same requests to a node and to an etcd that are learners, each of an etcd.
func TestLearner(t *testing.T) {
	t.Parallel()
	ours, etcds := startLearner(t, true), startLearner(t, false)
	compare(t, ours, etcds, []row{
		{name: "read, serializable", r: get("a", local)},
		{name: "read, serializable, of the future", r: get("a", local, at(99))},
		{name: "status", r: &pb.StatusRequest{}},
		{name: "hash, with a leader", r: &pb.HashKVRequest{}, headers: needLeader},
		{name: "read", r: get("a")},
		{name: "stream, serializable", r: get("a", local), inPieces: true},
		{name: "read in a transaction, serializable", r: txnOf(get("a", local))},
		{name: "put", r: put("a", "1")},
		{name: "wrong", r: put("", "")},
		{name: "delete", r: del("a", "")},
		{name: "compact", r: &pb.CompactionRequest{Revision: 1}},
		{name: "grant", r: &pb.LeaseGrantRequest{ID: 7, TTL: 100}},
		{name: "renew", r: &pb.LeaseKeepAliveRequest{ID: 7}},
		{name: "leases", r: &pb.LeaseLeasesRequest{}},
		{name: "watch", r: &pb.WatchRequest{}},
		{name: "alarms", r: &pb.AlarmRequest{}},
		{name: "hash", r: &pb.HashRequest{}},
		{name: "defragment", r: &pb.DefragmentRequest{}},
		{name: "move the leader", r: &pb.MoveLeaderRequest{TargetID: 1}},
		{name: "members", r: &pb.MemberListRequest{}},
		{name: "promote", r: &pb.MemberPromoteRequest{ID: 1}},
		{name: "users", r: &pb.AuthUserListRequest{}},
		{name: "token", r: token("root", "x")},
	})
	for _, s := range []*side{ours, etcds} {
		if pieces, err := s.do(t.Context(), &pb.SnapshotRequest{}, false); err != nil || len(pieces) < 2 {
			t.Errorf("a snapshot of a learner has %d pieces, %v", len(pieces), err)
		}
	}
}

// startLearner starts an etcd and a learner of it, and returns the learner when it has what the leader has.
func startLearner(t *testing.T, ours bool) *side {
	t.Helper()
	peers := etcdtest.Peers(t, 2)
	peers[0].DataDir, peers[1].DataDir = t.TempDir(), t.TempDir()
	flags := append([]string{"--initial-cluster", etcdtest.InitialCluster(peers[:1])}, etcdtest.Quick...)
	leader := dial(t, etcdtest.StartCluster(t, "3.7", peers[:1], flags...)[0].Endpoint)
	leader.answer(t, row{r: put("a", "1")})
	_, err := leader.do(t.Context(), &pb.MemberAddRequest{PeerURLs: []string{peers[1].URL}, IsLearner: true}, false)
	if err != nil {
		t.Fatal(err)
	}
	var learner *side
	if all := etcdtest.InitialCluster(peers); ours {
		_, endpoint := startNode(t, node.Config{
			Name: peers[1].Name, ListenPeerURLs: []string{peers[1].URL}, InitialCluster: all, Join: true,
		}, Options{})
		learner = dial(t, endpoint)
	} else {
		s := etcdtest.Launch(t, "3.7", peers[1].DataDir, append(etcdtest.Quick, "--name", peers[1].Name,
			"--listen-peer-urls", peers[1].URL, "--initial-advertise-peer-urls", peers[1].URL,
			"--initial-cluster", all, "--initial-cluster-state", "existing")...)
		learner = dial(t, s.Endpoint)
	}
	learner.awaitKey(t, "a")
	learner.awaitVersion(t)
	return learner
}

// awaitKey waits until a member has a key.
func (s *side) awaitKey(t *testing.T, key string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		r, err := pb.NewKVClient(s.conn).Range(ctx, get(key, local))
		if err == nil && r.Count == 1 {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("key %s: %v", key, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
