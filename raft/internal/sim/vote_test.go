package sim

import (
	"math/rand/v2"
	"testing"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// asyncMember starts member 2 of three in the asynchronous mode, in term 2, with a log up to entry 2.
func asyncMember(t *testing.T) *raft.RawNode {
	t.Helper()
	var d disk
	d.save(&raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{
		Index: 1, Term: 1, ConfState: raftpb.ConfState{Voters: []uint64{1, 2, 3}},
	}}, raftpb.HardState{Term: 2, Commit: 2}, entries(2, 2, 1))
	d.sync()
	store, err := d.open()
	if err != nil {
		t.Fatal(err)
	}
	n, err := raft.NewRawNode(&raft.Config{
		ID: 2, ElectionTick: 10, HeartbeatTick: 1, Storage: store, MaxInflightMsgs: 10,
		MaxSizePerMsg: raft.NoLimit, AsyncStorageWrites: true, Rand: rand.New(rand.NewPCG(1, 1)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// campaign has a member campaign, and returns what it asks for.
func campaign(t *testing.T, n *raft.RawNode) []raftpb.Message {
	t.Helper()
	if err := n.Campaign(); err != nil {
		t.Fatal(err)
	}
	rd, err := n.Ready()
	if err != nil {
		t.Fatal(err)
	}
	return rd.Messages
}

func step(t *testing.T, n *raft.RawNode, msgs ...raftpb.Message) {
	t.Helper()
	for _, msg := range msgs {
		if msg.To != 2 {
			continue
		}
		if err := n.Step(msg); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVoteRequestsMustWait shows why the loop does not send requests for votes before what they
// speak of is on disk, which the core, like the reference, leaves to the application: else a member
// can campaign twice in one term, in two lives, and in the second with a shorter log than the one
// that it got votes for in the first. Here it becomes leader without entry 3, which is committed.
func TestVoteRequestsMustWait(t *testing.T) {
	// The leader, 1, sends entry 3, which 1 and 3 commit. The disk of 2 doesn't get it in time.
	n := asyncMember(t)
	step(t, n, raftpb.Message{
		Type: raftpb.MsgApp, To: 2, From: 1, Term: 2, LogTerm: 2, Index: 2, Commit: 2,
		Entries: entries(2, 3, 1),
	})
	asked := campaign(t, n)[0]
	if asked.Type != raftpb.MsgVote || asked.Term != 3 || asked.Index != 3 {
		t.Fatalf("got %s, want a request for votes in term 3 for a log up to 3", describe(&asked))
	}
	// 3 grants that, which takes a while. 2 crashes, and forgets entry 3 and term 3.
	n = asyncMember(t)
	for _, msg := range campaign(t, n) {
		if msg.Type == raftpb.MsgVote && (msg.Term != 3 || msg.Index != 2) {
			t.Fatalf("got %s, want one in term 3 for a log up to 2", describe(&msg))
		}
		step(t, n, msg.Responses...)
	}
	step(t, n, raftpb.Message{Type: raftpb.MsgVoteResp, To: 2, From: 3, Term: 3})
	if s := n.BasicStatus(); s.SoftState.RaftState != raft.StateLeader {
		t.Errorf("member 2 is %v: if the core prevents this, the loop need not", s.SoftState)
	}
}
