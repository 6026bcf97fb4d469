package tracker

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/raftctl/raftctl/raft/quorum"
	"github.com/raftctl/raftctl/raftpb"
)

func TestProgressTransitions(t *testing.T) {
	window := NewInflights(2, 0)
	tests := []struct {
		name string
		from Progress
		do   func(p *Progress)
		want string
		sent uint64 // SentCommit
	}{
		{"probe after replicate starts over at match",
			Progress{State: StateReplicate, Match: 3, Next: 9, SentCommit: 8},
			func(p *Progress) { p.BecomeProbe() }, "StateProbe match=3 next=4 inactive", 3},
		{"probe after a snapshot starts after it",
			Progress{State: StateSnapshot, Match: 3, Next: 11, PendingSnapshot: 10, SentCommit: 10},
			func(p *Progress) { p.BecomeProbe() }, "StateProbe match=3 next=11 inactive", 10},
		{"probe after a failed snapshot starts at match",
			Progress{State: StateSnapshot, Match: 3, Next: 11, SentCommit: 10},
			func(p *Progress) { p.BecomeProbe() }, "StateProbe match=3 next=4 inactive", 3},
		{"replicate starts at match",
			Progress{Match: 3, Next: 9, MsgAppFlowPaused: true, RecentActive: true},
			func(p *Progress) { p.BecomeReplicate() }, "StateReplicate match=3 next=4", 0},
		{"snapshot pauses",
			Progress{Match: 3, Next: 9, RecentActive: true},
			func(p *Progress) { p.BecomeSnapshot(12) },
			"StateSnapshot match=3 next=13 paused pendingSnap=12", 12},
		{"a probe with entries pauses, next stays",
			Progress{Match: 3, Next: 4, RecentActive: true},
			func(p *Progress) { p.SentEntries(2, 10) }, "StateProbe match=3 next=4 paused", 0},
		{"an empty probe doesn't pause",
			Progress{Match: 3, Next: 4, RecentActive: true},
			func(p *Progress) { p.SentEntries(0, 0) }, "StateProbe match=3 next=4", 0},
		{"replicating moves on",
			Progress{State: StateReplicate, Match: 3, Next: 4, RecentActive: true},
			func(p *Progress) { p.SentEntries(2, 10) },
			"StateReplicate match=3 next=6 inflight=1", 0},
		{"replicating pauses when the window is full",
			Progress{State: StateReplicate, Match: 3, Next: 4, RecentActive: true},
			func(p *Progress) { p.SentEntries(2, 10); p.SentEntries(1, 10) },
			"StateReplicate match=3 next=7 paused inflight=2[full]", 0},
		{"an acknowledgement unpauses",
			Progress{Match: 3, Next: 4, MsgAppFlowPaused: true, RecentActive: true},
			func(p *Progress) { p.MaybeUpdate(5) }, "StateProbe match=5 next=6", 0},
		{"an old acknowledgement does nothing",
			Progress{Match: 3, Next: 4, MsgAppFlowPaused: true, RecentActive: true},
			func(p *Progress) { p.MaybeUpdate(3) }, "StateProbe match=3 next=4 paused", 0},
		{"a learner is marked",
			Progress{Match: 0, Next: 1, IsLearner: true}, func(*Progress) {},
			"StateProbe match=0 next=1 learner inactive", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := test.from
			p.Inflights = window.Clone()
			test.do(&p)
			if got := p.String(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if p.SentCommit != test.sent {
				t.Errorf("sent commit %d, want %d", p.SentCommit, test.sent)
			}
			if p.Match >= p.Next {
				t.Errorf("match %d is not below next %d", p.Match, p.Next)
			}
		})
	}
}

func TestMaybeDecrTo(t *testing.T) {
	tests := []struct {
		name           string
		state          State
		match, next    uint64
		rejected, hint uint64
		moved          bool
		wantNext       uint64
	}{
		{"replicating, about what matches", StateReplicate, 5, 10, 5, 5, false, 10},
		{"replicating, about what is below", StateReplicate, 5, 10, 4, 4, false, 10},
		{"replicating", StateReplicate, 5, 10, 9, 9, true, 6},
		{"probing, not about the last probe", StateProbe, 0, 10, 5, 5, false, 10},
		{"probing, hint at the probe", StateProbe, 0, 10, 9, 9, true, 9},
		{"probing, hint far below", StateProbe, 0, 10, 9, 2, true, 3},
		{"probing, hint above", StateProbe, 0, 10, 9, 100, true, 9},
		{"probing, never below match", StateProbe, 7, 10, 9, 2, true, 8},
		{"probing, at the bottom", StateProbe, 0, 2, 1, 0, true, 1},
		{"probing, hint without end", StateProbe, 0, 10, 9, 1<<64 - 1, true, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := Progress{State: test.state, Match: test.match, Next: test.next}
			if got := p.MaybeDecrTo(test.rejected, test.hint); got != test.moved {
				t.Errorf("moved %t, want %t", got, test.moved)
			}
			if p.Next != test.wantNext {
				t.Errorf("next %d, want %d", p.Next, test.wantNext)
			}
		})
	}
}

