package raft

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

// Tests of what the Raft paper says ("In Search of an Understandable Consensus Algorithm", extended
// version) and Ongaro's dissertation, each named after its section. One member is looked at, and the
// test plays the others; where it takes several, they are a cluster in memory.

// sent handles the Readys of one member and returns the messages that it sends.
func (c *cluster) sent(id uint64) []raftpb.Message {
	c.tb.Helper()
	for c.ready(c.nodes[id]) {
	}
	msgs := c.network
	c.network = nil
	return msgs
}

// step hands messages to a member and returns what it sends.
func (c *cluster) step(id uint64, msgs ...raftpb.Message) []raftpb.Message {
	c.tb.Helper()
	for _, m := range msgs {
		m.To = id
		must(c.tb, c.nodes[id].Step(m))
	}
	return c.sent(id)
}

// only returns the messages of one type.
func only(t raftpb.MessageType, msgs []raftpb.Message) []raftpb.Message {
	return slices.DeleteFunc(msgs, func(m raftpb.Message) bool { return m.Type != t })
}

func entries(term, index uint64, data ...string) (list []raftpb.Entry) {
	for i, d := range data {
		list = append(list, raftpb.Entry{Term: term, Index: index + uint64(i), Data: []byte(d)})
	}
	return list
}

// follow makes member 1 of three a follower of 2 in a term, with entries after index 2.
func follow(t *testing.T, term uint64, data ...string) *cluster {
	t.Helper()
	c := newCluster(t, 3, nil)
	c.step(1, raftpb.Message{
		Type: raftpb.MsgApp, From: 2, Term: term, LogTerm: 1, Index: 2, Commit: 2, Entries: entries(term, 3, data...),
	})
	return c
}

// log returns the stored entries of a member as term/index.
func (c *cluster) log(id uint64) (ids []string) {
	c.tb.Helper()
	first, err := c.nodes[id].store.FirstIndex()
	must(c.tb, err)
	last, err := c.nodes[id].store.LastIndex()
	must(c.tb, err)
	if last < first {
		return nil
	}
	list, err := c.nodes[id].store.Entries(first, last+1, NoLimit)
	must(c.tb, err)
	for i := range list {
		ids = append(ids, fmt.Sprintf("%d/%d", list[i].Term, list[i].Index))
	}
	return ids
}

func (c *cluster) wantLog(id uint64, want ...string) {
	c.tb.Helper()
	if diff := cmp.Diff(want, c.log(id)); diff != "" {
		c.tb.Errorf("log of %d (-want +got):\n%s", id, diff)
	}
}

// Paper 5.1: a server that sees a larger term takes it over; a leader or candidate steps down.
func TestPaper5_1_LargerTermIsTakenOver(t *testing.T) {
	for _, role := range []StateType{StateFollower, StateCandidate, StateLeader} {
		c := newCluster(t, 3, nil)
		switch role {
		case StateCandidate:
			must(t, c.nodes[1].Campaign())
			c.sent(1)
		case StateLeader:
			c.elect(1)
		}
		c.wantRole(1, role)
		c.step(1, raftpb.Message{Type: raftpb.MsgApp, From: 3, Term: 9, LogTerm: 1, Index: 2})
		c.wantRole(1, StateFollower)
		c.wantTerm(1, 9)
	}
}

// Paper 5.1: a request with an old term is rejected, here by silence.
func TestPaper5_1_OldTermIsRejected(t *testing.T) {
	c := follow(t, 5)
	out := c.step(1, raftpb.Message{
		Type: raftpb.MsgApp, From: 3, Term: 4, LogTerm: 1, Index: 2, Entries: entries(4, 3, "stale"),
	})
	c.wantTerm(1, 5)
	c.wantLog(1)
	if len(out) != 0 {
		t.Errorf("sent %v", out)
	}
}

