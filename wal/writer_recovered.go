package wal

import (
	"cmp"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// Recovered is what a log holds when it is opened for appending: what a member starts from. Entries
// that later ones overwrote, or that a snapshot from the leader replaced, are not in it.
type Recovered struct {
	Metadata    Metadata // zero if it is not etcd's
	RawMetadata []byte

	// Snapshot is the record of the snapshot at AppendOptions.At; zero if the log was opened from its
	// beginning.
	Snapshot Snapshot

	State raftpb.HardState // the last one

	// Entries are those behind the snapshot, each with the next index; committed or not, which State
	// tells. They are held in memory, so that a member that takes snapshots often starts with little.
	Entries []raftpb.Entry

	Torn TornEnd // what was cut off at the end
}

// TornEnd is an incomplete last write that was cut off: where, and how many bytes up to the last one
// that was not zero, rounded up to a multiple of 8. Len is 0 if the log ended well.
type TornEnd struct {
	At  Position
	Len int64
}

// recovered returns what the log holds. The error is a *ReplayError that is ErrGap if entries are
// missing.
func (r *replay) recovered() (*Recovered, error) {
	out := &Recovered{
		RawMetadata: slices.Clone(r.enc.metadata), Snapshot: r.snapshot, State: r.enc.state,
	}
	if m := (Metadata{}); m.Unmarshal(out.RawMetadata) == nil {
		out.Metadata = m
	}
	if r.opts.NoEntries {
		return out, nil
	}
	v, err := r.part.view()
	if err != nil {
		return nil, err
	}
	out.Entries, err = r.live.entries(v)
	return out, err
}

// liveEntries gathers the entries behind an index while the log is read.
type liveEntries struct {
	after uint64
	kept  []keptEntry // in ascending order of index
}

type keptEntry struct {
	raftpb.Entry
	pos Position
}

// add takes in an entry, which drops all that have its index or a higher one. That holds for one at or
// below the snapshot too: etcd's own reader passes it over, and brings those above back from the dead.
func (l *liveEntries) add(rec *Record) error {
	e := keptEntry{pos: rec.Pos}
	if err := e.Unmarshal(rec.Data); err != nil {
		return &CorruptError{File: rec.Pos.Segment, Off: rec.Pos.Off, Err: err}
	}
	n, _ := slices.BinarySearchFunc(l.kept, e.Index, func(k keptEntry, index uint64) int {
		return cmp.Compare(k.Index, index)
	})
	clear(l.kept[n:]) // what they hold can be collected
	l.kept = l.kept[:n]
	if e.Index > l.after {
		l.kept = append(l.kept, e)
	}
	return nil
}

// entries returns those that are live at the end of the log, or the gap between them.
func (l *liveEntries) entries(v *View) ([]raftpb.Entry, error) {
	var out []raftpb.Entry
	next := l.after + 1
	for i := range l.kept {
		k := &l.kept[i]
		if !v.Live(k.pos, k.Index) {
			continue
		}
		if len(out) == 0 && l.after == 0 {
			next = k.Index // the log may begin anywhere
		}
		if k.Index != next {
			return nil, &ReplayError{Pos: k.pos, Index: next, Err: ErrGap}
		}
		out = append(out, k.Entry)
		next++
	}
	return out, nil
}
