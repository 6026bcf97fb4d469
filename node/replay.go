package node

import (
	"fmt"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// replay applies a log while it is read, in bounded memory: what a hard state commits can't be overwritten
// any more and is applied at once, and of it only the last entries are kept, for other members. Held
// besides is what isn't known to be committed yet.
type replay struct {
	store *kv.Store
	at    raftpb.EntryID // the snapshot that the log is read from
	keep  uint64         // committed entries to keep

	base raftpb.EntryID // the entry before those kept
	kept []raftpb.Entry // committed
	size int            // bytes of data in kept
	open []raftpb.Entry // what follows

	sure  bool // a hard state has told that the entry of at is committed: before, others may come in its place
	stale bool // what was read last at the index of at, or behind it, is of a log that hasn't got that entry
}

// record takes in a record of the log; see wal.AppendOptions.
func (r *replay) record(rec *wal.Record) error {
	switch rec.Kind {
	case wal.KindEntry:
		var e raftpb.Entry
		if err := e.Unmarshal(rec.Data); err != nil {
			return &wal.CorruptError{File: rec.Pos.Segment, Off: rec.Pos.Off, Err: err}
		}
		if err := r.entry(e); err != nil {
			return &wal.CorruptError{File: rec.Pos.Segment, Off: rec.Pos.Off, Err: err}
		}
	case wal.KindState:
		var s raftpb.HardState
		if err := s.Unmarshal(rec.Data); err != nil {
			return &wal.CorruptError{File: rec.Pos.Segment, Off: rec.Pos.Off, Err: err}
		}
		r.sure = r.sure || s.Commit >= r.at.Index
		return r.commit(s.Commit)
	case wal.KindSnapshot:
		var s wal.Snapshot
		if err := s.Unmarshal(rec.Data); err != nil {
			return &wal.CorruptError{File: rec.Pos.Segment, Off: rec.Pos.Off, Err: err}
		}
		r.snapshot(raftpb.EntryID{Term: s.Term, Index: s.Index})
	default: // nothing that follows from them
	}
	return nil
}

// entry takes in an entry, which drops all that are not committed at and behind its index.
func (r *replay) entry(e raftpb.Entry) error {
	last := r.last()
	switch {
	case e.Index > last.Index+1:
		return fmt.Errorf("entry %d follows entry %d", e.Index, last.Index)
	case e.Index <= r.applied().Index:
		r.open = nil
		r.stale = e.Index == r.at.Index && e.Term != r.at.Term
		if known, ok := r.term(e.Index); ok && known != e.Term {
			return fmt.Errorf("entry %d has term %d, where one of term %d is committed", e.Index, e.Term, known)
		}
		return nil
	}
	r.stale = r.stale || e.Term < r.at.Term // no log has a lower term behind a higher one
	n := e.Index - r.applied().Index - 1
	clear(r.open[n:])
	r.open = append(r.open[:n], e)
	return nil
}

// snapshot takes in the record of a snapshot. If the leader sent the one that the log is read from, it took the place
// of a log that had other entries at its index: what followed these is gone.
func (r *replay) snapshot(id raftpb.EntryID) {
	if id == r.at && r.stale {
		r.open, r.stale = nil, false
	}
}

// applied returns the last entry that was handed to the store, or that it had.
func (r *replay) applied() raftpb.EntryID {
	switch {
	case len(r.kept) > 0:
		return r.kept[len(r.kept)-1].ID()
	case r.base.Index > 0:
		return r.base
	}
	return r.at
}

func (r *replay) last() raftpb.EntryID {
	if len(r.open) > 0 {
		return r.open[len(r.open)-1].ID()
	}
	return r.applied()
}

// term returns the term of a committed entry, if it is still known.
func (r *replay) term(index uint64) (uint64, bool) {
	switch index {
	case r.base.Index:
		return r.base.Term, true
	case r.at.Index:
		return r.at.Term, r.sure
	}
	if len(r.kept) == 0 || index < r.kept[0].Index {
		return 0, false
	}
	return r.kept[index-r.kept[0].Index].Term, true
}

// commit applies the entries up to an index.
func (r *replay) commit(index uint64) error {
	first := r.applied().Index + 1
	if index < first {
		return nil
	}
	n := min(index-first+1, uint64(len(r.open)))
	if n == 0 {
		return nil
	}
	if _, err := r.store.Apply(r.open[:n]); err != nil {
		return err
	}
	for i := range r.open[:n] {
		r.size += len(r.open[i].Data)
	}
	r.kept = append(r.kept, r.open[:n]...)
	r.open = append([]raftpb.Entry(nil), r.open[n:]...)
	r.forget()
	return nil
}

// forget drops the oldest entries that needn't be kept.
func (r *replay) forget() {
	n := 0
	for n < len(r.kept)-1 && (uint64(len(r.kept)-n) > r.keep || r.size > maxKeptBytes) {
		r.base = r.kept[n].ID()
		r.size -= len(r.kept[n].Data)
		r.kept[n] = raftpb.Entry{} // what it holds can be collected
		n++
	}
	r.kept = r.kept[n:]
}

// finish returns the log in memory, when the whole log was read. What the database has is committed too.
func (r *replay) finish(state raftpb.HardState) (*memory, error) {
	if err := r.commit(max(state.Commit, r.store.Applied().Index)); err != nil {
		return nil, err
	}
	applied, last := r.store.Applied(), r.last()
	switch {
	case applied.Index > last.Index:
		return nil, fmt.Errorf("the database has applied entry %d, and the log ends at %d", applied.Index, last.Index)
	case state.Commit > last.Index:
		return nil, fmt.Errorf("the hard state has entry %d committed, and the log ends at %d", state.Commit, last.Index)
	}
	base := r.base
	if base.Index == 0 {
		base = r.at
	}
	m, err := newMemory(base, r.applied(), r.store.ConfState())
	if err != nil {
		return nil, err
	}
	if len(r.kept) > 0 {
		m.kept.add(r.kept)
	}
	return m, m.Append(append(r.kept, r.open...))
}
