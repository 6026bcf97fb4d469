package raft

import (
	"slices"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

func TestTransferToUpToDate(t *testing.T) {
	c := newCluster(t, 3, func(cfg *Config) { cfg.PreVote, cfg.CheckQuorum = true, true })
	c.elect(1)
	c.propose(1, "x")
	c.tick(1, 1) // the others are in the leader's lease
	must(t, c.nodes[1].TransferLeader(2))
	c.settle()
	c.wantRole(2, StateLeader)
	c.wantTerm(1, 3)
}

// TestTransferByFollower asks a follower, who passes the request on.
func TestTransferByFollower(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.elect(1)
	must(t, c.nodes[3].TransferLeader(2))
	c.settle()
	c.wantRole(2, StateLeader)
}

// TestTransferWaitsForTheLog transfers to a member that lacks entries; until it has them nothing is
// proposed.
func TestTransferWaitsForTheLog(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.elect(1)
	c.isolate(3)
	c.propose(1, "x")
	must(t, leader.TransferLeader(3))
	c.settle()
	if got := leader.BasicStatus().LeadTransferee; got != 3 {
		t.Errorf("transferee %d, want 3", got)
	}
	if err := leader.Propose([]byte("y")); err != ErrProposalDropped {
		t.Errorf("proposal during a transfer: %v, want ErrProposalDropped", err)
	}
	c.heal()
	c.tick(1, 1)
	c.wantRole(3, StateLeader)
	if got := c.nodes[3].applied; !slices.Equal(got, []string{"x"}) {
		t.Errorf("new leader applied %v", got)
	}
}

// TestTransferIsGivenUp transfers to a member that can't be reached: after an election timeout
// proposals are taken again.
func TestTransferIsGivenUp(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.elect(1)
	c.isolate(3)
	c.propose(1, "x")
	must(t, leader.TransferLeader(3))
	c.tick(1, 9)
	if got := leader.BasicStatus().LeadTransferee; got != 3 {
		t.Errorf("transferee %d after 9 ticks, want 3", got)
	}
	c.tick(1, 1)
	c.propose(1, "y")
	if got := leader.applied; !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("applied %v", got)
	}
}

func TestTransferIgnored(t *testing.T) {
	var got []Event
	c := newCluster(t, 0, nil)
	cs := raftpb.ConfState{Voters: []uint64{1, 2, 3}, Learners: []uint64{4}}
	for id := uint64(1); id <= 4; id++ {
		c.add(id, cs, func(cfg *Config) {
			cfg.Observer = ObserverFunc(func(id uint64, e Event) {
				switch e.(type) {
				case TransferIgnored, TransferAborted, NoProgress:
					got = append(got, e)
				}
			})
		})
	}
	must(t, c.nodes[2].TransferLeader(2)) // no leader yet
	leader := c.elect(1)
	c.isolate(2, 3)
	c.propose(1, "x")
	for _, to := range []uint64{4, 1, 9, 2, 2, 3, 1} {
		must(t, leader.TransferLeader(to))
	}
	want := []Event{
		TransferIgnored{TransferNoLeader, 1, 2},
		TransferIgnored{TransferToLearner, 2, 4},
		TransferIgnored{TransferToSelf, 2, 1},
		NoProgress{9},
		TransferIgnored{TransferInProgress, 2, 2},
		TransferAborted{2, 2},
		TransferAborted{2, 3},
		TransferIgnored{TransferToSelf, 2, 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("events %+v\nwant   %+v", got, want)
	}
	if to := leader.BasicStatus().LeadTransferee; to != None {
		t.Errorf("transferee %d, want none", to)
	}
}

// TestTransferToRemoved removes the member that is to become leader.
func TestTransferToRemoved(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.elect(1)
	c.isolate(3)
	must(t, leader.ProposeConfChange(change(t, auto, "r3")))
	rd, err := leader.Ready()
	must(t, err)
	must(t, leader.store.Append(rd.Entries))
	c.network = append(c.network, rd.Messages...)
	must(t, leader.Advance(rd))
	must(t, leader.TransferLeader(3))
	c.settle()
	if to := leader.BasicStatus().LeadTransferee; to != None {
		t.Errorf("transferee %d after it was removed, want none", to)
	}
	c.propose(1, "x")
}
