package raft

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// role returns a member's state.
func (c *cluster) role(id uint64) StateType { return c.nodes[id].BasicStatus().SoftState.RaftState }

func (c *cluster) wantRole(id uint64, want StateType) {
	c.tb.Helper()
	if got := c.role(id); got != want {
		c.tb.Errorf("member %d is %v, want %v", id, got, want)
	}
}

func (c *cluster) wantTerm(id, want uint64) {
	c.tb.Helper()
	if got := c.nodes[id].BasicStatus().HardState.Term; got != want {
		c.tb.Errorf("member %d is in term %d, want %d", id, got, want)
	}
}

// TestElectionTimeoutIsSpread checks that a follower campaigns between one and two election
// timeouts after it last heard of a leader, and that each tick in between is as likely.
func TestElectionTimeoutIsSpread(t *testing.T) {
	const electionTick, rounds = 10, 3000
	count := map[int]int{}
	r := rand.New(rand.NewPCG(1, 1))
	for range rounds {
		cfg := baseConfig(1, storeWith(t, 1, 2, 3))
		cfg.ElectionTick, cfg.Rand = electionTick, r
		n, err := NewRawNode(&cfg)
		must(t, err)
		ticks := 0
		for n.BasicStatus().SoftState.RaftState == StateFollower {
			must(t, n.Tick())
			ticks++
		}
		count[ticks]++
	}
	for ticks, n := range count {
		if ticks < electionTick || ticks >= 2*electionTick {
			t.Errorf("%d members campaigned after %d ticks", n, ticks)
		}
	}
	for ticks := electionTick; ticks < 2*electionTick; ticks++ {
		if n := count[ticks]; n < rounds/electionTick/2 || n > rounds/electionTick*2 {
			t.Errorf("%d of %d members campaigned after %d ticks, want a tenth", n, rounds, ticks)
		}
	}
}

// storeWith returns a storage with the given voters.
func storeWith(t *testing.T, voters ...uint64) *MemoryStorage {
	t.Helper()
	s := NewMemoryStorage()
	meta := raftpb.SnapshotMetadata{Index: 1, Term: 1, ConfState: raftpb.ConfState{Voters: voters}}
	must(t, s.ApplySnapshot(raftpb.Snapshot{Metadata: meta}))
	must(t, s.SetHardState(raftpb.HardState{Term: 1, Commit: 1}))
	return s
}

// TestVotes asks a member for its vote and looks at the answer, which depends on its log, its vote,
// whether it knows a leader, and the question.
func TestVotes(t *testing.T) {
	const vote, pre = raftpb.MsgVote, raftpb.MsgPreVote
	// The member's log ends at index 3, term 2. It is in term 5.
	tests := []struct {
		name    string
		typ     raftpb.MessageType
		term    uint64
		last    raftpb.EntryID
		voted   uint64
		lead    uint64
		granted bool
	}{
		{"same log", vote, 6, raftpb.EntryID{Term: 2, Index: 3}, 0, 0, true},
		{"longer log", vote, 6, raftpb.EntryID{Term: 2, Index: 9}, 0, 0, true},
		{"shorter log", vote, 6, raftpb.EntryID{Term: 2, Index: 2}, 0, 0, false},
		{"shorter log of a later term", vote, 6, raftpb.EntryID{Term: 3, Index: 1}, 0, 0, true},
		{"longer log of an earlier term", vote, 6, raftpb.EntryID{Term: 1, Index: 9}, 0, 0, false},
		{"voted for it", vote, 5, raftpb.EntryID{Term: 2, Index: 3}, 2, 0, true},
		{"voted for another", vote, 5, raftpb.EntryID{Term: 2, Index: 3}, 3, 0, false},
		{"voted for another before", vote, 6, raftpb.EntryID{Term: 2, Index: 3}, 3, 0, true},
		{"knows a leader of this term", vote, 5, raftpb.EntryID{Term: 2, Index: 3}, 0, 3, false},
		{"pre-vote for this term, voted", pre, 5, raftpb.EntryID{Term: 2, Index: 3}, 3, 0, false},
		{"pre-vote for the next term, voted", pre, 6, raftpb.EntryID{Term: 2, Index: 3}, 3, 0, true},
		{"pre-vote, knows a leader", pre, 6, raftpb.EntryID{Term: 2, Index: 3}, 0, 3, true},
		{"pre-vote with a shorter log", pre, 6, raftpb.EntryID{Term: 2, Index: 2}, 0, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store := storeWith(t, 1, 2, 3)
			must(t, store.Append(run(2, 2, 2)))
			must(t, store.SetHardState(raftpb.HardState{Term: 5, Vote: test.voted, Commit: 1}))
			cfg := baseConfig(1, store)
			n, err := NewRawNode(&cfg)
			must(t, err)
			if test.lead != None {
				must(t, n.Step(raftpb.Message{Type: raftpb.MsgHeartbeat, From: test.lead, Term: 5}))
				rd, err := n.Ready()
				must(t, err)
				must(t, n.Advance(rd))
			}
			must(t, n.Step(raftpb.Message{
				Type: test.typ, From: 2, Term: test.term,
				LogTerm: test.last.Term, Index: test.last.Index,
			}))
			rd, err := n.Ready()
			must(t, err)
			if len(rd.Messages) != 1 || rd.Messages[0].Type != answerTo(test.typ) {
				t.Fatalf("messages %v, want one answer", rd.Messages)
			}
			answer := rd.Messages[0]
			if answer.Reject == test.granted {
				t.Errorf("granted %t, want %t", !answer.Reject, test.granted)
			}
			if test.granted && answer.Term != test.term {
				t.Errorf("granted in term %d, want that of the question, %d", answer.Term, test.term)
			}
			state := n.BasicStatus().HardState
			voted := state.Vote == 2 && state.Term == test.term
			if want := test.granted && test.typ == vote; voted != want {
				t.Errorf("state %+v after it granted %t", state, test.granted)
			}
			if rd.MustSync != (state.Term > 5 || state.Vote != test.voted) {
				t.Errorf("MustSync %t with state %+v", rd.MustSync, state)
			}
		})
	}
}