func TestCanBumpCommit(t *testing.T) {
	tests := []struct {
		sent, next, commit uint64
		want               bool
	}{
		{sent: 3, next: 6, commit: 4, want: true},
		{sent: 3, next: 6, commit: 3, want: false}, // told already
		{sent: 5, next: 6, commit: 9, want: false}, // told of all that was sent
		{sent: 4, next: 6, commit: 9, want: true},
	}
	for _, test := range tests {
		p := Progress{Next: test.next, SentCommit: test.sent}
		if got := p.CanBumpCommit(test.commit); got != test.want {
			t.Errorf("%+v: got %t", test, got)
		}
	}
}

func TestMembers(t *testing.T) {
	var m Members
	for _, id := range []uint64{5, 1, 3} {
		m = m.With(id, Progress{Next: id})
	}
	before := m
	m = m.Without(3).Without(9)
	want := "1: StateProbe match=0 next=1 inactive\n5: StateProbe match=0 next=5 inactive\n"
	if got := m.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if before.Get(3) == nil || m.Get(3) != nil || m.Get(5).Next != 5 {
		t.Errorf("members before %v, after %v", before, m)
	}
}

func TestTracker(t *testing.T) {
	tr := Tracker{MaxInflight: 4, Config: Config{
		Voters:   quorum.Joint{quorum.NewSet(1, 2, 3)},
		Learners: quorum.NewSet(4),
	}}
	for id := uint64(1); id <= 4; id++ {
		tr.Members = tr.Members.With(id, tr.NewProgress(id, id == 4))
	}
	if !tr.QuorumActive() {
		t.Error("new members count as active, but there is no quorum")
	}
	tr.ResetProgress(1, 20)
	want := []string{
		"StateProbe match=20 next=21 inactive", "StateProbe match=0 next=21 inactive",
		"StateProbe match=0 next=21 inactive", "StateProbe match=0 next=21 learner inactive",
	}
	for i := range tr.Members {
		if got := tr.Members[i].String(); got != want[i] {
			t.Errorf("member %d is %s, want %s", i+1, got, want[i])
		}
	}
	tr.Members.Get(4).Match = 20
	if got := tr.Committed(); got != 0 {
		t.Errorf("committed %d with a voter and a learner, want 0", got)
	}
	tr.Members.Get(2).Match = 15
	if got := tr.Committed(); got != 15 {
		t.Errorf("committed %d, want 15", got)
	}
	tr.Members.Get(4).RecentActive = true
	tr.Members.Get(1).RecentActive = true
	if tr.QuorumActive() {
		t.Error("a learner counts in the quorum")
	}
	tr.RecordVote(2, false)
	tr.RecordVote(2, true) // the first counts
	tr.RecordVote(4, true)
	tr.RecordVote(1, true)
	if got, want := tr.TallyVotes(), (Tally{1, 1, quorum.VotePending}); got != want {
		t.Errorf("tally %+v, want %+v", got, want)
	}
	tr.ResetVotes()
	if got, want := tr.TallyVotes(), (Tally{0, 0, quorum.VotePending}); got != want {
		t.Errorf("tally %+v, want %+v", got, want)
	}
	cs := raftpb.ConfState{Voters: []uint64{1, 2, 3}, Learners: []uint64{4}}
	if diff := cmp.Diff(cs, tr.ConfState(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("membership (-want +got):\n%s", diff)
	}
}

func TestConfigString(t *testing.T) {
	c := Config{
		Voters:   quorum.Joint{quorum.NewSet(1, 2), quorum.NewSet(2, 3)},
		Learners: quorum.NewSet(10), LearnersNext: quorum.NewSet(3), AutoLeave: true,
	}
	want := "voters=(1 2)&&(2 3) learners=(a) learners_next=(3) autoleave"
	if got := c.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
