package raft

import (
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// unstable is the end of the log that is not known to be in Storage: a snapshot that replaces all
// before it, or entries, or both. A part of it may have been handed out to be written.
//
// Slices of entries are handed out, in Ready and in messages. So an entry once in the array is
// never overwritten: the array grows at its end only, and what follows a cut goes into a new one.
type unstable struct {
	// offset is the index of entries[0]. Invariant: the last index of the log is
	// offset+len(entries)-1, because what is before offset is in Storage or in snapshot.
	offset  uint64
	entries []raftpb.Entry
	// before is the entry at offset-1, whose term is asked for all the time. Zero if not known.
	before raftpb.EntryID
	// offsetInProgress is the index of the first entry that was not handed out to be written.
	// Invariant: offset <= offsetInProgress <= offset+len(entries).
	offsetInProgress uint64

	snapshot           *raftpb.Snapshot // nil for none
	snapshotInProgress bool

	// dead is the payload bytes of the deadCount entries at the array's front that are stable, and
	// that only the array keeps alive.
	dead      uint64
	deadCount int

	notify notifier
}

// maxDead is the payload, in bytes, that an array may keep alive beyond its use. Small enough not
// to matter, large enough that copying what is left is rare.
const maxDead = 1 << 20

// lastIndex returns the last index of the whole log.
func (u *unstable) lastIndex() uint64 { return u.offset + uint64(len(u.entries)) - 1 }

// term returns the term of an entry, or of the snapshot at its index, and whether it is here.
func (u *unstable) term(index uint64) (uint64, bool) {
	if index >= u.offset {
		if i := index - u.offset; i < uint64(len(u.entries)) {
			return u.entries[i].Term, true
		}
		return 0, false
	}
	if u.snapshot != nil && u.snapshot.Metadata.Index == index {
		return u.snapshot.Metadata.Term, true
	}
	return 0, false
}

// knows returns the term of an entry that need not be looked up in Storage, and whether it is one.
func (u *unstable) knows(index uint64) (uint64, bool) {
	if index == u.before.Index && index != 0 {
		return u.before.Term, true
	}
	return u.term(index)
}

// slice returns the entries [lo, hi), which must be here.
func (u *unstable) slice(lo, hi uint64) []raftpb.Entry {
	return u.entries[lo-u.offset : hi-u.offset : hi-u.offset]
}

// nextEntries returns the entries that were not handed out to be written.
func (u *unstable) nextEntries() []raftpb.Entry {
	return slices.Clip(u.entries[u.offsetInProgress-u.offset:])
}

// nextSnapshot returns the snapshot if it was not handed out to be written, else nil.
func (u *unstable) nextSnapshot() *raftpb.Snapshot {
	if u.snapshotInProgress {
		return nil
	}
	return u.snapshot
}

// acceptInProgress records that everything is handed out.
func (u *unstable) acceptInProgress() {
	u.offsetInProgress = u.offset + uint64(len(u.entries))
	u.snapshotInProgress = u.snapshot != nil
}

// stableTo drops the entries up to id: Storage has them. Not if the entry there is another one by
// now, in which case Storage is about to be told so.
func (u *unstable) stableTo(id raftpb.EntryID) {
	term, found := u.term(id.Index)
	switch {
	case !found:
		u.ignoreStable(id, StableMissing, 0)
		return
	case id.Index < u.offset:
		u.ignoreStable(id, StableSnapshot, term)
		return
	case term != id.Term:
		u.ignoreStable(id, StableMismatch, term)
		return
	}
	n := id.Index + 1 - u.offset
	u.dead += payloadSize(u.entries[:n])
	u.deadCount += int(n)
	u.entries = u.entries[n:]
	u.offset, u.before = id.Index+1, id
	u.offsetInProgress = max(u.offsetInProgress, u.offset)
	u.release()
}

// ignoreStable tells the observer that stableTo did nothing.
func (u *unstable) ignoreStable(id raftpb.EntryID, reason StableReason, term uint64) {
	if u.notify.on() {
		u.notify.emit(StableIgnored{Entry: id, Reason: reason, Term: term})
	}
}

// release lets go of an array that keeps too much alive, unless copying what is left would cost
// more than it frees.
func (u *unstable) release() {
	if u.dead <= maxDead || u.deadCount < len(u.entries) {
		return
	}
	// As many entries may come as have gone.
	entries := make([]raftpb.Entry, 0, len(u.entries)+min(u.deadCount, maxSpareEntries))
	u.setEntries(append(entries, u.entries...))
}

// setEntries starts a new array.
func (u *unstable) setEntries(entries []raftpb.Entry) {
	u.entries, u.dead, u.deadCount = entries, 0, 0
}

// stableSnapTo drops the snapshot if it is the one that includes index: Storage has it.
func (u *unstable) stableSnapTo(index uint64) {
	if u.snapshot != nil && u.snapshot.Metadata.Index == index {
		u.snapshot, u.snapshotInProgress = nil, false
	}
}

// restore replaces everything by a snapshot.
func (u *unstable) restore(snapshot *raftpb.Snapshot) {
	u.offset, u.before = snapshot.Metadata.Index+1, snapshot.Metadata.ID()
	u.offsetInProgress = u.offset
	u.setEntries(nil)
	u.snapshot, u.snapshotInProgress = snapshot, false
}

// truncateAndAppend puts entries, at least one, at their place, and drops all that was from there
// on.
func (u *unstable) truncateAndAppend(entries []raftpb.Entry) {
	first := entries[0].Index
	switch {
	case first == u.offset+uint64(len(u.entries)):
	case first <= u.offset:
		if u.notify.on() {
			u.notify.emit(UnstableReplaced{Index: first})
		}
		u.offset, u.offsetInProgress, u.before = first, first, raftpb.EntryID{}
		u.setEntries(nil)
	default:
		if u.notify.on() {
			u.notify.emit(UnstableTruncated{Index: first})
		}
		u.entries = u.slice(u.offset, first)
		u.offsetInProgress = min(u.offsetInProgress, first)
	}
	if len(u.entries) == 0 && len(entries) >= adoptEntries && len(entries) > cap(u.entries) {
		u.setEntries(slices.Clip(entries))
		return
	}
	u.grow(len(entries), uint64(len(entries[0].Data)))
	u.entries = append(u.entries, entries...)
}

// adoptEntries is the number of entries in a message from which on its array is taken over rather
// than copied. Messages handed in are not changed any more, and what follows goes into a new array.
const adoptEntries = 64

// A new array has room for this many more entries, and not for more payload than that, in bytes:
// enough to make an allocation rare, and not so much that idle groups waste memory or large
// payloads are kept alive. One that fills up is followed by one of twice the size.
const (
	spareEntries = 128
	spareBytes   = 256 << 10
)

// entryOverhead is the size of an Entry without its data, in bytes.
const entryOverhead = 48

// grow makes room for n entries with payloads of about size bytes, in a new array if need be.
func (u *unstable) grow(n int, size uint64) {
	have := len(u.entries)
	if cap(u.entries)-have >= n {
		return
	}
	spare := min(spareEntries, int(spareBytes/(entryOverhead+size))) + have
	entries := make([]raftpb.Entry, have, have+n+spare)
	copy(entries, u.entries)
	u.setEntries(entries)
}
