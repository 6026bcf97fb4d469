package raftpb_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

// TestCloneSharesNothing writes over the bytes that a message was decoded from without a copy.
func TestCloneSharesNothing(t *testing.T) {
	want := raftpb.Message{
		Type: raftpb.MsgSnap, From: 1, To: 2, Term: 3, Context: []byte("context"),
		Entries: []raftpb.Entry{{Term: 3, Index: 4, Data: []byte("data")}, {Term: 3, Index: 5}},
		Snapshot: &raftpb.Snapshot{Data: []byte("state"), Metadata: raftpb.SnapshotMetadata{
			Index: 3, Term: 2, ConfState: raftpb.ConfState{Voters: []uint64{1, 2}, Learners: []uint64{3}},
		}},
		Responses: []raftpb.Message{{Type: raftpb.MsgAppResp, Context: []byte("answer")}},
	}
	b := want.Marshal(raftpb.FlavorGogo)
	var m, kept raftpb.Message
	if err := m.UnmarshalAlias(b); err != nil {
		t.Fatal(err)
	}
	if err := kept.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	got := m.Clone()
	clear(b)
	m.Snapshot.Metadata.ConfState.Voters[0] = 9
	m.Entries[0].Index = 9
	m.Responses[0].Type = raftpb.MsgHup
	if diff := cmp.Diff(&kept, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
