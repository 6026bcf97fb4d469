package lockstep

import (
	"hash/maphash"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// history is what is remembered of a member, to see that it never takes anything back. It holds in
// lockstep as well as on our own.
type history struct {
	term, commit uint64
	next         uint64 // the index of the next entry that it is to apply
	lied         bool   // a storage reply was forged: what is applied need not follow any more
}

// restarted records that the application starts over after an index, from its own state or a
// snapshot.
func (h *history) restarted(applied uint64) {
	h.next = applied + 1
}

// rebooted records that the member starts from its disks, which may not have all that it knew.
func (h *history) rebooted() { h.term, h.commit = 0, 0 }

func (h *history) check(m *member, what string, s *raft.BasicStatus) {
	hs := s.HardState
	if hs.Term < h.term || hs.Commit < h.commit || s.Applied > hs.Commit {
		m.w.fail("%d: %s: at %+v, applied %d, after term %d, commit %d",
			m.id, what, hs, s.Applied, h.term, h.commit)
	}
	h.term, h.commit = hs.Term, hs.Commit
}

// take checks that committed entries follow from each other and, unless messages were forged, that
// all members commit the same.
func (h *history) take(m *member, entries []raftpb.Entry) {
	for i := range entries {
		e := &entries[i]
		if e.Index != h.next && !h.lied {
			m.w.fail("%d: committed entry %v, want index %d", m.id, e.ID(), h.next)
		}
		h.next = e.Index + 1
		if !m.w.alone && !m.w.shape.unsafe() {
			m.w.agree(m, e)
		}
	}
}

// truth is what the world knows of a committed entry.
type truth struct {
	term uint64
	hash uint64
}

var hashSeed = maphash.MakeSeed()

func (w *world) agree(m *member, e *raftpb.Entry) {
	got := truth{term: e.Term, hash: maphash.Bytes(hashSeed, e.Data)}
	if want, ok := w.committed[e.Index]; ok && got != want {
		w.fail("%d: committed entry %v differs from what another member committed in term %d",
			m.id, e.ID(), want.term)
	}
	w.committed[e.Index] = got
}