// Paper 5.2: without word of a leader for an election timeout, a follower begins an election: it
// increments its term, votes for itself and asks the others.
func TestPaper5_2_TimeoutBeginsAnElection(t *testing.T) {
	c := newCluster(t, 3, nil)
	for range 10 {
		must(t, c.nodes[1].Tick())
	}
	out := only(raftpb.MsgVote, c.sent(1))
	c.wantRole(1, StateCandidate)
	c.wantTerm(1, 2)
	if vote := c.nodes[1].BasicStatus().HardState.Vote; vote != 1 {
		t.Errorf("voted for %d, want itself", vote)
	}
	if len(out) != 2 || out[0].To != 2 || out[1].To != 3 || out[0].Term != 2 {
		t.Errorf("requests %v, want one of term 2 to each of 2 and 3", out)
	}
}

// Paper 5.2: heartbeats keep a follower from beginning an election.
func TestPaper5_2_HeartbeatsPreventElections(t *testing.T) {
	c := follow(t, 2)
	for range 50 {
		c.tick(1, 9)
		c.step(1, raftpb.Message{Type: raftpb.MsgHeartbeat, From: 2, Term: 2})
	}
	c.wantRole(1, StateFollower)
	c.wantTerm(1, 2)
}

// Paper 5.2: a candidate becomes leader with the votes of a majority, and not before.
func TestPaper5_2_MajorityMakesALeader(t *testing.T) {
	for _, tt := range []struct {
		size, grants, rejections int
		want                     StateType
	}{
		{1, 0, 0, StateLeader},
		{3, 0, 0, StateCandidate}, {3, 1, 0, StateLeader}, {3, 0, 2, StateFollower},
		{5, 1, 0, StateCandidate}, {5, 2, 0, StateLeader}, {5, 1, 2, StateCandidate},
		{5, 1, 3, StateFollower}, {5, 2, 2, StateLeader},
	} {
		c := newCluster(t, tt.size, nil)
		must(t, c.nodes[1].Campaign())
		c.network = slices.DeleteFunc(c.sent(1), func(m raftpb.Message) bool { return m.To != 1 })
		for i := range tt.grants + tt.rejections {
			c.step(1, raftpb.Message{
				Type: raftpb.MsgVoteResp, From: uint64(i + 2), Term: 2, Reject: i >= tt.grants,
			})
		}
		c.wantRole(1, tt.want)
	}
}

// Paper 5.2: a server votes at most once in a term, first come first served, and remembers that
// across a restart.
func TestPaper5_2_OneVoteATerm(t *testing.T) {
	c := newCluster(t, 3, nil)
	ask := func(from uint64) bool {
		out := c.step(1, raftpb.Message{Type: raftpb.MsgVote, From: from, Term: 2, LogTerm: 1, Index: 2})
		return len(out) == 1 && !out[0].Reject
	}
	if !ask(2) {
		t.Fatal("the first vote was refused")
	}
	if ask(3) {
		t.Error("voted for two candidates in a term")
	}
	if !ask(2) {
		t.Error("the same candidate was refused when it asked again")
	}
	rn, err := NewRawNode(&c.nodes[1].cfg)
	must(t, err)
	c.nodes[1].RawNode = rn
	if ask(3) {
		t.Error("voted for another candidate after a restart")
	}
}

// Paper 5.2: a candidate that hears from a leader of its term, or a later one, follows it.
func TestPaper5_2_CandidateFollowsTheLeader(t *testing.T) {
	for _, term := range []uint64{2, 3} {
		c := newCluster(t, 3, nil)
		must(t, c.nodes[1].Campaign())
		c.sent(1)
		c.step(1, raftpb.Message{Type: raftpb.MsgApp, From: 3, Term: term, LogTerm: 1, Index: 2})
		c.wantRole(1, StateFollower)
		c.wantTerm(1, term)
		if lead := c.nodes[1].BasicStatus().SoftState.Lead; lead != 3 {
			t.Errorf("leader %d, want 3", lead)
		}
	}
}

// Paper 5.2: when votes are split, the election is repeated in a new term after another timeout.
func TestPaper5_2_SplitVoteIsRepeated(t *testing.T) {
	c := newCluster(t, 4, nil)
	c.drop = func(m *raftpb.Message) bool { // 1 hears 3 only, 2 hears 4 only
		return m.Type == raftpb.MsgVote && (m.From+m.To)%2 == 1
	}
	must(t, c.nodes[1].Campaign())
	must(t, c.nodes[2].Campaign())
	c.settle()
	c.wantRole(1, StateCandidate)
	c.wantRole(2, StateCandidate)
	c.heal()
	c.tick(1, 10)
	c.settle()
	c.wantRole(1, StateLeader)
	c.wantTerm(1, 3)
}

