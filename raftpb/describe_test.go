package raftpb

import (
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/raft/v3"
	ref "go.etcd.io/raft/v3/raftpb"
)

func TestDescribesAsReference(t *testing.T) {
	g := generator("describe")
	upper := func(data []byte) string { return fmt.Sprintf("%X", data) }
	for range 1000 {
		m := randomMessage(g, 2)
		makePlausible(&m)
		r := refMessage(&m, FlavorGogo)
		pairs := [][2]string{
			{DescribeMessage(m, nil), raft.DescribeMessage(r, nil)},
			{DescribeMessage(m, upper), raft.DescribeMessage(r, upper)},
			{DescribeEntries(m.Entries, nil), raft.DescribeEntries(r.Entries, nil)},
		}
		state := HardState{Term: m.Term, Vote: m.Vote, Commit: m.Commit}
		pairs = append(pairs, [2]string{
			DescribeHardState(state), raft.DescribeHardState(refHardState(&state, FlavorGogo))})
		snap := randomSnapshot(g)
		pairs = append(pairs, [2]string{
			DescribeSnapshot(*snap), raft.DescribeSnapshot(refSnapshot(snap))})
		v2 := kindOf("ConfChangeV2").random(g).(*ConfChangeV2)
		v1 := kindOf("ConfChange").random(g).(*ConfChange)
		pairs = append(pairs,
			[2]string{DescribeConfChange(v2), raft.DescribeConfChange(refConfChangeV2(v2, FlavorGogo))},
			[2]string{DescribeConfChange(v1), raft.DescribeConfChange(refConfChange(v1, FlavorGogo))})
		for _, p := range pairs {
			if p[0] != p[1] {
				t.Fatalf("got\n%s\nwant\n%s", p[0], p[1])
			}
		}
	}
}

// makePlausible gives the entries data that their types can have, and some of the members the IDs
// of storage threads.
func makePlausible(m *Message) {
	if m.To%3 == 0 {
		m.To, m.From = LocalAppendThread, LocalApplyThread
	}
	for i := range m.Entries {
		e := &m.Entries[i]
		c := ConfChange{Type: ConfChangeType(e.Term % 5), NodeID: e.Index}
		switch e.Type {
		case EntryConfChange:
			e.Data = c.Marshal(FlavorGogo)
		case EntryConfChangeV2:
			v2 := c.AsV2()
			v2.Changes = append(v2.Changes, v2.Changes...)
			e.Data = v2.Marshal(FlavorPbgo)
		}
	}
	for i := range m.Responses {
		makePlausible(&m.Responses[i])
	}
}

