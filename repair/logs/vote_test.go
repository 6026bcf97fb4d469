package logs_test

import (
	"maps"
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

// disk is the log of one of three members: its entries are of term 2, up to last, and the member has come to a term.
type disk struct{ id, last, term uint64 }

// TestMajority asks what is committed in the logs of a cluster of three, all of which committed up to entry 3
// as far as they say.
func TestMajority(t *testing.T) {
	add, learner := raftpb.ConfChangeAddNode, raftpb.ConfChangeAddLearnerNode
	for name, tc := range map[string]struct {
		disks   []disk
		changes map[uint64][]byte // besides those that make three
		want    uint64
	}{
		"one":                       {[]disk{{1, 9, 2}}, nil, 3},
		"one twice":                 {[]disk{{1, 9, 2}, {1, 8, 2}}, nil, 3},
		"two":                       {[]disk{{1, 9, 2}, {3, 6, 2}}, nil, 6},
		"all":                       {[]disk{{1, 9, 2}, {2, 7, 2}, {3, 5, 2}}, nil, 7},
		"one came to a later term":  {[]disk{{1, 9, 2}, {2, 7, 3}, {3, 5, 2}}, nil, 5},
		"two came to a later term":  {[]disk{{1, 9, 2}, {2, 7, 3}, {3, 5, 3}}, nil, 3},
		"somebody else's":           {[]disk{{1, 9, 2}, {4, 7, 2}}, nil, 3},
		"a fourth comes":            {[]disk{{1, 9, 2}, {2, 9, 2}}, map[uint64][]byte{6: change(t, add, 4)}, 6},
		"a learner comes":           {[]disk{{1, 9, 2}, {4, 9, 2}}, map[uint64][]byte{4: change(t, learner, 4)}, 3},
		"a learner is no hindrance": {[]disk{{1, 9, 2}, {2, 9, 2}}, map[uint64][]byte{4: change(t, learner, 4)}, 9},
	} {
		t.Run(name, func(t *testing.T) {
			changes := map[uint64][]byte{1: change(t, add, 1), 2: change(t, add, 2), 3: change(t, add, 3)}
			maps.Copy(changes, tc.changes)
			var sources []*logs.Source
			for i, d := range tc.disks {
				sources = append(sources, d.open(t, filepath.Join(t.TempDir(), string(rune('a'+i))), changes))
			}
			joined, err := logs.Join(sources, logs.JoinOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got := joined.Commit()
			if got.Index != tc.want || (got.By == logs.ByMajority) != (tc.want > 3) {
				t.Errorf("committed up to %v, want %d", got, tc.want)
			}
		})
	}
}

func (d disk) open(t *testing.T, dir string, changes map[uint64][]byte) *logs.Source {
	t.Helper()
	w, err := wal.Create(nil, dir, wal.CreateOptions{Metadata: wal.Metadata{NodeID: d.id, ClusterID: 7}})
	if err != nil {
		t.Fatal(err)
	}
	var entries []raftpb.Entry
	for i := range d.last {
		e := raftpb.Entry{Term: 2, Index: i + 1}
		if data, ok := changes[e.Index]; ok {
			e.Type, e.Data = raftpb.EntryConfChange, data
		}
		entries = append(entries, e)
	}
	if err := w.Append(raftpb.HardState{Term: d.term, Vote: 1, Commit: 3}, entries); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := logs.Open(t.Context(), dir, logs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
