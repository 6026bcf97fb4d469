package repairtest

import (
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// member is a healthy member: its files, and what they say.
type member struct {
	name    string // in messages
	release string // of the etcd that starts on it
	segs    []*segment
	snaps   map[string][]byte // the .snap files by name
	db      []byte            // nil: none
	applied uint64            // by the database

	entries []*entry // the live ones, in order; one index after the other, but behind snapshots from the leader
	base    raftpb.EntryID
	state   raftpb.HardState
	marks   []mark
}

// entry is a live entry, and the frame that holds it.
type entry struct {
	raftpb.EntryID
	Type  raftpb.EntryType
	data  string // the payload
	seg   int
	frame *frame
}

// mark is a snapshot record.
type mark struct {
	raftpb.EntryID
	fromLeader bool
	seg        int
	frame      *frame
}

// understand reads the segments from the first record to the last, as Raft's rules have it.
func (m *member) understand() {
	for i, s := range m.segs {
		for _, f := range s.frames {
			switch f.kind {
			case wal.KindState:
				if err := m.state.Unmarshal(f.data); err != nil {
					panic(fmt.Sprintf("the laboratory's own log: %v", err))
				}
			case wal.KindSnapshot:
				m.snapshot(mark{EntryID: f.id, seg: i, frame: f})
			case wal.KindEntry:
				m.overwrite(&entry{EntryID: f.id, Type: f.entry.Type, data: string(f.entry.Data), seg: i, frame: f})
			}
		}
	}
	if m.base == (raftpb.EntryID{}) && len(m.entries) > 0 {
		m.base.Index = m.entries[0].Index - 1
	}
}

// overwrite adds an entry, in the place of all from its index on.
func (m *member) overwrite(e *entry) {
	for n := len(m.entries); n > 0 && m.entries[n-1].Index >= e.Index; n = len(m.entries) {
		m.entries = m.entries[:n-1]
	}
	m.entries = append(m.entries, e)
}

// snapshot takes in a snapshot record. One that isn't of an entry that is there comes from the leader, and
// replaces those that weren't known to be committed. What its own leader made lies below it in its log, too.
func (m *member) snapshot(k mark) {
	e := m.at(k.Index)
	purged := len(m.entries) == 0 && m.segs[0].name.Seq > 0
	if below := len(m.entries) > 0 && k.Index < m.entries[0].Index; k.Index > 0 && !purged && !below {
		k.fromLeader = e == nil || e.Term != k.Term
	}
	if k.fromLeader {
		m.base = k.EntryID
		same := len(m.entries) > 0 && m.entries[len(m.entries)-1].Term == k.Term
		m.entries = slices.DeleteFunc(m.entries, func(e *entry) bool {
			return e.Index >= k.Index || e.Index > m.state.Commit && !same
		})
	}
	m.marks = append(m.marks, k)
}

// at returns the live entry at an index, nil if there is none.
func (m *member) at(index uint64) *entry {
	i, ok := slices.BinarySearchFunc(m.entries, index, func(e *entry, index uint64) int {
		return int(e.Index) - int(index)
	})
	if !ok {
		return nil
	}
	return m.entries[i]
}

// last returns the index of the last entry, or of the snapshot that took its place.
func (m *member) last() uint64 {
	if n := len(m.entries); n > 0 {
		return max(m.entries[n-1].Index, m.base.Index)
	}
	return m.base.Index
}

// files returns the member's data directory. The bytes are shared.
func (m *member) files() map[string][]byte {
	files := map[string][]byte{}
	for _, s := range m.segs {
		files[walDir+s.name.String()] = s.b
	}
	m.beside(files)
	return files
}

// beside adds what lies beside the log.
func (m *member) beside(files map[string][]byte) {
	for name, b := range m.snaps {
		files[snapDir+name] = b
	}
	if m.db != nil {
		files[snapDir+"db"] = m.db
	}
}

const (
	walDir  = "member/wal/"
	snapDir = "member/snap/"
)
