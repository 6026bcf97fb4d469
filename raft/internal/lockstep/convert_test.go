package lockstep

import (
	"slices"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
	refraft "go.etcd.io/raft/v3"
	refpb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// What is made here for the reference leaves zeros out, as what it makes itself mostly does: it
// counts an explicit zero into the size of an entry, which our value types can't tell from none.

// nonZero returns a pointer to v, nil for zero.
func nonZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func refConfState(cs *raftpb.ConfState) *refpb.ConfState {
	return &refpb.ConfState{
		Voters:         slices.Clone(cs.Voters),
		Learners:       slices.Clone(cs.Learners),
		VotersOutgoing: slices.Clone(cs.VotersOutgoing),
		LearnersNext:   slices.Clone(cs.LearnersNext),
		AutoLeave:      nonZero(cs.AutoLeave),
	}
}

func refHardState(hs raftpb.HardState) *refpb.HardState {
	return &refpb.HardState{
		Term: nonZero(hs.Term), Vote: nonZero(hs.Vote), Commit: nonZero(hs.Commit),
	}
}

func refSnapshot(s *raftpb.Snapshot) *refpb.Snapshot {
	if s == nil {
		return nil
	}
	m := &s.Metadata
	return &refpb.Snapshot{
		Data: s.Data,
		Metadata: &refpb.SnapshotMetadata{
			ConfState: refConfState(&m.ConfState), Index: nonZero(m.Index), Term: nonZero(m.Term),
		},
	}
}

func refEntries(entries []raftpb.Entry) []*refpb.Entry {
	list := make([]*refpb.Entry, len(entries))
	for i := range entries {
		e := &entries[i]
		list[i] = &refpb.Entry{
			Type: nonZero(refpb.EntryType(e.Type)), Term: nonZero(e.Term), Index: nonZero(e.Index),
			Data: e.Data,
		}
	}
	return list
}

func refMessage(m *raftpb.Message) *refpb.Message {
	return &refpb.Message{
		Type: refpb.MessageType(m.Type).Enum(), To: nonZero(m.To), From: nonZero(m.From),
		Term: nonZero(m.Term), LogTerm: nonZero(m.LogTerm), Index: nonZero(m.Index),
		Entries: refEntries(m.Entries),
		Commit:  nonZero(m.Commit), Vote: nonZero(m.Vote), Snapshot: refSnapshot(m.Snapshot),
		Reject: nonZero(m.Reject), RejectHint: nonZero(m.RejectHint), Context: m.Context,
	}
}

// copyRef returns a copy of a message to step. The reference changes what it is given: the receiver
// of what it passes on, and entries that it refuses.
func copyRef(m *refpb.Message) *refpb.Message {
	return &refpb.Message{
		Type: m.Type, To: m.To, From: m.From, Term: m.Term, LogTerm: m.LogTerm, Index: m.Index,
		Entries: slices.Clone(m.Entries), Commit: m.Commit, Vote: m.Vote, Snapshot: m.Snapshot,
		Reject: m.Reject, RejectHint: m.RejectHint, Context: m.Context, Responses: m.Responses,
	}
}

// refConfChange returns the same change for the reference, with the same encoding.
func refConfChange(change raftpb.ConfChangeI) (refpb.ConfChangeI, error) {
	if v1, ok := change.AsV1(); ok {
		var cc refpb.ConfChange
		return &cc, proto.Unmarshal(v1.Marshal(raftpb.FlavorPbgo), &cc)
	}
	v2 := change.AsV2()
	var cc refpb.ConfChangeV2
	return &cc, proto.Unmarshal(v2.Marshal(raftpb.FlavorPbgo), &cc)
}

// quiet is a logger for the reference that logs nothing.
type quiet struct{}

func (quiet) Debug(...any)            {}
func (quiet) Debugf(string, ...any)   {}
func (quiet) Info(...any)             {}
func (quiet) Infof(string, ...any)    {}
func (quiet) Warning(...any)          {}
func (quiet) Warningf(string, ...any) {}
func (quiet) Error(...any)            {}
func (quiet) Errorf(string, ...any)   {}
func (quiet) Fatal(v ...any)          { panic(refPanic{"", v}) }
func (quiet) Fatalf(f string, v ...any) {
	panic(refPanic{f, v})
}
func (quiet) Panic(v ...any)            { panic(refPanic{"", v}) }
func (quiet) Panicf(f string, v ...any) { panic(refPanic{f, v}) }

// refConfig returns the same configuration for the reference.
func refConfig(c *raft.Config, storage refraft.Storage) *refraft.Config {
	return &refraft.Config{
		ID:                          c.ID,
		ElectionTick:                c.ElectionTick,
		HeartbeatTick:               c.HeartbeatTick,
		Storage:                     storage,
		Applied:                     c.Applied,
		AsyncStorageWrites:          c.AsyncStorageWrites,
		MaxSizePerMsg:               c.MaxSizePerMsg,
		MaxCommittedSizePerReady:    c.MaxCommittedSizePerReady,
		MaxUncommittedEntriesSize:   c.MaxUncommittedEntriesSize,
		MaxInflightMsgs:             c.MaxInflightMsgs,
		MaxInflightBytes:            c.MaxInflightBytes,
		CheckQuorum:                 c.CheckQuorum,
		PreVote:                     c.PreVote,
		ReadOnlyOption:              refraft.ReadOnlyOption(c.ReadOnlyOption),
		DisableProposalForwarding:   c.DisableProposalForwarding,
		DisableConfChangeValidation: c.DisableConfChangeValidation,
		StepDownOnRemoval:           c.StepDownOnRemoval,
		Logger:                      quiet{},
	}
}
