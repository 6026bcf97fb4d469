package raft

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

func TestReadyNeedsAdvance(t *testing.T) {
	c := newCluster(t, 1, nil)
	n := c.nodes[1]
	must(t, n.Campaign())
	rd, err := n.Ready()
	must(t, err)
	if _, err := n.Ready(); err != ErrNotAdvanced {
		t.Errorf("second Ready: %v, want ErrNotAdvanced", err)
	}
	must(t, n.store.SetHardState(rd.HardState))
	must(t, n.Advance(rd))
	c.settle()
	if got := n.BasicStatus().SoftState.RaftState; got != StateLeader {
		t.Errorf("state %v, want StateLeader", got)
	}
}

func TestAdvanceIsNotForAsync(t *testing.T) {
	c := newCluster(t, 1, func(cfg *Config) { cfg.AsyncStorageWrites = true })
	if err := c.nodes[1].Advance(Ready{}); err != ErrAsyncAdvance {
		t.Errorf("got %v, want ErrAsyncAdvance", err)
	}
}

// TestMessagesMayBeKept keeps copies of all messages of a history, and a deep copy of each as it
// was, and compares them at the end.
func TestMessagesMayBeKept(t *testing.T) {
	for _, async := range []bool{false, true} {
		var kept []raftpb.Message
		var copies [][]byte
		c := newCluster(t, 3, func(cfg *Config) {
			cfg.AsyncStorageWrites = async
			cfg.MaxSizePerMsg = 64
		})
		c.drop = func(m *raftpb.Message) bool {
			kept = append(kept, *m)
			copies = append(copies, m.Marshal(raftpb.FlavorGogo))
			return len(kept)%7 == 0
		}
		for i := range 200 {
			id := uint64(i%3) + 1
			if i%20 == 0 {
				must(t, c.nodes[id].Campaign())
			}
			err := c.nodes[id].Propose([]byte("some data"))
			if err != nil && !errors.Is(err, ErrProposalDropped) {
				t.Fatal(err)
			}
			must(t, c.nodes[id].ReadIndex([]byte{byte(i)}))
			c.settle()
			c.tick(id, 1)
		}
		if len(kept) < 1000 {
			t.Errorf("async %t: only %d messages", async, len(kept))
		}
		for i := range kept {
			if got := kept[i].Marshal(raftpb.FlavorGogo); !slices.Equal(got, copies[i]) {
				t.Fatalf("async %t: message %d changed: it is %s", async, i,
					raftpb.DescribeMessage(kept[i], nil))
			}
		}
	}
}

// TestReadyOnError checks that a Ready that fails takes nothing out.
func TestReadyOnError(t *testing.T) {
	store := &flaky{MemoryStorage: storeAt(t)}
	must(t, store.SetHardState(raftpb.HardState{Term: 6, Commit: 6}))
	cfg := baseConfig(1, store)
	n, err := NewRawNode(&cfg)
	must(t, err)
	store.fail = store.calls + 1
	if _, err := n.Ready(); !errors.Is(err, errDisk) {
		t.Fatalf("got %v, want the storage's error", err)
	}
	rd, err := n.Ready()
	must(t, err)
	if diff := cmp.Diff(run(4, 4, 5, 6), rd.CommittedEntries); diff != "" {
		t.Errorf("committed entries (-want +got):\n%s", diff)
	}
}

