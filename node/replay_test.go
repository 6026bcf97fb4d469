package node

import (
	"fmt"
	"testing"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// A log that is read from a snapshot may have held other entries at its index and behind: those that a leader
// overwrote later, and those that the leader's snapshot replaced. What is committed is never overwritten.
func TestReplayFromSnapshot(t *testing.T) {
	at := raftpb.EntryID{Term: 8, Index: 32}
	entry := func(term, index uint64) wal.Record {
		e := raftpb.Entry{Term: term, Index: index}
		return wal.Record{Kind: wal.KindEntry, Data: e.Marshal(raftpb.FlavorGogo)}
	}
	state := func(commit uint64) wal.Record {
		s := raftpb.HardState{Term: 9, Commit: commit}
		return wal.Record{Kind: wal.KindState, Data: s.Marshal(raftpb.FlavorGogo)}
	}
	s := wal.Snapshot{Term: at.Term, Index: at.Index, ConfState: &raftpb.ConfState{Voters: []uint64{1}}}
	snapshot := wal.Record{Kind: wal.KindSnapshot, Data: s.AppendTo(nil, raftpb.FlavorGogo)}
	for name, c := range map[string]struct {
		log  []wal.Record
		want string // what follows the snapshot, or the error
	}{
		"of its own":              {[]wal.Record{entry(8, 32), entry(8, 33), state(32), snapshot, entry(9, 34)}, "8/33 9/34"},
		"overwritten":             {[]wal.Record{entry(7, 32), entry(7, 33), entry(8, 32), state(32), snapshot, entry(8, 33)}, "8/33"},
		"overwritten further":     {[]wal.Record{entry(7, 31), entry(7, 32), entry(7, 33), entry(8, 31), entry(8, 32), entry(8, 33), state(32), snapshot}, "8/33"},
		"replaced":                {[]wal.Record{entry(7, 32), entry(7, 33), entry(7, 34), snapshot, state(32)}, ""},
		"replaced by later terms": {[]wal.Record{entry(7, 32), entry(9, 33), snapshot, state(32)}, ""},
		"replaced, and on":        {[]wal.Record{entry(7, 32), entry(7, 33), entry(7, 34), snapshot, state(32), entry(9, 33)}, "9/33"},
		"not seen":                {[]wal.Record{entry(7, 33), entry(7, 34), snapshot, state(32)}, ""},
		"overwritten when sure": {[]wal.Record{entry(8, 32), state(32), snapshot, entry(7, 32)},
			"entry 32 has term 7, where one of term 8 is committed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &replay{store: new(kv.Store), at: at, keep: 10}
			got := ""
			for i := range c.log {
				if err := r.record(&c.log[i]); err != nil {
					got = err.(*wal.CorruptError).Err.Error()
				}
			}
			for i, e := range r.open {
				if got += fmt.Sprintf("%d/%d", e.Term, e.Index); i < len(r.open)-1 {
					got += " "
				}
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
