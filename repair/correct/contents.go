package correct

import (
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// A hard state says little that its neighbours don't: the term and vote are theirs, and the commit lies
// between theirs. So does an entry without data, with which a leader begins: its index is the next one. Even if
// all their bytes are lost, the checksum tells which of the few they can be was there.

// maxGuesses is how many hard states are tried at most.
const maxGuesses = 1 << 17

// contents looks for a hard state or an entry without data that fills the damaged frame.
func (s *search) contents(x *found) {
	x.what = "hard states and empty entries that can stand there"
	if !s.site.Before.Seeded || s.log.Dialect() != wal.Etcd {
		return
	}
	crcs := s.knownCRCs()
	if len(crcs) == 0 {
		return
	}
	guess := func(k wal.Kind, data []byte) {
		x.tried++
		if sum := crc32.Update(s.site.Before.Sum, castagnoli, data); slices.Contains(crcs, sum) {
			s.addContent(x, k, sum, data)
		}
	}
	n := s.neighbours()
	n.states(func(st *raftpb.HardState) { guess(wal.KindState, st.Marshal(raftpb.FlavorGogo)) })
	n.entries(func(e *raftpb.Entry) {
		for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
			guess(wal.KindEntry, e.Marshal(flavor))
		}
	})
}

// addContent adds the candidate that a record lies at the damage, if it ends where the damaged one can.
func (s *search) addContent(x *found, k wal.Kind, sum uint32, data []byte) {
	for _, unpadded := range s.paddings() {
		b := frameBytes(nil, k, sum, data, unpadded)
		off := s.site.Before.Off
		fits := slices.ContainsFunc(s.sizes(), func(f wal.Frame) bool { return f.End() == off+int64(len(b)) })
		p := patch{off: off, bytes: b}
		if !fits || !x.open() {
			continue
		}
		if pr := s.prove(p); pr.records > 0 && s.ends(&pr) {
			p.why = fmt.Sprintf("a record of kind %s there gives crc %s", s.log.Dialect().KindName(k), hex(sum))
			p.follow = pr.follows()
			s.add(x, p)
		}
	}
}

// neighbours are the records around the damage that tell what can stand there.
type neighbours struct {
	before, after raftpb.HardState // after is zero if there is none
	last          raftpb.EntryID   // the last entry before
}

// neighbours reads the segment, and the one before for what this one doesn't hold.
func (s *search) neighbours() (n neighbours) {
	for i := max(s.site.Segment-1, 0); i <= s.site.Segment; i++ {
		for r, err := range s.log.SegmentRecords(i) {
			if s.err = s.ctx.Err(); err != nil || s.err != nil {
				return n
			}
			if n.take(r, i == s.site.Segment && r.Pos.Off >= s.site.Before.Off, s.site.End) {
				return n
			}
		}
	}
	return n
}

// take takes in a record before the damage, or behind it, which ends at end. It reports whether all is known.
func (n *neighbours) take(r *wal.Record, behind bool, end int64) (done bool) {
	if r.Unchecked || behind && r.Pos.Off < end {
		return false
	}
	var st raftpb.HardState
	switch {
	case r.Kind == wal.KindEntry && !behind:
		n.last = r.ID
	case r.Kind == wal.KindState && st.Unmarshal(r.Data) == nil:
		if behind {
			n.after = st
			return true
		}
		n.before = st
	}
	return false
}

// maxTerms is how many terms may lie between two hard states, for what lies between to be guessed.
const maxTerms = 4

// states yields the hard states that can stand between the neighbours.
func (n *neighbours) states(yield func(*raftpb.HardState)) {
	term, commit := n.before.Term+1, n.last.Index
	votes := []uint64{0, n.before.Vote}
	if n.after.Term > 0 {
		term, commit = n.after.Term, min(commit, n.after.Commit)
		if n.after.Vote != n.before.Vote {
			votes = append(votes, n.after.Vote)
		}
	}
	if n.before.Term == 0 || term > n.before.Term+maxTerms || commit > n.before.Commit+maxGuesses/(maxTerms*3) {
		return
	}
	for t := n.before.Term; t <= term; t++ {
		for _, vote := range votes {
			for c := n.before.Commit; c <= commit; c++ {
				yield(&raftpb.HardState{Term: t, Vote: vote, Commit: c})
			}
		}
	}
}

// entries yields the entries without data that can stand behind the last one.
func (n *neighbours) entries(yield func(*raftpb.Entry)) {
	last := max(n.before.Term, n.last.Term) + 1
	if n.after.Term > 0 {
		last = n.after.Term
	}
	if n.last.Index == 0 || last > n.last.Term+maxTerms {
		return
	}
	for t := n.last.Term; t <= last; t++ {
		yield(&raftpb.Entry{Term: t, Index: n.last.Index + 1})
	}
}
