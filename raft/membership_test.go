package raft

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/raftctl/raftctl/raftpb"
)

// change returns a V2 change of the given steps, such as "v4 r1".
func change(t *testing.T, transition raftpb.ConfChangeTransition, steps string) raftpb.ConfChangeV2 {
	t.Helper()
	changes, err := raftpb.ConfChangesFromString(steps)
	must(t, err)
	return raftpb.ConfChangeV2{Transition: transition, Changes: changes}
}

const (
	auto     = raftpb.ConfChangeTransitionAuto
	implicit = raftpb.ConfChangeTransitionJointImplicit
	explicit = raftpb.ConfChangeTransitionJointExplicit
)

// wantConf checks the membership that a member applied last.
func (c *cluster) wantConf(want raftpb.ConfState, ids ...uint64) {
	c.tb.Helper()
	for _, id := range ids {
		if diff := cmp.Diff(want, c.nodes[id].conf, cmpopts.EquateEmpty()); diff != "" {
			c.tb.Errorf("member %d: membership (-want +got):\n%s", id, diff)
		}
	}
}

// TestTransitions makes changes of each kind in a group of three, to which the members that come
// are started, and checks the membership in between and at the end.
func TestTransitions(t *testing.T) {
	tests := []struct {
		name       string
		transition raftpb.ConfChangeTransition
		steps      string
		joint      string // the configuration on the way, empty for none
		want       []uint64
		learners   []uint64
		explicit   bool
	}{
		{"add", auto, "v4", "", []uint64{1, 2, 3, 4}, nil, false},
		{"remove", auto, "r3", "", []uint64{1, 2}, nil, false},
		{"learner", auto, "l4", "", []uint64{1, 2, 3}, []uint64{4}, false},
		{"replace", auto, "v4 r3", "voters=(1 2 4)&&(1 2 3) autoleave",
			[]uint64{1, 2, 4}, nil, false},
		{"replace most", auto, "v4 v5 r2 r3", "voters=(1 4 5)&&(1 2 3) autoleave",
			[]uint64{1, 4, 5}, nil, false},
		{"demote", auto, "l3 v4", "voters=(1 2 4)&&(1 2 3) learners_next=(3) autoleave",
			[]uint64{1, 2, 4}, []uint64{3}, false},
		{"one by joint", implicit, "v4", "voters=(1 2 3 4)&&(1 2 3) autoleave",
			[]uint64{1, 2, 3, 4}, nil, false},
		{"explicit", explicit, "v4 r3", "voters=(1 2 4)&&(1 2 3)", []uint64{1, 2, 4}, nil, true},
	}
	for _, test := range tests {
		for _, async := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/async=%t", test.name, async), func(t *testing.T) {
				var configs []string
				adjust := func(cfg *Config) {
					cfg.AsyncStorageWrites = async
					if cfg.ID == 1 {
						cfg.Observer = ObserverFunc(func(_ uint64, e Event) {
							if e, ok := e.(ConfigSwitched); ok {
								configs = append(configs, e.Config.String())
							}
						})
					}
				}
				c := newCluster(t, 3, adjust)
				for id := uint64(4); id <= 5; id++ {
					c.add(id, raftpb.ConfState{}, adjust)
				}
				leader := c.elect(1)
				configs = nil
				must(t, leader.ProposeConfChange(change(t, test.transition, test.steps)))
				c.settle()
				if test.explicit {
					must(t, leader.ProposeConfChange(raftpb.ConfChangeV2{}))
					c.settle()
				}
				c.tick(1, 2)
				want := raftpb.ConfState{Voters: test.want, Learners: test.learners}
				c.wantConf(want, slices.Concat(test.want, test.learners)...)
				if test.joint != "" && configs[0] != test.joint {
					t.Errorf("on the way %s, want %s", configs[0], test.joint)
				}
				if got := len(configs) == 2; got != (test.joint != "") {
					t.Errorf("configurations %v, joint %q", configs, test.joint)
				}
				c.propose(1, "x")
				for _, id := range slices.Concat(test.want, test.learners) {
					if !slices.Contains(c.nodes[id].applied, "x") {
						t.Errorf("member %d applied %v", id, c.nodes[id].applied)
					}
				}
			})
		}
	}
}

// TestJointNeedsBothMajorities cuts off one half of a joint configuration: nothing is committed.
func TestJointNeedsBothMajorities(t *testing.T) {
	for _, cut := range [][]uint64{{2, 3}, {4, 5}} {
		c := newCluster(t, 3, nil)
		c.add(4, raftpb.ConfState{}, nil)
		c.add(5, raftpb.ConfState{}, nil)
		leader := c.elect(1)
		must(t, leader.ProposeConfChange(change(t, explicit, "v4 v5 r2 r3")))
		c.settle()
		c.tick(1, 1)
		c.isolate(cut...)
		before := leader.BasicStatus().HardState.Commit
		c.propose(1, "x")
		if got := leader.BasicStatus().HardState.Commit; got != before {
			t.Errorf("without %v commit went from %d to %d", cut, before, got)
		}
		c.heal()
		c.tick(1, 2)
		if got := leader.BasicStatus().HardState.Commit; got <= before {
			t.Errorf("after %v came back commit is still %d", cut, got)
		}
	}
}

