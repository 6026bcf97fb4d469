package raft

import (
	"fmt"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// compact makes a snapshot of what a member applied and drops the log before it.
func (c *cluster) compact(id uint64) uint64 {
	c.tb.Helper()
	n := c.nodes[id]
	applied := n.BasicStatus().Applied
	_, err := n.store.CreateSnapshot(applied, &n.conf, []byte("state"))
	must(c.tb, err)
	must(c.tb, n.store.Compact(applied))
	return applied
}

// progress returns what the leader knows of a member.
func (n *node) progress(id uint64) tracker.Progress {
	p := n.Status().Progress.Get(id)
	return *p
}

// lag returns a group in which member 3 needs a snapshot, which is on its way.
func lag(t *testing.T, async bool) (*cluster, *node, uint64) {
	t.Helper()
	c := newCluster(t, 3, func(cfg *Config) { cfg.AsyncStorageWrites = async })
	leader := c.elect(1)
	c.isolate(3)
	for i := range 5 {
		c.propose(1, fmt.Sprint(i))
	}
	index := c.compact(1)
	c.drop = func(m *raftpb.Message) bool { return m.To == 3 && m.Type == raftpb.MsgSnap }
	c.tick(1, 2)
	return c, leader, index
}

func TestSnapshotCatchesUp(t *testing.T) {
	for _, async := range []bool{false, true} {
		c, leader, index := lag(t, async)
		if p := leader.progress(3); p.State != tracker.StateSnapshot || p.PendingSnapshot != index {
			t.Fatalf("progress %v, want a snapshot at %d on its way", &p, index)
		}
		c.tick(1, 3)
		if p := leader.progress(3); p.State != tracker.StateSnapshot {
			t.Errorf("progress %v without a report, want StateSnapshot", &p)
		}
		must(t, leader.ReportSnapshot(3, SnapshotFailure)) // it was dropped
		p := leader.progress(3)
		if p.State != tracker.StateProbe || !p.MsgAppFlowPaused || p.Next != p.Match+1 {
			t.Errorf("progress %v after the snapshot failed", &p)
		}
		c.heal()
		c.tick(1, 2)
		if p := leader.progress(3); p.State != tracker.StateReplicate || p.Match != index {
			t.Errorf("progress %v after the snapshot, want it to replicate from %d", &p, index)
		}
		c.propose(1, "last")
		want := []string{fmt.Sprintf("snapshot %d", index), "last"}
		if got := c.nodes[3].applied; !slices.Equal(got, want) {
			t.Errorf("member 3 applied %v, want %v", got, want)
		}
	}
}

// TestSnapshotFinishedProbesAfterIt reports a snapshot as arrived whose acknowledgement got lost.
func TestSnapshotFinishedProbesAfterIt(t *testing.T) {
	c, leader, index := lag(t, false)
	must(t, leader.ReportSnapshot(3, SnapshotFinish))
	if p := leader.progress(3); p.State != tracker.StateProbe || p.Next != index+1 {
		t.Errorf("progress %v, want a probe after %d", &p, index)
	}
	// In truth it did not arrive: the probe is rejected, and another one sent.
	c.heal()
	c.tick(1, 3)
	if p := leader.progress(3); p.Match != index {
		t.Errorf("progress %v, want it to match up to %d", &p, index)
	}
}

// TestSnapshotFromElsewhere has the member acknowledge what the leader's log has, though less than
// the snapshot on its way: that is enough.
func TestSnapshotFromElsewhere(t *testing.T) {
	_, leader, index := lag(t, false)
	leader.core.trk.Members.Get(3).PendingSnapshot = index + 10
	term := leader.BasicStatus().HardState.Term
	ack := raftpb.Message{Type: raftpb.MsgAppResp, From: 3, Term: term, Index: index - 1}
	must(t, leader.Step(ack))
	if p := leader.progress(3); p.State != tracker.StateSnapshot {
		t.Errorf("progress %v at %d, below the log, want StateSnapshot", &p, index-1)
	}
	ack.Index = index
	must(t, leader.Step(ack))
	if p := leader.progress(3); p.State != tracker.StateReplicate {
		t.Errorf("progress %v at %d, want StateReplicate", &p, index)
	}
}

// TestNoSnapshotToTheSilent checks that a member that gave no sign of life gets no snapshot.
func TestNoSnapshotToTheSilent(t *testing.T) {
	sent := 0
	c := newCluster(t, 3, func(cfg *Config) { cfg.CheckQuorum = true })
	c.isolate(3)
	leader := c.elect(1)
	for i := range 3 {
		c.propose(1, fmt.Sprint(i))
	}
	c.compact(1)
	c.drop = func(m *raftpb.Message) bool {
		if m.Type == raftpb.MsgSnap {
			sent++
		}
		return m.To == 3 || m.From == 3
	}
	c.tick(1, 30)
	term := leader.BasicStatus().HardState.Term
	if sent != 0 {
		t.Errorf("%d snapshots sent to a silent member", sent)
	}
	must(t, leader.Step(raftpb.Message{Type: raftpb.MsgHeartbeatResp, From: 3, Term: term}))
	c.settle()
	must(t, leader.Step(raftpb.Message{Type: raftpb.MsgAppResp, From: 3, Term: term,
		Reject: true, Index: leader.progress(3).Next - 1, RejectHint: 2, LogTerm: 1}))
	c.settle()
	if sent == 0 {
		t.Error("no snapshot sent to a member that answered")
	}
}

// TestSnapshotsIgnored sends a follower snapshots that must not replace its log.
func TestSnapshotsIgnored(t *testing.T) {
	tests := []struct {
		name   string
		meta   raftpb.SnapshotMetadata
		commit uint64 // after it
	}{
		{"nothing", raftpb.SnapshotMetadata{}, 4},
		{"of what is committed", raftpb.SnapshotMetadata{
			Index: 4, Term: 2, ConfState: raftpb.ConfState{Voters: []uint64{1, 2}}}, 4},
		{"for others", raftpb.SnapshotMetadata{
			Index: 9, Term: 2, ConfState: raftpb.ConfState{Voters: []uint64{2, 3}}}, 4},
		{"of what the log has", raftpb.SnapshotMetadata{
			Index: 5, Term: 2, ConfState: raftpb.ConfState{Voters: []uint64{1, 2}}}, 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster(t, 2, nil)
			c.elect(2)
			c.propose(2, "x")
			// One more entry, which the follower does not know to be committed.
			c.drop = func(m *raftpb.Message) bool { return m.From == 1 }
			c.propose(2, "y")
			n := c.nodes[1]
			must(t, n.Step(raftpb.Message{Type: raftpb.MsgSnap, From: 2, Term: 2,
				Snapshot: &raftpb.Snapshot{Metadata: test.meta}}))
			if got := n.BasicStatus().HardState.Commit; got != test.commit {
				t.Errorf("commit %d, want %d", got, test.commit)
			}
			rd, err := n.Ready()
			must(t, err)
			if rd.Snapshot != nil {
				t.Errorf("snapshot %v handed out", rd.Snapshot)
			}
			last := rd.Messages[len(rd.Messages)-1]
			if last.Type != raftpb.MsgAppResp || last.Index != test.commit || last.Reject {
				t.Errorf("answer %v, want an acknowledgement of %d", last, test.commit)
			}
		})
	}
}

