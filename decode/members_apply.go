package decode

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raft/confchange"
	"github.com/raftctl/raftctl/raftpb"
)

// Apply follows the committed entry at an index, which r was decoded from: a change of the
// membership, of a member's attributes, or of the cluster's version. It is to be called for every
// committed entry that no later one overwrites, in order: a gap makes the membership incomplete,
// until [Members.Restore]. An entry at or below Index is passed over. It reports whether anything
// changed.
//
// Changes are applied as etcd does: refused where it refuses them, an error that wraps [ErrRefused];
// an entry that it panics on is an error that wraps [ErrPanics], and is then followed as far as Raft
// itself would. ConfChangeV2 is one of these: it occurs only in logs of other systems.
func (m *Members) Apply(index uint64, r *Request) (changed bool, err error) {
	if index <= m.index {
		return false, nil
	}
	if index != m.index+1 {
		m.partial = true
	}
	m.index = index
	switch r.Op {
	case OpConfChange:
		return m.applyV1(r.change)
	case OpConfChangeV2:
		return m.applyV2(r.change)
	case opAttributesSet:
		return m.applyAttributes(r)
	case opVersionSet:
		return m.setVersion(content(r.mainFields(), "ver"))
	case opDowngradeSet:
		return m.setDowngrade(r.mainFields())
	case opV2Put:
		return m.applyV2Put(r.mainFields())
	}
	return false, nil
}

// Pass takes in that the entries behind Index up to another change nothing of the membership.
func (m *Members) Pass(index uint64) { m.index = max(m.index, index) }

// mainFields returns the fields of etcd's request that r is.
func (r *Request) mainFields() []value { return r.values[r.top:] }

// applyV1 applies a change of one member.
func (m *Members) applyV1(c *confChange) (changed bool, err error) {
	if c == nil {
		return false, fmt.Errorf("malformed membership change: %w", ErrPanics)
	}
	if len(c.v1.Context) > maxContext {
		m.partial = true
		return false, fmt.Errorf("context of %d bytes: %w", len(c.v1.Context), ErrBeyondLimit)
	}
	var ctx member
	reason := m.refusesID(&c.v1)
	bad := readContext(&c.v1, &ctx)
	if reason == "" && bad == nil {
		reason = m.refusesContext(&c.v1, &ctx)
	}
	if reason != "" {
		return false, fmt.Errorf("member %x: %s: %w", c.v1.NodeID, reason, ErrRefused)
	}
	if bad == nil && takesContext(c.v1.Type) && ctx.ID != c.v1.NodeID {
		bad = fmt.Errorf("member %x, but its context names %x: %w", c.v1.NodeID, ctx.ID, ErrPanics)
	}
	one := raftpb.ConfChangeV2{Changes: []raftpb.ConfChangeSingle{{Type: c.v1.Type, NodeID: c.v1.NodeID}}}
	if err := m.change(&one); err != nil {
		return false, err
	}
	if bad == nil {
		m.describe(&c.v1, &ctx)
	}
	return true, bad
}

// takesContext reports whether etcd reads the context of a change of that type.
func takesContext(t raftpb.ConfChangeType) bool { return t != raftpb.ConfChangeRemoveNode }

func readContext(c *raftpb.ConfChange, ctx *member) error {
	if c.Type < 0 || c.Type > raftpb.ConfChangeAddLearnerNode {
		return fmt.Errorf("membership change of type %d: %w", c.Type, ErrPanics)
	}
	if !takesContext(c.Type) {
		return nil
	}
	if err := json.Unmarshal(c.Context, ctx); err != nil {
		return fmt.Errorf("context of member %x: %w: %w", c.NodeID, err, ErrPanics)
	}
	return nil
}

// refusesID returns why etcd refuses a change before it reads its context, or nothing. Its checks are
// the same in 3.4 to 3.7, but for what counts as a learner too many.
func (m *Members) refusesID(c *raftpb.ConfChange) string {
	switch {
	case m.wasRemoved(c.NodeID):
		return "it was removed before"
	case c.Type == raftpb.ConfChangeRemoveNode, c.Type == raftpb.ConfChangeUpdateNode:
		return m.refusesStranger(c.NodeID)
	}
	return ""
}

func (m *Members) refusesStranger(id uint64) string {
	if m.find(id) == nil && !m.partial {
		return "it is no member"
	}
	return ""
}

// adds reports whether a change of that type adds or promotes a member.
func adds(t raftpb.ConfChangeType) bool {
	return t == raftpb.ConfChangeAddNode || t == raftpb.ConfChangeAddLearnerNode
}

