package lockstep

import (
	"bytes"
	"slices"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
	refraft "go.etcd.io/raft/v3"
	refpb "go.etcd.io/raft/v3/raftpb"
	reftracker "go.etcd.io/raft/v3/tracker"
)

// The functions below allocate nothing while both sides agree. Nil and empty data differ: they are
// encoded differently.

func sameBytes(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

func sameEntry(a *raftpb.Entry, b *refpb.Entry) bool {
	return int32(a.Type) == int32(b.GetType()) && a.Term == b.GetTerm() &&
		a.Index == b.GetIndex() && sameBytes(a.Data, b.GetData())
}

func sameEntries(a []raftpb.Entry, b []*refpb.Entry) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameEntry(&a[i], b[i]) {
			return false
		}
	}
	return true
}

func sameConfState(a *raftpb.ConfState, b *refpb.ConfState) bool {
	return slices.Equal(a.Voters, b.GetVoters()) && slices.Equal(a.Learners, b.GetLearners()) &&
		slices.Equal(a.VotersOutgoing, b.GetVotersOutgoing()) &&
		slices.Equal(a.LearnersNext, b.GetLearnersNext()) && a.AutoLeave == b.GetAutoLeave()
}

// sameSnapshot takes none for an empty one: the reference has both.
func sameSnapshot(a *raftpb.Snapshot, b *refpb.Snapshot) bool {
	if a.IsEmpty() || refraft.IsEmptySnap(b) {
		return a.IsEmpty() && refraft.IsEmptySnap(b)
	}
	m := b.GetMetadata()
	return a.Metadata.Index == m.GetIndex() && a.Metadata.Term == m.GetTerm() &&
		sameConfState(&a.Metadata.ConfState, m.GetConfState()) && sameBytes(a.Data, b.GetData())
}

func sameMessage(a *raftpb.Message, b *refpb.Message) bool {
	return int32(a.Type) == int32(b.GetType()) && a.To == b.GetTo() && a.From == b.GetFrom() &&
		a.Term == b.GetTerm() && a.LogTerm == b.GetLogTerm() && a.Index == b.GetIndex() &&
		a.Commit == b.GetCommit() && a.Vote == b.GetVote() && a.Reject == b.GetReject() &&
		a.RejectHint == b.GetRejectHint() && sameBytes(a.Context, b.GetContext()) &&
		sameEntries(a.Entries, b.GetEntries()) && sameSnapshot(a.Snapshot, b.GetSnapshot()) &&
		sameMessages(a.Responses, b.GetResponses())
}

func sameMessages(a []raftpb.Message, b []*refpb.Message) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameMessage(&a[i], b[i]) {
			return false
		}
	}
	return true
}

func sameHardState(a raftpb.HardState, b *refpb.HardState) bool {
	return a.Term == b.GetTerm() && a.Vote == b.GetVote() && a.Commit == b.GetCommit()
}

func sameSoftState(a *raft.SoftState, b *refraft.SoftState) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Lead == b.Lead && uint64(a.RaftState) == uint64(b.RaftState)
}

func sameReadStates(a []raft.ReadState, b []refraft.ReadState) bool {
	return slices.EqualFunc(a, b, func(x raft.ReadState, y refraft.ReadState) bool {
		return x.Index == y.Index && sameBytes(x.RequestCtx, y.RequestCtx)
	})
}

// differentReady names what differs in two Readys, "" for nothing.
func differentReady(a *raft.Ready, b *refraft.Ready) string {
	switch {
	case !sameSoftState(a.SoftState, b.SoftState):
		return "soft state"
	case !sameHardState(a.HardState, b.HardState):
		return "hard state"
	case !sameReadStates(a.ReadStates, b.ReadStates):
		return "read states"
	case !sameEntries(a.Entries, b.Entries):
		return "entries"
	case !sameSnapshot(a.Snapshot, b.Snapshot):
		return "snapshot"
	case !sameEntries(a.CommittedEntries, b.CommittedEntries):
		return "committed entries"
	case !sameMessages(a.Messages, b.Messages):
		return "messages"
	case a.MustSync != b.MustSync:
		return "must sync"
	}
	return ""
}

func sameStatus(a *raft.BasicStatus, b *refraft.BasicStatus) bool {
	return a.ID == b.ID && sameHardState(a.HardState, b.HardState) &&
		sameSoftState(&a.SoftState, &b.SoftState) && a.Applied == b.Applied &&
		a.LeadTransferee == b.LeadTransferee
}

// sameProgress compares all but the window.
func sameProgress(a *tracker.Progress, b *reftracker.Progress) bool {
	return a.Match == b.Match && a.Next == b.Next && uint64(a.State) == uint64(b.State) &&
		a.PendingSnapshot == b.PendingSnapshot && a.RecentActive == b.RecentActive &&
		a.MsgAppFlowPaused == b.MsgAppFlowPaused && a.IsLearner == b.IsLearner
}

func sameWindow(a *tracker.Inflights, b *reftracker.Inflights) bool {
	return a.Count() == b.Count() && a.Full() == b.Full()
}

// sameIDs compares an ascending list with a set.
func sameIDs(list []uint64, set map[uint64]struct{}) bool {
	if len(list) != len(set) {
		return false
	}
	for _, id := range list {
		if _, ok := set[id]; !ok {
			return false
		}
	}
	return true
}

func sameConfig(a *tracker.Config, b *reftracker.Config) bool {
	return sameIDs(a.Voters[0], b.Voters[0]) && sameIDs(a.Voters[1], b.Voters[1]) &&
		sameIDs(a.Learners, b.Learners) && sameIDs(a.LearnersNext, b.LearnersNext)
}

// showMessage formats a message of ours as the reference formats its own.
func showMessage(m *raftpb.Message) string { return raftpb.DescribeMessage(*m, nil) }
