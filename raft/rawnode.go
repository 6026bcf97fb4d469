package raft

import (
	"errors"

	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// RawNode is one member of a group. It does nothing by itself: the application calls it and does
// what Ready says. It is not safe for use by several goroutines.
//
// A method that returns an error of Storage has left undone what needed it. RawNode stays usable;
// Raft treats the rest of the step as a lost message.
type RawNode struct {
	core *core

	prevSoftState SoftState
	prevHardState raftpb.HardState

	// onAdvance are the messages of this member to itself that wait for Advance.
	onAdvance []raftpb.Message
	// spare is the array of the Messages before the last ones, to be used again.
	spare       []raftpb.Message
	smallReadys int // Readys in a row that needed little of a large array
}

// NewRawNode returns a member with the state that cfg.Storage holds. A new group is started by a
// Storage whose snapshot holds the membership at an index above 0, or by Bootstrap. The error is a
// *ConfigError if a field, or what Storage holds, can't be.
func NewRawNode(cfg *Config) (*RawNode, error) {
	c, err := newCore(*cfg)
	if err != nil {
		return nil, err
	}
	return &RawNode{core: c, prevSoftState: c.softState(), prevHardState: c.hardState()}, nil
}

// Tick advances the member's clock by one tick. The application says how long that is.
func (n *RawNode) Tick() error { return n.core.tick() }

// Campaign has the member try to become leader at once.
func (n *RawNode) Campaign() error {
	return n.core.step(&raftpb.Message{Type: raftpb.MsgHup})
}

// Propose proposes an entry with data, which must not be changed from now on. ErrProposalDropped if
// it is not taken or passed on; nil is no promise: the entry may still get lost with its leader. It
// is committed when it comes back in CommittedEntries.
func (n *RawNode) Propose(data []byte) error {
	if n.core.state == StateLeader {
		return n.core.proposeData(data)
	}
	return n.core.step(&raftpb.Message{
		Type:    raftpb.MsgProp,
		From:    n.core.id,
		Entries: []raftpb.Entry{{Data: data}},
	})
}

// ProposeConfChange proposes a membership change, see Propose. One that can't be made at present
// becomes an empty entry. It takes effect on each member when the application calls ApplyConfChange
// for the entry.
func (n *RawNode) ProposeConfChange(change raftpb.ConfChangeI) error {
	typ, data := raftpb.MarshalConfChange(change, raftpb.FlavorPbgo)
	return n.core.step(&raftpb.Message{
		Type:    raftpb.MsgProp,
		Entries: []raftpb.Entry{{Type: typ, Data: data}},
	})
}

// ApplyConfChange makes a committed membership change this member's, and returns the new
// membership, to be kept with the applied state. The application calls it for each such entry that
// it applies, unless it rejects the change, which all members must then do. On error the membership
// stays as it is; if Storage failed in sending what the change calls for, it is the new one, which
// is returned.
func (n *RawNode) ApplyConfChange(change raftpb.ConfChangeI) (raftpb.ConfState, error) {
	return n.core.applyConfChange(change.AsV2())
}

// Step handles a message from another member, or the reply of a storage thread. The message's
// slices and snapshot must not be changed from now on. Errors: ErrStepLocalMsg,
// ErrStepPeerNotFound, a *RefusedError, ErrProposalDropped for a proposal passed on to this member,
// or one of Storage.
func (n *RawNode) Step(m raftpb.Message) error {
	local := raftpb.IsLocalMsgTarget(m.From)
	if raftpb.IsLocalMsg(m.Type) && !local {
		return ErrStepLocalMsg
	}
	if raftpb.IsResponseMsg(m.Type) && !local && n.core.trk.Members.Get(m.From) == nil {
		return ErrStepPeerNotFound
	}
	if err := n.core.check(&m); err != nil {
		return err
	}
	return n.core.step(&m)
}

// Advance tells that the application has done what the last Ready said, as far as it need be done
// before the next: Storage has entries, hard state and snapshot, and the committed entries are
// applied, or will be before any of a later Ready. Not for use with Config.AsyncStorageWrites. The
// Ready given is not used.
func (n *RawNode) Advance(Ready) error {
	if n.core.cfg.AsyncStorageWrites {
		return ErrAsyncAdvance
	}
	var errs []error
	for i := range n.onAdvance {
		if err := n.core.step(&n.onAdvance[i]); err != nil {
			errs = append(errs, err)
		}
	}
	clear(n.onAdvance)
	n.onAdvance = n.onAdvance[:0]
	return errors.Join(errs...)
}

// ReportUnreachable tells that the last message to a member may not have arrived.
func (n *RawNode) ReportUnreachable(id uint64) error {
	return n.core.step(&raftpb.Message{Type: raftpb.MsgUnreachable, From: id})
}

// ReportSnapshot tells what became of a snapshot that was sent to a member. The member gets nothing
// more until this is reported, or it answers.
func (n *RawNode) ReportSnapshot(id uint64, status SnapshotStatus) error {
	return n.core.step(&raftpb.Message{
		Type:   raftpb.MsgSnapStatus,
		From:   id,
		Reject: status == SnapshotFailure,
	})
}

// TransferLeader has the leader try to hand over to another voter. A follower passes the request
// on.
func (n *RawNode) TransferLeader(to uint64) error {
	return n.core.step(&raftpb.Message{Type: raftpb.MsgTransferLeader, From: to})
}

// ForgetLeader has a follower forget its leader, without changing its term or campaigning, so that
// it may vote for another. With ReadOnlyLeaseBased nothing happens.
func (n *RawNode) ForgetLeader() error {
	return n.core.step(&raftpb.Message{Type: raftpb.MsgForgetLeader})
}

// ReadIndex asks for the index that must be applied before a read is linearizable. The answer, with
// the same context, comes in ReadStates. It may get lost: ask again then, with another context.
func (n *RawNode) ReadIndex(context []byte) error {
	return n.core.step(&raftpb.Message{
		Type:    raftpb.MsgReadIndex,
		Entries: []raftpb.Entry{{Data: context}},
	})
}

// ProgressType tells what a member is.
type ProgressType uint8

// What a member can be.
const (
	ProgressTypePeer    ProgressType = iota // a voter
	ProgressTypeLearner                     // a learner
)

// WithProgress calls visit with each member in ascending order and, without its Inflights, the
// progress. It allocates nothing.
func (n *RawNode) WithProgress(visit func(id uint64, typ ProgressType, p tracker.Progress)) {
	for i := range n.core.trk.Members {
		member := &n.core.trk.Members[i]
		typ := ProgressTypePeer
		if member.IsLearner {
			typ = ProgressTypeLearner
		}
		p := member.Progress
		p.Inflights = tracker.Inflights{}
		visit(member.ID, typ, p)
	}
}
