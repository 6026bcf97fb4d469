package repairtest

import (
	"bytes"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// besideDamages are of what lies beside the log. They ignore at which place they are wanted.
var besideDamages = []damage{
	{"bit in the newest .snap", newestSnap(func(t *site, b []byte) []byte {
		b[t.rng.IntN(len(b))] ^= 1 << t.rng.IntN(8)
		return b
	})},
	{"newest .snap cut", newestSnap(func(t *site, b []byte) []byte { return b[:t.rng.IntN(len(b))] })},
	{"newest .snap of zeros", newestSnap(func(_ *site, b []byte) []byte { return make([]byte, len(b)) })},
	{"newest .snap missing", newestSnap(func(*site, []byte) []byte { return nil })},
	{".snap files missing", func(t *site) (lesion, bool) {
		if len(t.snaps) == 0 {
			return lesion{}, false
		}
		for name := range t.snaps {
			delete(t.others, snapDir+name)
		}
		return lesion{what: "all of them", wide: true, want: []wal.Class{wal.ClassSnapshotFile}}, true
	}},
	{".snap newer than the log", func(t *site) (lesion, bool) {
		id := raftpb.EntryID{Term: max(t.state.Term, 1), Index: t.member.last() + 1 + t.rng.Uint64N(50)}
		b, err := snapshot.Encode(&raftpb.Snapshot{Data: []byte(`{"Root":{}}`), Metadata: raftpb.SnapshotMetadata{
			ConfState: raftpb.ConfState{Voters: []uint64{firstVoter}}, Index: id.Index, Term: id.Term}}, raftpb.FlavorGogo)
		if err != nil {
			return lesion{}, false
		}
		t.others[snapDir+snapshot.FileName(id)] = b
		return lesion{what: snapshot.FileName(id), wide: true, claims: true}, true
	}},
	{"stale spare", func(t *site) (lesion, bool) {
		t.others[walDir+"1.tmp"] = append(bytes.Clone(t.seg.b[:t.seg.end()]), make([]byte, 4096)...)
		return lesion{what: "1.tmp", file: "1.tmp", want: []wal.Class{wal.ClassStaleSpare}}, true
	}},
}

// newestSnap changes the newest .snap file; nil removes it.
func newestSnap(do func(t *site, b []byte) []byte) func(t *site) (lesion, bool) {
	return func(t *site) (lesion, bool) {
		names := sortedKeys(t.snaps)
		if len(names) == 0 {
			return lesion{}, false
		}
		name := slices.Max(names)
		b := do(t, bytes.Clone(t.snaps[name]))
		if t.others[snapDir+name] = b; b == nil {
			delete(t.others, snapDir+name)
		}
		return lesion{what: name, wide: true}, true
	}
}
