package kv

import (
	"encoding/json"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/raftctl/raftctl/raftpb"
)

// applyConfChange applies a change of the membership, or refuses it as each member does.
func (s *Store) applyConfChange(e *raftpb.Entry) error {
	var cc raftpb.ConfChange
	if err := cc.Unmarshal(e.Data); err != nil {
		return fmt.Errorf("no change of the membership: %w", err)
	}
	if s.o.KeepMembers {
		return nil
	}
	m, err := s.parseMember(&cc)
	if err != nil {
		return err
	}
	refused, err := s.validate(e.Data)
	if err != nil {
		return err
	}
	if refused != nil {
		cc.NodeID = raftpb.None
	} else if m != nil {
		if err := checkContext(&cc, m); err != nil {
			return err
		}
	}
	if err := s.tellRaft(&cc); err != nil {
		return err
	}
	if refused == nil {
		s.changeMember(&cc, m)
	}
	if w := s.o.Waiters; w != nil && w.Waiting(cc.ID) {
		self := cc.Type == raftpb.ConfChangeRemoveNode && cc.NodeID == s.o.Member && refused == nil
		w.Done(cc.ID, Result{Err: refused, ConfChange: &cc, RemovedSelf: self})
	}
	return nil
}

// parseMember reads the member that a change is about; nil for a removal, which doesn't describe it, and
// where the change is refused before that is looked at.
func (s *Store) parseMember(cc *raftpb.ConfChange) (*membership.ConfigChangeContext, error) {
	id := types.ID(cc.NodeID)
	switch {
	case cc.Type == raftpb.ConfChangeRemoveNode:
		return nil, s.checkRemoval(cc)
	case cc.Type == raftpb.ConfChangeUpdateNode:
		if s.cluster.Member(id) == nil {
			return nil, nil
		}
	case s.cluster.IsIDRemoved(id):
		return nil, nil
	}
	return parseContext(cc)
}

// parseContext reads the description of a member. A promotion is described by a [membership.ConfigChangeContext], of which
// the member is the first part.
func parseContext(cc *raftpb.ConfChange) (*membership.ConfigChangeContext, error) {
	m := new(membership.ConfigChangeContext)
	var into any = m
	switch cc.Type {
	case raftpb.ConfChangeAddNode, raftpb.ConfChangeAddLearnerNode:
	case raftpb.ConfChangeUpdateNode:
		into = &m.Member
	default:
		return nil, fmt.Errorf("%w: change of the membership of type %d", errUnknown, cc.Type)
	}
	if err := json.Unmarshal(cc.Context, into); err != nil {
		return nil, fmt.Errorf("context of member %x: %w", cc.NodeID, err)
	}
	return m, nil
}

// checkContext refuses a description that isn't of the member that it should be, or says no place where it could be met.
func checkContext(cc *raftpb.ConfChange, m *membership.ConfigChangeContext) error {
	if m.ID != types.ID(cc.NodeID) {
		return fmt.Errorf("a change of member %x, whose context names %s", cc.NodeID, m.ID)
	}
	if m.IsPromote {
		return nil
	}
	if _, err := types.NewURLs(m.PeerURLs); err != nil {
		return fmt.Errorf("peer URLs of member %x: %w", cc.NodeID, err)
	}
	return nil
}

// checkRemoval refuses the removal of the last voter, on which Raft panics.
func (s *Store) checkRemoval(cc *raftpb.ConfChange) error {
	before, after := s.ConfState(), s.confStateAfter(cc)
	if len(before.Voters) > 0 && len(after.Voters) == 0 {
		return fmt.Errorf("removal of member %x, the last voter", cc.NodeID)
	}
	return nil
}

// newOf makes a value of the type that a function takes, which is one of a package that we don't import.
func newOf[T any](func(*T, membership.ShouldApplyV3) error) *T { return new(T) }

// validate asks etcd's membership whether it takes a change.
func (s *Store) validate(data []byte) (refused, err error) {
	cc := newOf(s.cluster.ValidateConfigurationChange)
	msg, ok := any(cc).(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no protobuf message", cc)
	}
	if err := proto.Unmarshal(data, msg); err != nil {
		return nil, fmt.Errorf("no change of the membership: %w", err)
	}
	return s.cluster.ValidateConfigurationChange(cc, membership.ApplyBoth), nil
}

// tellRaft tells Raft of a change. The membership that it has then goes into the database with the
// members: hence before them.
func (s *Store) tellRaft(cc *raftpb.ConfChange) error {
	if s.o.ConfChange == nil && cc.NodeID == raftpb.None {
		return nil
	}
	cs := s.confStateAfter(cc)
	if s.o.ConfChange != nil {
		told, err := s.o.ConfChange(*cc)
		if err != nil || cc.NodeID == raftpb.None {
			return err
		}
		if len(told.Voters) > 0 {
			cs = told
		}
	}
	b, err := appendConfState(&cs)
	if err != nil {
		return fmt.Errorf("ConfState: %w", err)
	}
	s.confState = b
	return nil
}

// changeMember writes a change that was found valid.
func (s *Store) changeMember(cc *raftpb.ConfChange, m *membership.ConfigChangeContext) {
	id := types.ID(cc.NodeID)
	switch {
	case cc.Type == raftpb.ConfChangeRemoveNode:
		s.cluster.RemoveMember(id, membership.ApplyBoth)
	case cc.Type == raftpb.ConfChangeUpdateNode:
		s.cluster.UpdateRaftAttributes(id, m.RaftAttributes, membership.ApplyBoth)
	case m.IsPromote:
		s.cluster.PromoteMember(id, membership.ApplyBoth)
	default:
		s.cluster.AddMember(&m.Member, membership.ApplyBoth)
	}
}

// ConfState returns the membership as Raft has it, by the members in the database.
func (s *Store) ConfState() raftpb.ConfState {
	return s.confStateAfter(&raftpb.ConfChange{})
}

// confStateAfter returns the membership after a change that was found valid, but isn't written yet.
func (s *Store) confStateAfter(cc *raftpb.ConfChange) (cs raftpb.ConfState) {
	isLearner := map[uint64]bool{}
	for _, m := range s.cluster.Members() {
		isLearner[uint64(m.ID)] = m.IsLearner
	}
	if cc.NodeID != raftpb.None {
		switch cc.Type {
		case raftpb.ConfChangeAddNode:
			isLearner[cc.NodeID] = false
		case raftpb.ConfChangeAddLearnerNode:
			isLearner[cc.NodeID] = true
		case raftpb.ConfChangeRemoveNode:
			delete(isLearner, cc.NodeID)
		}
	}
	for id, learner := range isLearner {
		if learner {
			cs.Learners = append(cs.Learners, id)
		} else {
			cs.Voters = append(cs.Voters, id)
		}
	}
	slices.Sort(cs.Voters)
	slices.Sort(cs.Learners)
	return cs
}