// TestOneChangeAtATime checks which proposed changes are replaced by empty entries, and why.
func TestOneChangeAtATime(t *testing.T) {
	var reasons []ConfChangeReason
	observer := ObserverFunc(func(_ uint64, e Event) {
		if e, ok := e.(ConfChangeIgnored); ok {
			reasons = append(reasons, e.Reason)
		}
	})
	for _, disable := range []bool{false, true} {
		reasons = nil
		c := newCluster(t, 1, func(cfg *Config) {
			cfg.Observer, cfg.DisableConfChangeValidation = observer, disable
		})
		leader := c.elect(1)
		must(t, leader.ProposeConfChange(raftpb.ConfChangeV2{}))     // nothing to leave
		must(t, leader.ProposeConfChange(change(t, explicit, "l2"))) // taken
		must(t, leader.ProposeConfChange(change(t, auto, "l3")))     // one is under way
		if disable {
			if len(reasons) != 0 {
				t.Errorf("without validation ignored for %v", reasons)
			}
			continue
		}
		c.settle()
		must(t, leader.ProposeConfChange(change(t, auto, "l3"))) // still joint
		c.settle()
		must(t, leader.ProposeConfChange(raftpb.ConfChangeV2{})) // taken
		c.settle()
		want := []ConfChangeReason{ConfChangeNotJoint, ConfChangePending, ConfChangeJoint}
		if !slices.Equal(reasons, want) {
			t.Errorf("ignored for %v, want %v", reasons, want)
		}
		c.wantConf(raftpb.ConfState{Voters: []uint64{1}, Learners: []uint64{2}}, 1)
	}
}

// TestScreenLeavesTheMessageAlone checks that a proposal with a change that can't be made is not
// written to: it may still be in the hands of the member that passed it on.
func TestScreenLeavesTheMessageAlone(t *testing.T) {
	c := newCluster(t, 1, nil)
	leader := c.elect(1)
	entries := []raftpb.Entry{
		{Data: []byte("a")}, {Type: raftpb.EntryConfChangeV2}, {Data: []byte("b")},
	}
	must(t, leader.Step(raftpb.Message{Type: raftpb.MsgProp, From: 1, Entries: entries}))
	c.settle()
	if entries[1].Type != raftpb.EntryConfChangeV2 || entries[0].Index != 0 {
		t.Errorf("entries became %v", entries)
	}
	if got := leader.applied; !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("applied %v", got)
	}
}

// TestRemovedLeader removes the leader, with and without StepDownOnRemoval.
func TestRemovedLeader(t *testing.T) {
	for _, stepDown := range []bool{false, true} {
		c := newCluster(t, 3, func(cfg *Config) { cfg.StepDownOnRemoval = stepDown })
		leader := c.elect(1)
		must(t, leader.ProposeConfChange(change(t, auto, "r1")))
		c.settle()
		if stepDown {
			c.wantRole(1, StateFollower)
			continue
		}
		c.wantRole(1, StateLeader)
		if err := leader.Propose([]byte("x")); err != ErrProposalDropped {
			t.Errorf("proposal to a removed leader: %v, want ErrProposalDropped", err)
		}
		c.tick(2, 20)
		c.wantRole(2, StateLeader)
	}
}

// TestAutoLeaveWaitsForTransfer begins a transfer of leadership while the group is joint: the
// proposal to leave is dropped, and made again when the transfer is over.
func TestAutoLeaveWaitsForTransfer(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.elect(1)
	c.isolate(3)
	must(t, leader.ProposeConfChange(change(t, implicit, "l2")))
	rd, err := leader.Ready()
	must(t, err)
	must(t, leader.store.Append(rd.Entries))
	c.network = append(c.network, rd.Messages...)
	must(t, leader.Advance(rd))
	must(t, leader.TransferLeader(3)) // to one that can't be reached
	c.settle()
	if got := leader.Status().Config; !got.Voters.IsJoint() || !got.AutoLeave {
		t.Fatalf("configuration %v, want a joint one", got)
	}
	c.tick(1, 10) // the transfer is given up
	c.heal()
	c.tick(1, 1)
	c.propose(1, "x")
	if got := leader.Status().Config; got.Voters.IsJoint() {
		t.Errorf("configuration %v, want it left", got)
	}
}

// TestImpossibleChange applies a committed change that can't be: an error, and nothing changes.
func TestImpossibleChange(t *testing.T) {
	c := newCluster(t, 1, nil)
	before := c.nodes[1].Status().Config.String()
	for _, steps := range []string{"r1", "v2 r1 l1"} {
		_, err := c.nodes[1].ApplyConfChange(change(t, explicit, "r1"))
		if err == nil || !strings.Contains(err.Error(), "removed all voters") {
			t.Errorf("%s: error %v", steps, err)
		}
	}
	if _, err := c.nodes[1].ApplyConfChange(raftpb.ConfChangeV2{}); err == nil {
		t.Error("left a configuration that isn't joint")
	}
	if got := c.nodes[1].Status().Config.String(); got != before {
		t.Errorf("configuration %s, want %s", got, before)
	}
}

// TestBootstrap starts a group by Bootstrap on each member.
func TestBootstrap(t *testing.T) {
	c := newCluster(t, 0, nil)
	peers := []Peer{{ID: 1, Context: []byte("one")}, {ID: 2}, {ID: 3}}
	for _, p := range peers {
		n := c.add(p.ID, raftpb.ConfState{}, nil)
		must(t, n.Bootstrap(peers))
		if err := n.Bootstrap(peers); err == nil {
			t.Error("bootstrapped twice")
		}
	}
	c.settle()
	c.wantConf(raftpb.ConfState{Voters: []uint64{1, 2, 3}}, 1, 2, 3)
	c.elect(1)
	c.propose(2, "x")
	for _, id := range c.ids {
		if got := c.nodes[id].applied; !slices.Equal(got, []string{"x"}) {
			t.Errorf("member %d applied %v", id, got)
		}
	}
	if err := c.nodes[1].Bootstrap(nil); err == nil {
		t.Error("bootstrapped with nobody")
	}
}