// TestSnapshotBeforeEntries checks that nothing is applied while a snapshot waits to be installed,
// and that the member doesn't campaign.
func TestSnapshotBeforeEntries(t *testing.T) {
	c := newCluster(t, 3, func(cfg *Config) { cfg.AsyncStorageWrites = true })
	n := c.nodes[1]
	cs := raftpb.ConfState{Voters: []uint64{1, 2, 3}}
	meta := raftpb.SnapshotMetadata{Index: 20, Term: 4, ConfState: cs}
	must(t, n.Step(raftpb.Message{Type: raftpb.MsgSnap, From: 2, Term: 5,
		Snapshot: &raftpb.Snapshot{Metadata: meta}}))
	must(t, n.Step(raftpb.Message{Type: raftpb.MsgApp, From: 2, Term: 5, Index: 20, LogTerm: 4,
		Commit: 22, Entries: run(21, 5, 5)}))
	rd, err := n.Ready()
	must(t, err)
	if rd.Snapshot == nil || len(rd.Entries) != 2 || len(rd.CommittedEntries) != 0 {
		t.Errorf("Ready %s, want the snapshot and two entries to store", DescribeReady(rd, nil))
	}
	must(t, n.Campaign())
	c.wantRole(1, StateFollower)
	for _, m := range rd.Messages {
		if raftpb.IsLocalMsgTarget(m.To) {
			n.todo = append(n.todo, m)
		}
	}
	c.drop = func(*raftpb.Message) bool { return true }
	c.settle()
	if got, want := n.BasicStatus().Applied, uint64(22); got != want {
		t.Errorf("applied %d, want %d", got, want)
	}
}
