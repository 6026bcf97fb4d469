package wal

import (
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// The entry by which a group leaves a joint configuration may have no data. It looks like a hard
// state then, and is an entry all the same.
func TestEntryWithoutData(t *testing.T) {
	for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		b := newLogBuilder(flavor)
		for _, e := range []raftpb.Entry{
			{Term: 2, Index: 1},
			{Term: 2, Index: 2, Data: []byte("data")},
			{Term: 2, Index: 3, Type: raftpb.EntryConfChangeV2},
			{Term: 2, Index: 4, Data: []byte("data")},
		} {
			b.add(KindEntry, e.Marshal(flavor))
			state := raftpb.HardState{Term: 2, Vote: 1, Commit: e.Index}
			b.add(KindState, state.Marshal(flavor))
		}
		r := verifyMap(t, b.files(1024), VerifyOptions{})
		if r.Verdict != VerdictOK || r.Last.Index != 4 {
			t.Errorf("%v: verdict %s, last entry %v:\n%s", flavor, r.Verdict, r.Last, findingLines(r))
		}
	}
}
