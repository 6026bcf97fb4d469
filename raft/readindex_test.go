package raft

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

// wantReads checks what a member was told, by context and index, and forgets it.
func (c *cluster) wantReads(id uint64, want ...string) {
	c.tb.Helper()
	var got []string
	for _, r := range c.nodes[id].reads {
		got = append(got, fmt.Sprintf("%s@%d", r.RequestCtx, r.Index))
	}
	c.nodes[id].reads = nil
	if diff := cmp.Diff(want, got); diff != "" {
		c.tb.Errorf("member %d: reads (-want +got):\n%s", id, diff)
	}
}

func (c *cluster) read(id uint64, context string) {
	c.tb.Helper()
	must(c.tb, c.nodes[id].ReadIndex([]byte(context)))
	c.settle()
}

func TestReads(t *testing.T) {
	for _, lease := range []bool{false, true} {
		for _, size := range []int{1, 3, 5} {
			t.Run(fmt.Sprintf("lease=%t/members=%d", lease, size), func(t *testing.T) {
				c := newCluster(t, size, func(cfg *Config) {
					if lease {
						cfg.CheckQuorum, cfg.ReadOnlyOption = true, ReadOnlyLeaseBased
					}
				})
				c.elect(1)
				c.read(1, "a")
				c.wantReads(1, "a@3")
				c.propose(1, "x")
				last := uint64(size)
				c.read(last, "b")
				c.read(last, "c")
				c.wantReads(last, "b@4", "c@4")
			})
		}
	}
}

// TestReadNeedsAQuorum cuts the leader off: a safe read is not answered, until the quorum is back.
func TestReadNeedsAQuorum(t *testing.T) {
	c := newCluster(t, 5, nil)
	c.elect(1)
	c.isolate(1)
	c.read(1, "a")
	c.wantReads(1)
	c.isolate(3, 4, 5)
	c.tick(1, 2)
	c.wantReads(1)
	c.isolate(4, 5)
	c.tick(1, 1)
	c.wantReads(1, "a@3")
}

// TestLearnersConfirmNoRead has the leader and learners, but no quorum of voters.
func TestLearnersConfirmNoRead(t *testing.T) {
	c := newCluster(t, 0, nil)
	cs := raftpb.ConfState{Voters: []uint64{1, 2, 3}, Learners: []uint64{4, 5}}
	for id := uint64(1); id <= 5; id++ {
		c.add(id, cs, nil)
	}
	c.elect(1)
	c.isolate(2, 3)
	c.read(1, "a")
	c.tick(1, 3)
	c.wantReads(1)
}

// TestReadBeforeFirstCommit reads from a leader that has committed nothing in its term: it may not
// know of the last commit of the one before (paper, section 8).
func TestReadBeforeFirstCommit(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.drop = func(m *raftpb.Message) bool { return m.Type == raftpb.MsgAppResp }
	c.elect(1)
	c.read(1, "a")
	c.read(2, "b")
	c.wantReads(1)
	c.wantReads(2)
	c.heal()
	c.tick(1, 1)
	c.wantReads(1, "a@3")
	c.wantReads(2, "b@3")
}

// TestOldAnswersConfirmNoNewRead delivers the answer to an early heartbeat after a later read was
// asked for.
func TestOldAnswersConfirmNoNewRead(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.elect(1)
	var held []raftpb.Message
	c.drop = func(m *raftpb.Message) bool {
		if m.Type == raftpb.MsgHeartbeatResp {
			held = append(held, *m)
			return true
		}
		return false
	}
	c.read(1, "a")
	old := held
	c.read(1, "b")
	for _, m := range old {
		must(t, c.nodes[1].Step(m))
	}
	c.settle()
	c.wantReads(1, "a@3")
	for _, m := range held {
		must(t, c.nodes[1].Step(m))
	}
	c.settle()
	c.wantReads(1, "b@3")
}

// TestReadsEndWithTheTerm has a leader lose its office while a read waits: the read is never
// answered.
func TestReadsEndWithTheTerm(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.elect(1)
	c.isolate(1)
	c.read(1, "a")
	c.isolate(1)
	c.elect(2)
	c.propose(2, "x")
	c.heal()
	c.tick(2, 2)
	c.wantReads(1)
	c.read(1, "b")
	c.wantReads(1, "b@5")
}

// TestReadWithoutLeader asks members that know no leader: the read gets lost, and the observer is
// told.
func TestReadWithoutLeader(t *testing.T) {
	dropped := 0
	c := newCluster(t, 3, func(cfg *Config) {
		cfg.Observer = ObserverFunc(func(_ uint64, e Event) {
			if _, ok := e.(ReadIndexDropped); ok {
				dropped++
			}
		})
	})
	c.isolate(1, 2, 3)
	c.read(1, "a")
	must(t, c.nodes[1].Campaign())
	c.read(1, "b")
	c.wantReads(1)
	if dropped != 2 {
		t.Errorf("%d reads reported as dropped, want 2", dropped)
	}
}

// TestReadAtSingleVoterAfterARestart reads before the leader has committed in its term. A crash has
// cost it the commit index, so that an answer at once would miss entry 2, which was committed.
func TestReadAtSingleVoterAfterARestart(t *testing.T) {
	store := NewMemoryStorage()
	must(t, store.ApplySnapshot(raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{
		Index: 1, Term: 1, ConfState: raftpb.ConfState{Voters: []uint64{1}},
	}}))
	must(t, store.Append([]raftpb.Entry{{Index: 2, Term: 2}}))
	must(t, store.SetHardState(raftpb.HardState{Term: 2, Vote: 1, Commit: 1}))
	n, err := NewRawNode(&Config{
		ID: 1, ElectionTick: 10, HeartbeatTick: 1, Storage: store, MaxInflightMsgs: 1,
		MaxSizePerMsg: NoLimit, Rand: rand.New(rand.NewPCG(1, 1)),
	})
	must(t, err)
	must(t, n.Campaign())
	var reads []string
	for i := 0; n.HasReady(); i++ {
		rd, err := n.Ready()
		must(t, err)
		for _, r := range rd.ReadStates {
			reads = append(reads, fmt.Sprintf("%s@%d", r.RequestCtx, r.Index))
		}
		must(t, store.Append(rd.Entries))
		must(t, n.Advance(rd))
		if i == 0 {
			must(t, n.ReadIndex([]byte("a"))) // it was just elected
		}
	}
	if diff := cmp.Diff([]string{"a@3"}, reads); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
}
