package check

import (
	"hash/maphash"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// entrySeen is what is remembered of an entry.
type entrySeen struct {
	by   *stream.Event // the first message that told of it
	sum  uint64        // of its type and data
	size int
	prev uint64 // the term of the entry before it
	// change is set where it changes the membership.
	change *raftpb.ConfChangeV2
}

// entryWindow remembers the entries that were seen last.
type entryWindow struct {
	*keyed[raftpb.EntryID, entrySeen]
	seed maphash.Seed
}

func newEntryWindow(most int) *entryWindow {
	return &entryWindow{newKeyed[raftpb.EntryID, entrySeen](most), maphash.MakeSeed()}
}

// sum hashes what must be the same in an entry wherever it is seen.
func (w *entryWindow) sum(e *raftpb.Entry) uint64 {
	return maphash.Bytes(w.seed, e.Data) ^ uint64(e.Type)<<56
}

// add takes in the entries of a message, the first sight of each.
func (w *entryWindow) add(m *moment) {
	msg := m.Message
	if msg.Type != raftpb.MsgApp {
		return
	}
	prev := previous(msg).Term
	for i := range msg.Entries {
		e := &msg.Entries[i]
		if e.Term == 0 || e.Index == 0 {
			return
		}
		if x, isNew := w.put(e.ID()); isNew {
			*x = entrySeen{by: m.keep(), sum: w.sum(e), size: len(e.Data), prev: prev, change: changeOf(e)}
		}
		prev = e.Term
	}
}

// previous returns the entry that those of a MsgApp follow. It is none at the beginning of a log, and where a stream
// was joined that doesn't tell it yet.
func previous(m *raftpb.Message) raftpb.EntryID {
	if m.Term == 0 {
		return raftpb.EntryID{}
	}
	return raftpb.EntryID{Term: m.LogTerm, Index: m.Index}
}

// changeAt returns the change of the membership that an entry is, nil for another entry; ok is false where the entry
// was neither sent nor is in a log.
func (c *Checker) changeAt(id raftpb.EntryID) (cc *raftpb.ConfChangeV2, ok bool) {
	if e := c.entries.get(id); e != nil {
		return e.change, true
	}
	for i := range c.opts.Logs {
		if e, ok := c.opts.Logs[i].Entry(id.Index); ok && e.Term == id.Term {
			return changeOf(&e), true
		}
	}
	return nil, false
}

// committedTerm returns the term of an entry that is committed by one of the logs; ok is false where none tells.
func (c *Checker) committedTerm(index uint64) (term uint64, ok bool) {
	for i := range c.opts.Logs {
		if log := &c.opts.Logs[i]; index <= log.Commit {
			if e, ok := log.Entry(index); ok {
				return e.Term, true
			}
		}
	}
	return 0, false
}

// changeOf returns the change of the membership that an entry is, nil for another entry. One that can't be read
// changes nothing.
func changeOf(e *raftpb.Entry) *raftpb.ConfChangeV2 {
	switch e.Type {
	case raftpb.EntryConfChange:
		var v1 raftpb.ConfChange
		if v1.Unmarshal(e.Data) == nil {
			v2 := v1.AsV2()
			return &v2
		}
	case raftpb.EntryConfChangeV2:
		var v2 raftpb.ConfChangeV2
		if v2.Unmarshal(e.Data) == nil {
			return &v2
		}
	}
	return nil
}