func TestDescribeMessage(t *testing.T) {
	entries := []Entry{
		{Term: 2, Index: 7, Data: []byte("a")},
		{Type: EntryConfChangeV2, Term: 2, Index: 8},
		{Term: 2, Index: 9},
	}
	m := Message{
		Type: MsgStorageAppend, To: LocalAppendThread, From: 0x1f, Term: 2, LogTerm: 1, Index: 6,
		Commit: 5, Vote: 31, Reject: true, RejectHint: 4, Entries: entries,
		Snapshot: &Snapshot{Metadata: SnapshotMetadata{
			ConfState: ConfState{Voters: []uint64{31}}, Index: 3, Term: 1}},
		Responses: []Message{{Type: MsgAppResp, To: 1, From: 0x1f, Entries: entries[:1]}},
	}
	want := strings.Join([]string{
		`1f->AppendThread MsgStorageAppend Term:2 Log:1/6 Rejected (Hint: 4) Commit:5 Vote:31 Entries:[`,
		`  2/7 EntryNormal "a"`,
		`  2/8 EntryConfChangeV2`,
		`  2/9 EntryNormal ""`,
		`]`,
		`  Snapshot: Index:3 Term:1 ConfState:Voters:[31] VotersOutgoing:[] Learners:[] ` +
			`LearnersNext:[] AutoLeave:false Responses:[`,
		`  1f->1 MsgAppResp Term:0 Log:0/0 Entries:[2/7 EntryNormal "a"]`,
		`]`,
	}, "\n")
	if got := DescribeMessage(m, nil); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDescribeEntryWithBadData(t *testing.T) {
	e := Entry{Type: EntryConfChange, Term: 1, Index: 2, Data: []byte{0x22, 5}}
	want := "1/2 EntryConfChange ConfChange.context: offset 0: " +
		"length 5, but 0 bytes remain: unexpected EOF"
	if got := DescribeEntry(e, nil); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNames(t *testing.T) {
	for i := int32(-1); i < 30; i++ {
		checkName(t, EntryType(i), ref.EntryType(i))
		checkName(t, MessageType(i), ref.MessageType(i))
		checkName(t, ConfChangeType(i), ref.ConfChangeType(i))
		checkName(t, ConfChangeTransition(i), ref.ConfChangeTransition(i))
	}
}

func checkName(t *testing.T, got, want fmt.Stringer) {
	t.Helper()
	if got.String() != want.String() {
		t.Errorf("%T %q, want %q", got, got, want)
	}
}

func TestMessageClasses(t *testing.T) {
	for i := range MessageType(30) {
		if got, want := IsLocalMsg(i), raft.IsLocalMsg(ref.MessageType(i)); got != want {
			t.Errorf("%v is local: %t, want %t", i, got, want)
		}
		if got, want := IsResponseMsg(i), raft.IsResponseMsg(ref.MessageType(i)); got != want {
			t.Errorf("%v is a response: %t, want %t", i, got, want)
		}
	}
	if IsLocalMsg(-1) || IsResponseMsg(-1) {
		t.Error("type -1 has a class")
	}
	for _, id := range []uint64{None, 1, LocalAppendThread, LocalApplyThread, LocalApplyThread - 1} {
		if got, want := IsLocalMsgTarget(id), raft.IsLocalMsgTarget(id); got != want {
			t.Errorf("%x is a local target: %t, want %t", id, got, want)
		}
	}
	if None != raft.None || LocalAppendThread != raft.LocalAppendThread ||
		LocalApplyThread != raft.LocalApplyThread {
		t.Error("the special IDs differ from the reference's")
	}
}

func TestConfStateEquivalent(t *testing.T) {
	base := ConfState{Voters: []uint64{3, 1, 2}, Learners: []uint64{9, 8}}
	tests := []struct {
		name        string
		left, right *ConfState
		err         string
	}{
		{"same", &base, &base, ""},
		{"order", &base, &ConfState{Voters: []uint64{1, 2, 3}, Learners: []uint64{8, 9}}, ""},
		{"nil and empty list", &ConfState{}, &ConfState{Voters: []uint64{}}, ""},
		{"voter", &ConfState{Voters: []uint64{2, 1}}, &ConfState{Voters: []uint64{1, 31}},
			"voters [1 2], other has [1 1f]"},
		{"twice", &ConfState{Voters: []uint64{1, 1}}, &ConfState{Voters: []uint64{1}},
			"voters [1 1], other has [1]"},
		{"several", &ConfState{Learners: []uint64{1}, AutoLeave: true},
			&ConfState{VotersOutgoing: []uint64{1}, LearnersNext: []uint64{2}},
			"learners [1], other has []\nvoters_outgoing [], other has [1]\n" +
				"learners_next [], other has [2]\nauto_leave true, other has false"},
		{"left nil", nil, &base, "compare conf states: left is nil: true, right is nil: false"},
		{"right nil", &base, nil, "compare conf states: left is nil: false, right is nil: true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			err := tt.left.Equivalent(tt.right)
			if err != nil {
				got = err.Error()
			}
			if got != tt.err {
				t.Errorf("error %q, want %q", got, tt.err)
			}
			if tt.left == nil || tt.right == nil {
				return
			}
			refErr := refConfState(tt.left).Equivalent(refConfState(tt.right))
			if (err == nil) != (refErr == nil) {
				t.Errorf("got %v, reference says %v", err, refErr)
			}
		})
	}
	if got := base.Voters[0]; got != 3 {
		t.Errorf("comparing sorted the caller's list: first voter %d, want 3", got)
	}
}
