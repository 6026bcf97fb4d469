package raftpb

import (
	"fmt"
	"strconv"
	"strings"
)

// ConfChangeType tells what a change does to a member.
type ConfChangeType int32

// The change types of raft.proto.
const (
	ConfChangeAddNode        ConfChangeType = 0 // add a voter, or promote a learner
	ConfChangeRemoveNode     ConfChangeType = 1
	ConfChangeUpdateNode     ConfChangeType = 2 // no effect on Raft; the application reads Context
	ConfChangeAddLearnerNode ConfChangeType = 3 // add a learner, or demote a voter
)

// ConfChangeTransition tells how a ConfChangeV2 moves from one configuration to the next.
type ConfChangeTransition int32

// The transitions of raft.proto.
const (
	ConfChangeTransitionAuto          ConfChangeTransition = 0 // simple if possible, else joint
	ConfChangeTransitionJointImplicit ConfChangeTransition = 1 // joint, left automatically
	ConfChangeTransitionJointExplicit ConfChangeTransition = 2 // joint, left by the application
)

// ConfChange changes the membership by one member.
type ConfChange struct {
	ID      uint64 // the application's; etcd puts its request ID here
	Type    ConfChangeType
	NodeID  uint64
	Context []byte // the application's; etcd puts the member as JSON here
}

// ConfChangeSingle is one step of a ConfChangeV2.
type ConfChangeSingle struct {
	Type   ConfChangeType
	NodeID uint64
}

// ConfChangeV2 changes the membership by any number of members, through a joint configuration
// where that is needed. One without changes leaves the joint configuration.
type ConfChangeV2 struct {
	Transition ConfChangeTransition
	Changes    []ConfChangeSingle
	Context    []byte
}

// ConfChangeI is a ConfChange or a ConfChangeV2.
type ConfChangeI interface {
	// AsV1 returns the change as a ConfChange, and whether it is one.
	AsV1() (ConfChange, bool)
	// AsV2 returns the change as a ConfChangeV2, without the ID if it is a ConfChange.
	AsV2() ConfChangeV2
}

// AsV1 returns c and true.
func (c ConfChange) AsV1() (ConfChange, bool) { return c, true }

// AsV2 returns a ConfChangeV2 with the one step that c is. The ID is lost.
func (c ConfChange) AsV2() ConfChangeV2 {
	return ConfChangeV2{
		Changes: []ConfChangeSingle{{Type: c.Type, NodeID: c.NodeID}},
		Context: clone(c.Context),
	}
}

// AsV1 returns false: a ConfChangeV2 is never written as a ConfChange, even when it could be.
func (c ConfChangeV2) AsV1() (ConfChange, bool) { return ConfChange{}, false }

// AsV2 returns c.
func (c ConfChangeV2) AsV2() ConfChangeV2 { return c }

// EnterJoint reports whether the change goes through a joint configuration, and if so, whether that
// is left without a further proposal. It does when the transition asks for it, and when there is
// more than one step. A transition that raft.proto doesn't name counts as JointImplicit here, where
// the reference panics.
func (c ConfChangeV2) EnterJoint() (autoLeave, ok bool) {
	if c.Transition == ConfChangeTransitionAuto && len(c.Changes) <= 1 {
		return false, false
	}
	return c.Transition != ConfChangeTransitionJointExplicit, true
}

// LeaveJoint reports whether the change leaves a joint configuration: nothing but Context is set.
func (c ConfChangeV2) LeaveJoint() bool {
	return c.Transition == ConfChangeTransitionAuto && len(c.Changes) == 0
}

// MarshalConfChange returns the type and the data of the entry that proposes c. For nil that is an
// EntryConfChangeV2 without data, which leaves a joint configuration and, having no payload, is
// never refused for its size.
func MarshalConfChange(c ConfChangeI, f Flavor) (EntryType, []byte) {
	if c == nil {
		return EntryConfChangeV2, nil
	}
	if v1, ok := c.AsV1(); ok {
		return EntryConfChange, v1.Marshal(f)
	}
	v2 := c.AsV2()
	return EntryConfChangeV2, v2.Marshal(f)
}

// confChangeLetters are the letters by which ConfChangesFromString knows the types.
const confChangeLetters = "vrul"

// ConfChangesFromString parses steps such as "v1 l2 r3 u4": add voter 1, add learner 2, remove 3,
// update 4. The IDs are decimal. An empty string holds no steps.
func ConfChangesFromString(s string) ([]ConfChangeSingle, error) {
	var changes []ConfChangeSingle
	for token := range strings.FieldsSeq(s) {
		typ := strings.IndexByte(confChangeLetters, token[0])
		if typ < 0 {
			return nil, fmt.Errorf("conf change %q: letter %q, want one of %q",
				token, token[:1], confChangeLetters)
		}
		id, err := strconv.ParseUint(token[1:], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("conf change %q: %w", token, err)
		}
		changes = append(changes, ConfChangeSingle{Type: ConfChangeType(typ), NodeID: id})
	}
	return changes, nil
}

// ConfChangesToString is the inverse of ConfChangesFromString. A type that raft.proto doesn't name
// becomes "unknown".
func ConfChangesToString(changes []ConfChangeSingle) string {
	var b []byte
	for i, c := range changes {
		if i > 0 {
			b = append(b, ' ')
		}
		if c.Type >= 0 && int(c.Type) < len(confChangeLetters) {
			b = append(b, confChangeLetters[c.Type])
		} else {
			b = append(b, "unknown"...)
		}
		b = strconv.AppendUint(b, c.NodeID, 10)
	}
	return string(b)
}