// TestSteadyStateAllocations counts what a leader and a follower allocate for a heartbeat, its
// answer, and for entries and their acknowledgement.
func TestSteadyStateAllocations(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.elect(1)
	for range 600 {
		c.propose(1, "warm up")
	}
	leader, follower := c.nodes[1].RawNode, c.nodes[2].RawNode
	term := leader.BasicStatus().HardState.Term
	data := []byte("data")
	var errs [4]error
	tests := []struct {
		name string
		max  float64
		do   func()
	}{
		{"heartbeat round", 0, func() {
			errs[0] = leader.Tick()
			rd, err := leader.Ready()
			errs[1] = err
			for i := range rd.Messages {
				if rd.Messages[i].To == 2 {
					errs[2] = follower.Step(rd.Messages[i])
				}
			}
			errs[3] = leader.Advance(rd)
			frd, _ := follower.Ready()
			for i := range frd.Messages {
				errs[2] = errors.Join(errs[2], leader.Step(frd.Messages[i]))
			}
			_ = follower.Advance(frd)
		}},
		{"vote from an earlier term", 0, func() {
			errs[0] = leader.Step(raftpb.Message{Type: raftpb.MsgVote, From: 3, Term: 1})
		}},
		{"nothing to do", 0, func() {
			if leader.HasReady() {
				errs[0] = errors.New("has a Ready")
			}
			_ = leader.BasicStatus()
			leader.WithProgress(func(uint64, ProgressType, tracker.Progress) {})
		}},
		// An entry needs memory, here and in storage; with arrays that grow this is less than once.
		{"proposal and its acknowledgement", 0.5, func() {
			errs[0] = leader.Propose(data)
			rd, err := leader.Ready()
			errs[1] = errors.Join(err, c.nodes[1].store.Append(rd.Entries))
			errs[2] = leader.Advance(rd)
			index := leader.core.log.lastIndex()
			errs[3] = leader.Step(raftpb.Message{
				Type: raftpb.MsgAppResp, From: 2, To: 1, Term: term, Index: index,
			})
			rd, _ = leader.Ready()
			_ = leader.Advance(rd)
		}},
	}
	for _, test := range tests {
		if got := testing.AllocsPerRun(200, test.do); got > test.max {
			t.Errorf("%s: %v allocations, want at most %v", test.name, got, test.max)
		}
		if err := errors.Join(errs[:]...); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestStatusText(t *testing.T) {
	c := newCluster(t, 2, nil)
	leader := c.elect(1)
	c.propose(1, "x")
	want := `{"id":"1","term":2,"vote":"1","commit":4,"lead":"1","raftState":"StateLeader","applied":4,` +
		`"progress":{"1":{"match":4,"next":5,"state":"StateReplicate"},` +
		`"2":{"match":4,"next":5,"state":"StateReplicate"}},"leadtransferee":"0"}`
	status := leader.Status()
	if got := status.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if b, err := json.Marshal(status); err != nil || string(b) != want {
		t.Errorf("as JSON %s, %v", b, err)
	}
	status.Progress[0].Match = 99
	if got := leader.Status().Progress[0].Match; got != 4 {
		t.Errorf("changing a status changed the member: match %d", got)
	}
	follower := c.nodes[2].Status()
	if follower.Progress != nil || !json.Valid([]byte(follower.String())) {
		t.Errorf("follower's status %s", follower)
	}
}

func TestDescribeReady(t *testing.T) {
	rd := Ready{
		SoftState:        &SoftState{Lead: 2, RaftState: StateFollower},
		HardState:        raftpb.HardState{Term: 2, Vote: 1, Commit: 3},
		ReadStates:       []ReadState{{Index: 3, RequestCtx: []byte{7}}},
		Entries:          []raftpb.Entry{{Term: 2, Index: 4, Data: []byte("x")}},
		Snapshot:         &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: 3, Term: 2}},
		CommittedEntries: []raftpb.Entry{{Term: 2, Index: 3}},
		Messages:         []raftpb.Message{{Type: raftpb.MsgAppResp, From: 1, To: 2, Term: 2, Index: 4}},
		MustSync:         true,
	}
	want := `Ready MustSync=true:
Lead:2 State:StateFollower
HardState Term:2 Vote:1 Commit:3
ReadStates [{3 [7]}]
Entries:
2/4 EntryNormal "x"
Snapshot Index:3 Term:2 ConfState:Voters:[] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false
CommittedEntries:
2/3 EntryNormal ""
Messages:
1->2 MsgAppResp Term:2 Log:0/4
`
	if diff := cmp.Diff(want, DescribeReady(rd, nil)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := DescribeReady(Ready{}, nil); got != "<empty Ready>" {
		t.Errorf("empty: %q", got)
	}
}