// Paper 5.3: the leader appends a proposal to its log and sends it to all others in parallel, with
// the position before it.
func TestPaper5_3_LeaderReplicates(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.elect(1)
	must(t, c.nodes[1].Propose([]byte("x")))
	out := only(raftpb.MsgApp, c.sent(1))
	c.wantLog(1, "2/3", "2/4")
	if len(out) != 2 {
		t.Fatalf("%d appends, want 2", len(out))
	}
	for _, m := range out {
		if m.LogTerm != 2 || m.Index != 3 || len(m.Entries) != 1 || string(m.Entries[0].Data) != "x" {
			t.Errorf("append %s, want x after 2/3", raftpb.DescribeMessage(m, nil))
		}
	}
}

// Paper 5.3: an entry is committed once a majority stores it, and the followers learn of that with
// the next message.
func TestPaper5_3_MajorityCommits(t *testing.T) {
	for _, tt := range []struct {
		size  int
		acks  []uint64
		wants bool
	}{
		{3, nil, false}, {3, []uint64{2}, true}, {5, []uint64{2}, false}, {5, []uint64{2, 5}, true},
	} {
		c := newCluster(t, tt.size, nil)
		c.elect(1)
		must(t, c.nodes[1].Propose([]byte("x")))
		c.sent(1)
		var out []raftpb.Message
		for _, id := range tt.acks {
			out = c.step(1, raftpb.Message{Type: raftpb.MsgAppResp, From: id, Term: 2, Index: 4})
		}
		if got := slices.Contains(c.nodes[1].applied, "x"); got != tt.wants {
			t.Errorf("%d servers, acks %v: applied %t, want %t", tt.size, tt.acks, got, tt.wants)
		}
		told := len(out) > 0 && out[len(out)-1].Commit == 4
		if told != tt.wants {
			t.Errorf("%d servers, acks %v: followers told %t, want %t", tt.size, tt.acks, told, tt.wants)
		}
	}
}

// Paper 5.3: a follower refuses entries if it doesn't have the one before them.
func TestPaper5_3_ConsistencyCheck(t *testing.T) {
	for _, tt := range []struct {
		prev   raftpb.EntryID
		reject bool
	}{
		{raftpb.EntryID{Term: 2, Index: 4}, false},
		{raftpb.EntryID{Term: 2, Index: 3}, false},
		{raftpb.EntryID{Term: 3, Index: 4}, true},
		{raftpb.EntryID{Term: 3, Index: 7}, true},
	} {
		c := follow(t, 2, "a", "b")
		out := c.step(1, raftpb.Message{
			Type: raftpb.MsgApp, From: 3, Term: 4, LogTerm: tt.prev.Term, Index: tt.prev.Index,
		})
		if len(out) != 1 || out[0].Reject != tt.reject {
			t.Errorf("entries after %v: answer %v, want reject %t", tt.prev, out, tt.reject)
		}
	}
}

// Paper 5.3, figure 7: whatever a follower's log is like, the leader makes it like its own.
func TestPaper5_3_FollowersLogsAreRepaired(t *testing.T) {
	leader := []uint64{1, 1, 1, 4, 4, 5, 5, 6, 6, 6} // terms of the entries after index 2
	for name, follower := range map[string][]uint64{
		"a": leader[:9], "b": leader[:4], "c": append(slices.Clone(leader), 6), "d": append(slices.Clone(leader), 7, 7),
		"e": {1, 1, 1, 4, 4, 4, 4}, "f": {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3, nil)
			for id, terms := range map[uint64][]uint64{1: leader, 2: follower, 3: leader} {
				c.prepare(id, terms, 7)
			}
			must(t, c.nodes[1].Campaign())
			c.settle()
			c.wantRole(1, StateLeader)
			c.propose(1, "after")
			c.settle()
			c.wantLog(2, c.log(1)...)
		})
	}
}

