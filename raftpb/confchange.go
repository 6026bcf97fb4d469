package raftpb

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
	ConfChangeTransitionAuto          ConfChangeTransition = 0 // simple if possible, else joint with automatic leave
	ConfChangeTransitionJointImplicit ConfChangeTransition = 1 // joint, left automatically
	ConfChangeTransitionJointExplicit ConfChangeTransition = 2 // joint, left by a proposal of the application
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