// TestPreVoteDoesNotDisturb cuts a member off, lets it try for long, and reconnects it: with
// pre-vote its term doesn't grow and the leader stays, without it the leader falls.
func TestPreVoteDoesNotDisturb(t *testing.T) {
	for _, preVote := range []bool{false, true} {
		t.Run(fmt.Sprintf("prevote=%t", preVote), func(t *testing.T) {
			c := newCluster(t, 3, func(cfg *Config) { cfg.PreVote = preVote })
			c.elect(1)
			c.isolate(3)
			c.tick(3, 100)
			c.heal()
			if preVote {
				c.wantRole(3, StatePreCandidate)
				c.wantTerm(3, 2)
			} else {
				c.wantRole(3, StateCandidate)
				c.wantTerm(3, 12)
			}
			c.tick(1, 1)
			c.wantRole(1, StateLeader)
			if preVote {
				c.wantRole(3, StateFollower)
				return
			}
			c.tick(3, 20)
			c.wantRole(1, StateFollower)
		})
	}
}

// TestLease checks that with CheckQuorum a member that heard of a leader ignores candidates for an
// election timeout, unless the leader itself wants to be replaced.
func TestLease(t *testing.T) {
	c := newCluster(t, 3, func(cfg *Config) { cfg.CheckQuorum = true })
	c.elect(1)
	c.tick(1, 1)
	must(t, c.nodes[3].Campaign())
	c.settle()
	c.wantRole(1, StateLeader)
	c.wantRole(3, StateCandidate)
	c.wantTerm(2, 2)
	// The candidate has a higher term by now, by which the leader is dethroned when it hears of it.
	c.tick(1, 1)
	c.wantRole(1, StateFollower)

	c = newCluster(t, 3, func(cfg *Config) { cfg.CheckQuorum = true })
	c.elect(1)
	c.tick(1, 1)
	must(t, c.nodes[1].TransferLeader(3))
	c.settle()
	c.wantRole(3, StateLeader)
}

// TestCheckQuorum checks that a leader that is cut off steps down within two election timeouts, and
// one that has a quorum doesn't.
func TestCheckQuorum(t *testing.T) {
	c := newCluster(t, 5, func(cfg *Config) { cfg.CheckQuorum = true })
	c.elect(1)
	c.isolate(4, 5)
	c.tick(1, 40)
	c.wantRole(1, StateLeader)
	c.isolate(3, 4, 5)
	c.tick(1, 20)
	c.wantRole(1, StateFollower)
	if lead := c.nodes[1].BasicStatus().SoftState.Lead; lead != None {
		t.Errorf("leader is %d, want none", lead)
	}
}

