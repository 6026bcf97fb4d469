package decode

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raft/confchange"
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// Role is what a member does in its group.
type Role uint8

// The roles. Incoming, outgoing and next learner exist in a joint configuration only.
const (
	RoleUnknown     Role = iota // the part of the log that would tell is missing
	RoleVoter                   // votes, in a joint configuration in both halves
	RoleLearner                 // receives the log and doesn't vote
	RoleIncoming                // votes in the incoming half only
	RoleOutgoing                // votes in the outgoing half only: no member once that is left
	RoleLearnerNext             // votes in the outgoing half, and becomes a learner
)

var roleNames = [...]string{"unknown", "voter", "learner", "incoming", "outgoing", "learner_next"}

// String returns the role as the JSON contract spells it.
func (r Role) String() string { return roleNames[r] }

// Member is one member of a cluster.
type Member struct {
	ID         uint64
	Role       Role
	Name       string   // empty until the member has published it, or where that is not in the log
	PeerURLs   []string // where the other members reach it
	ClientURLs []string // where clients do
}

// listed is a member with what etcd's own list of members says of it beside Raft's configuration. The
// two differ only behind a change whose context contradicts its type.
type listed struct {
	Member
	learner bool
}

// Members is the membership of a cluster as of an index. It follows the committed entries of a log
// as etcd applies them: see [Members.Apply]. The zero value is that of a log which begins at index 1.
// Its memory is bounded.
type Members struct {
	// MaxLearners is how many learners the servers allowed, which decides whether etcd refused to add
	// one. 0 stands for etcd's default, 1.
	MaxLearners int

	index    uint64
	partial  bool
	raft     tracker.Tracker // the configuration; not kept while partial
	members  []listed        // by ID
	removed  []listed        // by ID
	version  string
	target   string // of the downgrade under way
	lowering bool   // a downgrade is under way
}

// Bounds of what is followed: far more than any cluster has, and little for a hostile log to fill.
const (
	maxMembers = 1 << 10
	maxRemoved = 1 << 12
	maxContext = 1 << 16 // bytes of a context or of attributes
)

// ErrRefused is returned for a committed change that etcd refuses: every member leaves its
// membership as it was.
var ErrRefused = errors.New("etcd refuses the change")

// ErrPanics is returned for an entry that etcd panics on when it applies it.
var ErrPanics = errors.New("etcd panics on it")

// ErrBeyondLimit is returned for an entry or ConfState with more members, or longer attributes, than
// are followed. It is left out; see [Members.Complete].
var ErrBeyondLimit = errors.New("more than is followed")

// Index returns the index that the membership is as of.
func (m *Members) Index() uint64 { return m.index }

// Complete reports whether all was seen that roles depend on. It is false behind a gap in the log, and
// until then roles may be unknown, members missing, and members listed that were removed. Names and
// addresses may be missing in any log that doesn't begin at index 1.
func (m *Members) Complete() bool { return !m.partial }

// All returns the members, by ID.
func (m *Members) All() []Member { return plain(m.members) }

// Removed returns the members that were removed in the part of the log that was followed, by ID, with
// what was last known of them. Their IDs can't come back.
func (m *Members) Removed() []Member { return plain(m.removed) }

func plain(list []listed) []Member {
	out := make([]Member, len(list))
	for i := range list {
		out[i] = list[i].Member
	}
	return out
}

// Get returns a member.
func (m *Members) Get(id uint64) (Member, bool) {
	if e := m.find(id); e != nil {
		return e.Member, true
	}
	return Member{}, false
}

// ConfState returns the membership as Raft stores it; ok is false if it isn't complete.
func (m *Members) ConfState() (cs raftpb.ConfState, ok bool) {
	return m.raft.ConfState(), m.Complete()
}

// Version returns the version of the cluster, such as 3.6.0; empty if no entry has set it.
func (m *Members) Version() string { return m.version }

// Downgrade returns the version that the cluster is being downgraded to; ok is false if it isn't.
func (m *Members) Downgrade() (target string, ok bool) { return m.target, m.lowering }

// Restore sets the membership to that of a snapshot at an index, keeping what is known of its
// members. A nil ConfState, as snapshot records of etcd 3.4 have it, says nothing: unless the
// entries up to that index were followed, the membership is incomplete from there on. A snapshot at
// or below Index that adds nothing is passed over: a member records its own snapshots when it has
// appended more entries already. The error says that there is no such membership.
func (m *Members) Restore(index uint64, cs *raftpb.ConfState) error {
	switch {
	case index < m.index, index == m.index && !m.partial:
		return nil
	case cs == nil:
		m.partial = m.partial || index > m.index
		m.index = index
		return nil
	}
	m.index = index
	if n := len(cs.Voters) + len(cs.Learners) + len(cs.VotersOutgoing) + len(cs.LearnersNext); n > maxMembers {
		m.partial = true
		return fmt.Errorf("%d members: %w", n, ErrBeyondLimit)
	}
	m.raft = tracker.Tracker{}
	res, err := confchange.Restore(confchange.Changer{Tracker: &m.raft}, *cs)
	if err != nil {
		m.partial = true
		return fmt.Errorf("conf state of index %d: %w", index, err)
	}
	m.partial = false
	m.settle(res)
	for i := range m.members {
		m.members[i].learner = m.members[i].Role == RoleLearner
	}
	return nil
}

// settle takes over a configuration: members that it doesn't have are removed, those that are new in
// it are added, and all have the role that it gives them.
func (m *Members) settle(res confchange.Result) {
	m.raft.Config, m.raft.Members = res.Config, res.Members
	for i := len(m.members) - 1; i >= 0; i-- {
		if id := m.members[i].ID; res.Members.Get(id) == nil {
			m.remove(id)
		}
	}
	for _, member := range res.Members {
		m.add(member.ID).Role = roleIn(&m.raft.Config, member.ID)
	}
}

func roleIn(c *tracker.Config, id uint64) Role {
	incoming, outgoing := c.Voters[0].Contains(id), c.Voters[1].Contains(id)
	switch {
	case c.LearnersNext.Contains(id):
		return RoleLearnerNext
	case c.Learners.Contains(id):
		return RoleLearner
	case incoming && c.Voters.IsJoint() && !outgoing:
		return RoleIncoming
	case !incoming:
		return RoleOutgoing
	}
	return RoleVoter
}

// find returns the member with that ID, or nil.
func (m *Members) find(id uint64) *listed {
	if i, ok := search(m.members, id); ok {
		return &m.members[i]
	}
	return nil
}

// add returns the member with that ID, which is added if need be.
func (m *Members) add(id uint64) *listed {
	i, ok := search(m.members, id)
	if !ok {
		m.members = slices.Insert(m.members, i, listed{Member: Member{ID: id}})
	}
	return &m.members[i]
}

// remove makes a member one that was removed.
func (m *Members) remove(id uint64) {
	gone := listed{Member: Member{ID: id}}
	if i, ok := search(m.members, id); ok {
		gone = m.members[i]
		m.members = slices.Delete(m.members, i, i+1)
	}
	if i, ok := search(m.removed, id); !ok && len(m.removed) < maxRemoved {
		m.removed = slices.Insert(m.removed, i, gone)
	}
}

func (m *Members) wasRemoved(id uint64) bool {
	_, ok := search(m.removed, id)
	return ok
}

func search(list []listed, id uint64) (int, bool) {
	return slices.BinarySearchFunc(list, id, func(e listed, id uint64) int { return cmp.Compare(e.ID, id) })
}
