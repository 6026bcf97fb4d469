package sim

import (
	"math/rand/v2"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// image is what a disk holds.
type image struct {
	hard    raftpb.HardState
	snap    raftpb.Snapshot
	base    raftpb.EntryID // the entry before entries
	entries []raftpb.Entry
}

func (im *image) last() uint64 { return im.base.Index + uint64(len(im.entries)) }

// has reports whether the image holds an entry, or a snapshot in its place.
func (im *image) has(id raftpb.EntryID) bool {
	switch {
	case id.Index <= im.snap.Metadata.Index || id.Index < im.base.Index:
		return true
	case id.Index > im.last():
		return false
	case id.Index == im.base.Index:
		return id.Term == im.base.Term
	}
	return im.entries[id.Index-im.base.Index-1].Term == id.Term
}

// write is one change of an image. Only one of its parts is set.
type write struct {
	hard    *raftpb.HardState
	install *raftpb.Snapshot // replaces the entries
	entries []raftpb.Entry
	take    *raftpb.Snapshot // a snapshot of the member's own; entries up to keep are dropped
	keep    uint64
}

func (im *image) apply(w *write) {
	switch {
	case w.hard != nil:
		im.hard = *w.hard
	case w.install != nil:
		im.snap, im.base, im.entries = *w.install, w.install.Metadata.ID(), nil
	case w.take != nil:
		im.snap = *w.take
		if n := w.keep - min(w.keep, im.base.Index); n > 0 {
			im.base, im.entries = im.entries[n-1].ID(), im.entries[n:]
		}
	default:
		skip := im.base.Index + 1 - min(w.entries[0].Index, im.base.Index+1)
		if skip >= uint64(len(w.entries)) {
			return
		}
		entries := w.entries[skip:]
		n := entries[0].Index - im.base.Index - 1
		im.entries = append(im.entries[:n:n], entries...)
	}
}

// disk keeps what was synced. What was only written may or may not survive a crash, the first
// writes before the later ones.
type disk struct {
	synced  image
	written []write
}

// save writes what a Ready says, in the order that package raft prescribes.
func (d *disk) save(s *raftpb.Snapshot, hs raftpb.HardState, entries []raftpb.Entry) {
	if s != nil {
		d.written = append(d.written, write{install: s})
	}
	if len(entries) > 0 {
		d.written = append(d.written, write{entries: entries})
	}
	if !hs.IsEmpty() {
		d.written = append(d.written, write{hard: &hs})
	}
}

func (d *disk) sync() { d.keep(len(d.written)) }

// keep syncs the first n writes.
func (d *disk) keep(n int) {
	for i := range d.written[:n] {
		d.synced.apply(&d.written[i])
	}
	d.written = d.written[n:]
}

// crash loses what was not synced, or a last part of it.
func (d *disk) crash(r *rand.Rand) {
	if n := len(d.written); n > 0 && r.IntN(2) == 0 {
		d.keep(r.IntN(n + 1))
	}
	d.written = nil
}

// storage is the log as the core reads it, with the membership as of what the state machine has
// applied.
type storage struct {
	*raft.MemoryStorage
	conf raftpb.ConfState
}

// InitialState returns the hard state and the membership to start with.
func (s storage) InitialState() (raftpb.HardState, raftpb.ConfState, error) {
	hs, _, err := s.MemoryStorage.InitialState()
	return hs, s.conf, err
}

// open returns the log that is on the disk.
func (d *disk) open() (*raft.MemoryStorage, error) {
	im := &d.synced
	store := raft.NewMemoryStorage()
	index := im.snap.Metadata.Index
	if index > 0 {
		if err := store.ApplySnapshot(im.snap); err != nil {
			return nil, err
		}
	}
	if skip := index - min(index, im.base.Index); skip < uint64(len(im.entries)) {
		if err := store.Append(im.entries[skip:]); err != nil {
			return nil, err
		}
	}
	return store, store.SetHardState(im.hard)
}