// prepare restarts a member with a log of entries with the given terms, and a current term.
func (c *cluster) prepare(id uint64, terms []uint64, term uint64) {
	c.tb.Helper()
	n := c.nodes[id]
	var log []raftpb.Entry
	for i, entryTerm := range terms {
		log = append(log, raftpb.Entry{Term: entryTerm, Index: uint64(i) + 3})
	}
	must(c.tb, n.store.Append(log))
	must(c.tb, n.store.SetHardState(raftpb.HardState{Term: term, Commit: 2}))
	rn, err := NewRawNode(&n.cfg)
	must(c.tb, err)
	n.RawNode = rn
}

// Paper 5.3: a leader never overwrites or deletes entries of its own log.
func TestPaper5_3_LeaderAppendsOnly(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.prepare(1, []uint64{1, 1, 2}, 3)
	c.prepare(2, []uint64{1, 1}, 3)
	c.prepare(3, []uint64{1, 1}, 3)
	before := c.log(1)
	must(t, c.nodes[1].Campaign())
	c.settle()
	c.wantRole(1, StateLeader)
	c.propose(1, "x")
	c.settle()
	if after := c.log(1); !slices.Equal(after[:len(before)], before) || len(after) != len(before)+2 {
		t.Errorf("log %v became %v", before, after)
	}
}

// Paper 5.4.1: a voter refuses a candidate whose log is less up to date than its own: a lower last
// term, or the same and a lower last index.
func TestPaper5_4_1_ElectionRestriction(t *testing.T) {
	for _, tt := range []struct {
		candidate raftpb.EntryID
		grant     bool
	}{
		{raftpb.EntryID{Term: 2, Index: 4}, true},
		{raftpb.EntryID{Term: 2, Index: 5}, true},
		{raftpb.EntryID{Term: 3, Index: 3}, true},
		{raftpb.EntryID{Term: 2, Index: 3}, false},
		{raftpb.EntryID{Term: 1, Index: 9}, false},
	} {
		c := follow(t, 2, "a", "b") // the last entry is 2/4
		out := c.step(1, raftpb.Message{
			Type: raftpb.MsgVote, From: 3, Term: 4, LogTerm: tt.candidate.Term, Index: tt.candidate.Index,
		})
		if len(out) != 1 || out[0].Reject == tt.grant {
			t.Errorf("candidate with last entry %v: answer %v, want grant %t", tt.candidate, out, tt.grant)
		}
	}
}

// Paper 5.4.2, figure 8: an entry of an earlier term is not committed by counting its copies, since
// another leader may still replace it. Once an entry of the leader's own term is committed, so is it.
func TestPaper5_4_2_EarlierTermsAreCommittedIndirectly(t *testing.T) {
	c := newCluster(t, 5, nil)
	for id := range uint64(5) {
		c.prepare(id+1, nil, 3)
	}
	c.prepare(1, []uint64{2}, 3) // the entry 2/3 on servers 1 and 2, as in (b)
	c.prepare(2, []uint64{2}, 3)
	c.isolate(4, 5)
	c.drop = func(m *raftpb.Message) bool {
		own := slices.ContainsFunc(m.Entries, func(e raftpb.Entry) bool { return e.Term == 4 })
		return m.To > 3 && m.Type == raftpb.MsgApp || own && m.Type == raftpb.MsgApp && len(m.Entries) == 1
	}
	must(t, c.nodes[1].Campaign())
	c.settle()
	c.wantRole(1, StateLeader)
	// As in (c): the old entry reaches server 3, a majority; the leader's own does not.
	c.drop = nil
	c.step(1, raftpb.Message{Type: raftpb.MsgAppResp, From: 2, Term: 4, Index: 3},
		raftpb.Message{Type: raftpb.MsgAppResp, From: 3, Term: 4, Index: 3})
	if commit := c.nodes[1].BasicStatus().HardState.Commit; commit != 2 {
		t.Fatalf("commit %d after copies of an old entry only, want 2", commit)
	}
	// As in (e): the leader's own entry reaches them.
	c.step(1, raftpb.Message{Type: raftpb.MsgAppResp, From: 2, Term: 4, Index: 4},
		raftpb.Message{Type: raftpb.MsgAppResp, From: 3, Term: 4, Index: 4})
	if commit := c.nodes[1].BasicStatus().HardState.Commit; commit != 4 {
		t.Errorf("commit %d after copies of the leader's own entry, want 4", commit)
	}
}

