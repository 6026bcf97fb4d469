package logs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/wal"
)

// member adds, promotes or removes a member.
func change(t *testing.T, typ raftpb.ConfChangeType, id uint64) []byte {
	t.Helper()
	cc := raftpb.ConfChange{Type: typ, NodeID: id,
		Context: []byte(strings.ReplaceAll(`{"id":ID,"peerURLs":["http://mID:1"]}`, "ID", string(rune('0'+id))))}
	return cc.Marshal(raftpb.FlavorGogo)
}

// TestOnlyVoter asks what is committed in the log of a member that voted alone, and committed up to entry 3.
func TestOnlyVoter(t *testing.T) {
	const self = 1
	add := raftpb.ConfChangeAddNode
	for name, tc := range map[string]struct {
		changes map[uint64][]byte // entries that change the membership, besides the first
		want    uint64
	}{
		"alone":                        {nil, 9},
		"of two":                       {map[uint64][]byte{2: change(t, add, 2)}, 3},
		"a second one comes":           {map[uint64][]byte{6: change(t, add, 2)}, 6},
		"a learner comes":              {map[uint64][]byte{6: change(t, raftpb.ConfChangeAddLearnerNode, 2)}, 9},
		"had been two, committed":      {map[uint64][]byte{2: change(t, add, 2), 3: change(t, raftpb.ConfChangeRemoveNode, 2)}, 9},
		"had been two, not committed":  {map[uint64][]byte{2: change(t, add, 2), 4: change(t, raftpb.ConfChangeRemoveNode, 2)}, 3},
		"what can't be read may count": {map[uint64][]byte{6: {0xff}}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "wal")
			w, err := wal.Create(nil, dir, wal.CreateOptions{Metadata: wal.Metadata{NodeID: self, ClusterID: 7}})
			if err != nil {
				t.Fatal(err)
			}
			var entries []raftpb.Entry
			for i := range uint64(9) {
				e := raftpb.Entry{Term: 2, Index: i + 1}
				if data, ok := tc.changes[e.Index]; ok {
					e.Type, e.Data = raftpb.EntryConfChange, data
				}
				if e.Index == 1 {
					e.Type, e.Data = raftpb.EntryConfChange, change(t, add, self)
				}
				entries = append(entries, e)
			}
			if err := w.Append(raftpb.HardState{Term: 2, Vote: self, Commit: 3}, entries); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			s, err := logs.Open(t.Context(), dir, logs.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			joined, err := logs.Join([]*logs.Source{s}, logs.JoinOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := joined.Commit(); got.Index != tc.want {
				t.Errorf("committed up to %v, want %d", got, tc.want)
			}
		})
	}
}