// refusesContext returns why etcd refuses a change that refusesID lets pass, or nothing.
func (m *Members) refusesContext(c *raftpb.ConfChange, ctx *member) string {
	switch {
	case adds(c.Type) && ctx.IsPromote:
		return m.refusesPromotion(c.NodeID)
	case adds(c.Type):
		return m.refusesNew(c, ctx)
	case c.Type == raftpb.ConfChangeUpdateNode && m.peerURLsTaken(c.NodeID, ctx.PeerURLs):
		return peerURLsTaken
	}
	return ""
}

const peerURLsTaken = "another member has its peer URLs"

func (m *Members) refusesPromotion(id uint64) string {
	if e := m.find(id); e != nil && !e.learner && e.Role != RoleUnknown {
		return "it is no learner"
	}
	return m.refusesStranger(id)
}

func (m *Members) refusesNew(c *raftpb.ConfChange, ctx *member) string {
	if e := m.find(c.NodeID); e != nil && e.Role != RoleUnknown {
		return "it is a member already"
	}
	if m.peerURLsTaken(0, ctx.PeerURLs) {
		return peerURLsTaken
	}
	if !ctx.IsLearner || c.Type != raftpb.ConfChangeAddLearnerNode {
		return ""
	}
	learners := 0
	for i := range m.members {
		if m.members[i].learner {
			learners++
		}
	}
	if most := max(m.MaxLearners, 1); learners+1 > most {
		return fmt.Sprintf("%d learners, want at most %d", learners+1, most)
	}
	return ""
}

// peerURLsTaken reports whether a member other than id has one of the URLs.
func (m *Members) peerURLsTaken(id uint64, urls []string) bool {
	for i := range m.members {
		e := &m.members[i]
		if e.ID != id && slices.ContainsFunc(urls, func(u string) bool { return slices.Contains(e.PeerURLs, u) }) {
			return true
		}
	}
	return false
}

// describe takes over what a context says of a member.
func (m *Members) describe(c *raftpb.ConfChange, ctx *member) {
	e := m.find(c.NodeID)
	switch {
	case e == nil || c.Type == raftpb.ConfChangeRemoveNode:
	case c.Type == raftpb.ConfChangeUpdateNode:
		e.PeerURLs = ctx.PeerURLs
	case ctx.IsPromote:
		e.learner = false
	default:
		e.Name, e.PeerURLs, e.ClientURLs, e.learner = ctx.Name, ctx.PeerURLs, ctx.ClientURLs, ctx.IsLearner
	}
}

// applyV2 applies a change of any number of members.
func (m *Members) applyV2(c *confChange) (changed bool, err error) {
	if c == nil {
		return false, fmt.Errorf("malformed membership change: %w", ErrPanics)
	}
	if err := m.change(&c.v2); err != nil {
		return false, err
	}
	return true, fmt.Errorf("entry of type %v: %w", raftpb.EntryConfChangeV2, ErrPanics)
}

// change changes the configuration as Raft does. While the membership is incomplete, that is done
// step by step and without its checks.
func (m *Members) change(c *raftpb.ConfChangeV2) error {
	if len(c.Changes)+len(m.members) > maxMembers {
		m.partial = true
		return fmt.Errorf("%d members and %d changes: %w", len(m.members), len(c.Changes), ErrBeyondLimit)
	}
	if m.partial {
		for _, one := range c.Changes {
			m.changeLoosely(one)
		}
		return nil
	}
	changer := confchange.Changer{Tracker: &m.raft}
	var res confchange.Result
	var err error
	if autoLeave, joint := c.EnterJoint(); joint {
		res, err = changer.EnterJoint(autoLeave, c.Changes...)
	} else if c.LeaveJoint() {
		res, err = changer.LeaveJoint()
	} else {
		res, err = changer.Simple(c.Changes...)
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %w", confchange.Describe(c.Changes...), err, ErrPanics)
	}
	m.settle(res)
	return nil
}

func (m *Members) changeLoosely(c raftpb.ConfChangeSingle) {
	switch {
	case c.NodeID == 0: // how etcd marks a change that it has refused
	case c.Type == raftpb.ConfChangeRemoveNode:
		m.remove(c.NodeID)
	case c.Type == raftpb.ConfChangeAddNode:
		m.add(c.NodeID).Role = RoleVoter
	case c.Type == raftpb.ConfChangeAddLearnerNode:
		e := m.add(c.NodeID)
		e.Role, e.learner = RoleLearner, true
	}
}