// Paper 5.5: requests are idempotent: an append that comes twice changes nothing the second time.
func TestPaper5_5_AppendsAreIdempotent(t *testing.T) {
	c := follow(t, 2)
	m := raftpb.Message{Type: raftpb.MsgApp, From: 2, Term: 2, LogTerm: 1, Index: 2, Entries: entries(2, 3, "a", "b")}
	first := c.step(1, m)
	later := c.step(1, raftpb.Message{
		Type: raftpb.MsgApp, From: 2, Term: 2, LogTerm: 2, Index: 4, Entries: entries(2, 5, "c"),
	})
	again := c.step(1, m) // delayed: the entry after it must stay
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("answers differ (-first +second):\n%s", diff)
	}
	if len(later) != 1 {
		t.Errorf("%d answers, want 1", len(later))
	}
	c.wantLog(1, "2/3", "2/4", "2/5")
}

// Paper 6: a joint configuration decides nothing without a majority of both halves.
func TestPaper6_JointConsensus(t *testing.T) {
	c := newCluster(t, 3, nil)
	for id := uint64(4); id <= 5; id++ {
		c.add(id, raftpb.ConfState{}, nil)
	}
	c.elect(1)
	must(t, c.nodes[1].ProposeConfChange(change(t, raftpb.ConfChangeTransitionJointExplicit, "r2 r3 v4 v5")))
	c.settle()
	c.isolate(4, 5) // a majority of the new half is gone, the old one is whole
	before := c.nodes[1].BasicStatus().HardState.Commit
	c.propose(1, "x")
	c.settle()
	if commit := c.nodes[1].BasicStatus().HardState.Commit; commit != before {
		t.Errorf("committed %d without a majority of the new half", commit)
	}
}

// Paper 6: servers that are to join get the log first, without a vote.
func TestPaper6_NewServersDontVote(t *testing.T) {
	c := newCluster(t, 1, nil)
	c.elect(1)
	c.add(2, raftpb.ConfState{}, nil)
	must(t, c.nodes[1].ProposeConfChange(change(t, raftpb.ConfChangeTransitionAuto, "l2")))
	c.settle()
	c.isolate(2)
	c.propose(1, "x")
	c.settle()
	if !slices.Contains(c.nodes[1].applied, "x") {
		t.Error("a learner's answer was waited for")
	}
}

// Paper 6: a server that heard of a leader within the least election timeout ignores candidates,
// so that removed servers don't disturb the group.
func TestPaper6_RemovedServersDontDisturb(t *testing.T) {
	c := newCluster(t, 3, func(cfg *Config) { cfg.CheckQuorum, cfg.Rand = true, steady(9) })
	c.step(1, raftpb.Message{Type: raftpb.MsgApp, From: 2, Term: 2, LogTerm: 1, Index: 2})
	ask := raftpb.Message{Type: raftpb.MsgVote, From: 3, Term: 9, LogTerm: 9, Index: 9}
	c.tick(1, 9)
	if out := c.step(1, ask); len(out) != 0 {
		t.Errorf("answered %v within the timeout", out)
	}
	c.wantTerm(1, 2)
	c.tick(1, 1)
	c.sent(1)
	if out := c.step(1, ask); len(out) != 1 || out[0].Reject {
		t.Errorf("answered %v after the timeout, want a vote", out)
	}
}

// Paper 7: a snapshot replaces a log that doesn't reach it. One whose last entry the log has
// discards nothing that follows.
func TestPaper7_InstallSnapshot(t *testing.T) {
	snapshot := func(term, index uint64) raftpb.Message {
		conf := raftpb.ConfState{Voters: []uint64{1, 2, 3}}
		return raftpb.Message{Type: raftpb.MsgSnap, From: 2, Term: 2, Snapshot: &raftpb.Snapshot{
			Metadata: raftpb.SnapshotMetadata{Term: term, Index: index, ConfState: conf},
		}}
	}
	c := follow(t, 2, "a", "b")
	c.step(1, snapshot(2, 9))
	c.wantLog(1)
	if last := c.nodes[1].LogStatus().Committed; last != 9 {
		t.Errorf("commit %d after the snapshot, want 9", last)
	}
	c = follow(t, 2, "a", "b")
	c.step(1, snapshot(2, 3))
	c.wantLog(1, "2/3", "2/4")
}