// TestLeaderCommitsNothingOfOthersTerms is figure 8 of the paper: an entry of an earlier term that
// a quorum has is not committed by that, but only with one of the leader's own.
func TestLeaderCommitsNothingOfOthersTerms(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.elect(1)
	c.isolate(1, 2, 3)
	must(t, c.nodes[1].Propose([]byte("old")))
	c.settle()
	c.heal()
	// Member 1 wins again, but its own first entry is held back.
	must(t, c.nodes[1].core.step(&raftpb.Message{Type: raftpb.MsgVote, From: 3, Term: 3}))
	c.settle()
	own := c.nodes[1].core.log.lastIndex() + 1
	c.drop = func(m *raftpb.Message) bool {
		return m.Type == raftpb.MsgApp && m.Index+uint64(len(m.Entries)) >= own
	}
	must(t, c.nodes[1].Campaign())
	c.settle()
	c.wantRole(1, StateLeader)
	ack := raftpb.Message{
		Type: raftpb.MsgAppResp, From: 2, To: 1, Index: own - 1,
		Term: c.nodes[1].BasicStatus().HardState.Term,
	}
	must(t, c.nodes[1].Step(ack))
	if got := c.nodes[1].BasicStatus().HardState.Commit; got >= own-1 {
		t.Errorf("commit is %d, by counting copies of an entry of an earlier term", got)
	}
	ack.Index = own
	must(t, c.nodes[1].Step(ack))
	if got := c.nodes[1].BasicStatus().HardState.Commit; got != own {
		t.Errorf("commit is %d, want %d", got, own)
	}
}

// TestPromotedLearnerVotes is the case for which learners vote: one that was made a voter, without
// knowing, is needed to elect the member that can tell it.
func TestPromotedLearnerVotes(t *testing.T) {
	c := newCluster(t, 0, nil)
	cs := raftpb.ConfState{Voters: []uint64{2, 3}, Learners: []uint64{1}}
	for id := uint64(1); id <= 3; id++ {
		c.add(id, cs, nil)
	}
	c.elect(2)
	c.isolate(1)
	must(t, c.nodes[2].ProposeConfChange(change(t, auto, "v1")))
	c.settle()
	c.isolate(2)
	must(t, c.nodes[3].Campaign())
	c.settle()
	c.wantRole(3, StateLeader)
	c.propose(3, "x")
	if got := c.nodes[1].conf.Voters; len(got) != 3 {
		t.Errorf("member 1 knows voters %v, want 3", got)
	}
}

// TestNoCampaignWithUnappliedConfChange checks that a member doesn't campaign while a committed
// membership change waits to be applied: by whose votes would it?
func TestNoCampaignWithUnappliedConfChange(t *testing.T) {
	for typ := raftpb.EntryNormal; typ <= raftpb.EntryConfChangeV2; typ++ {
		store := storeWith(t, 1, 2, 3)
		entries := run(2, 1, 1, 1)
		entries[1].Type = typ
		must(t, store.Append(entries))
		must(t, store.SetHardState(raftpb.HardState{Term: 1, Commit: 4}))
		cfg := baseConfig(1, store)
		cfg.MaxCommittedSizePerReady = 1 // looked at one by one
		var refused []Event
		cfg.Observer = ObserverFunc(func(_ uint64, e Event) {
			if e, ok := e.(CampaignRefused); ok {
				refused = append(refused, e)
			}
		})
		n, err := NewRawNode(&cfg)
		must(t, err)
		must(t, n.Campaign())
		want := StateFollower
		if typ == raftpb.EntryNormal {
			want = StateCandidate
		}
		if got := n.BasicStatus().SoftState.RaftState; got != want {
			t.Errorf("with an entry of type %v the member is %v, want %v", typ, got, want)
		}
		if (len(refused) == 1) != (want == StateFollower) {
			t.Errorf("with an entry of type %v: events %v", typ, refused)
		}
	}
}

// TestForgetLeader has a follower forget its leader, and so be free to vote at once.
func TestForgetLeader(t *testing.T) {
	c := newCluster(t, 3, func(cfg *Config) { cfg.CheckQuorum, cfg.PreVote = true, true })
	c.elect(1)
	c.tick(1, 1)
	c.isolate(1)
	must(t, c.nodes[3].Campaign())
	c.settle()
	c.wantRole(3, StatePreCandidate)
	must(t, c.nodes[2].ForgetLeader())
	if got := c.nodes[2].BasicStatus().SoftState; got.Lead != None || got.RaftState != StateFollower {
		t.Errorf("state %+v after it forgot the leader", got)
	}
	must(t, c.nodes[3].Campaign())
	c.settle()
	c.wantRole(3, StateLeader)
}
