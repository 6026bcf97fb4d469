package raft

import (
	"fmt"
	"strings"

	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// BasicStatus is a member's state without that of the others.
type BasicStatus struct {
	ID             uint64
	HardState      raftpb.HardState
	SoftState      SoftState
	Applied        uint64
	LeadTransferee uint64 // who is to become leader, None for nobody
}

// Status is a member's state. At a leader it includes what it knows of each member.
type Status struct {
	BasicStatus
	Config   tracker.Config
	Progress tracker.Members // nil unless the member is leader
}

// BasicStatus returns the member's state. It allocates nothing.
func (n *RawNode) BasicStatus() BasicStatus {
	c := n.core
	return BasicStatus{
		ID:             c.id,
		HardState:      c.hardState(),
		SoftState:      c.softState(),
		Applied:        c.log.applied,
		LeadTransferee: c.transferee,
	}
}

// Status returns the member's state and, at a leader, a copy of what it knows of each member.
func (n *RawNode) Status() Status {
	s := Status{BasicStatus: n.BasicStatus(), Config: n.core.trk.Config}
	if n.core.state == StateLeader {
		s.Progress = n.core.trk.Members.Clone()
	}
	return s
}

// LogStatus returns where the member's log stands.
func (n *RawNode) LogStatus() LogStatus { return n.core.log.status() }

// MarshalJSON returns what String does.
func (s Status) MarshalJSON() ([]byte, error) { return []byte(s.String()), nil }

// String returns the status as JSON in the form of etcd's raft, with IDs in hex and members in
// ascending order.
func (s Status) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"id":"%x","term":%d,"vote":"%x","commit":%d,"lead":"%x",`,
		s.ID, s.HardState.Term, s.HardState.Vote, s.HardState.Commit, s.SoftState.Lead)
	fmt.Fprintf(&b, `"raftState":%q,"applied":%d,"progress":{`, s.SoftState.RaftState, s.Applied)
	for i := range s.Progress {
		if i > 0 {
			b.WriteByte(',')
		}
		m := &s.Progress[i]
		fmt.Fprintf(&b, `"%x":{"match":%d,"next":%d,"state":%q}`, m.ID, m.Match, m.Next, m.State)
	}
	fmt.Fprintf(&b, `},"leadtransferee":"%x"}`, s.LeadTransferee)
	return b.String()
}