// Dissertation 3.10: leadership is handed over by bringing the target up to date and telling it to
// campaign at once, without the pre-vote; until then proposals are dropped.
func TestDissertation3_10_LeadershipTransfer(t *testing.T) {
	c := newCluster(t, 3, func(cfg *Config) { cfg.PreVote, cfg.CheckQuorum = true, true })
	c.elect(1)
	c.isolate(2)
	c.propose(1, "x")
	c.settle()
	must(t, c.nodes[1].TransferLeader(2))
	if err := c.nodes[1].Propose([]byte("y")); err == nil {
		t.Error("took a proposal while handing over")
	}
	c.heal()
	c.tick(1, 1)
	c.settle()
	c.wantRole(2, StateLeader)
	c.wantTerm(2, 3)
}

// Dissertation 4.1: while a change of the membership is under way, a further one is not taken.
func TestDissertation4_1_OneChangeAtATime(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.elect(1)
	must(t, c.nodes[1].ProposeConfChange(change(t, raftpb.ConfChangeTransitionAuto, "r3")))
	must(t, c.nodes[1].ProposeConfChange(change(t, raftpb.ConfChangeTransitionAuto, "r2")))
	c.settle()
	c.wantConf(raftpb.ConfState{Voters: []uint64{1, 2}}, 1, 2)
}

// Dissertation 6.4: a read waits until a quorum has confirmed that the leader still is one.
func TestDissertation6_4_ReadsAskAQuorum(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.elect(1)
	must(t, c.nodes[1].ReadIndex([]byte("r")))
	out := only(raftpb.MsgHeartbeat, c.sent(1))
	if len(out) != 2 || len(c.nodes[1].reads) != 0 {
		t.Fatalf("%d heartbeats and %d answers, want 2 and 0", len(out), len(c.nodes[1].reads))
	}
	c.step(1, raftpb.Message{Type: raftpb.MsgHeartbeatResp, From: 3, Term: 2, Context: out[1].Context})
	if reads := c.nodes[1].reads; len(reads) != 1 || reads[0].Index != 3 {
		t.Errorf("answers %v, want one with index 3", reads)
	}
}

// Dissertation 9.6: with pre-votes, a server that was cut off doesn't raise the term of the others
// when it comes back.
func TestDissertation9_6_PreVote(t *testing.T) {
	c := newCluster(t, 3, func(cfg *Config) { cfg.PreVote, cfg.CheckQuorum = true, true })
	c.elect(1)
	c.isolate(3)
	for range 5 {
		c.tick(3, 20)
		c.settle()
	}
	c.wantTerm(3, 2)
	c.heal()
	c.tick(1, 1)
	c.settle()
	c.wantRole(1, StateLeader)
	c.wantTerm(1, 2)
}

// Dissertation 10.2.1: the leader may send entries while it writes them itself. Its own copy counts
// only once it is written.
func TestDissertation10_2_1_LeaderWritesInParallel(t *testing.T) {
	c := newCluster(t, 2, func(cfg *Config) { cfg.AsyncStorageWrites = true })
	c.elect(1)
	must(t, c.nodes[1].Propose([]byte("x")))
	rd, err := c.nodes[1].Ready()
	must(t, err)
	if len(only(raftpb.MsgApp, slices.Clone(rd.Messages))) != 1 {
		t.Fatalf("messages %v, want the append beside the write", rd.Messages)
	}
	must(t, c.nodes[1].Step(raftpb.Message{Type: raftpb.MsgAppResp, From: 2, To: 1, Term: 2, Index: 4}))
	if commit := c.nodes[1].BasicStatus().HardState.Commit; commit != 3 {
		t.Errorf("commit %d before the leader has written, want 3", commit)
	}
	for _, m := range rd.Messages {
		if m.To == LocalAppendThread {
			for _, answer := range m.Responses {
				must(t, c.nodes[1].Step(answer))
			}
		}
	}
	if commit := c.nodes[1].BasicStatus().HardState.Commit; commit != 4 {
		t.Errorf("commit %d after it, want 4", commit)
	}
}
