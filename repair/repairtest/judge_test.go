package repairtest

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// fate is what is true about a specimen's entries after the damage.
type fate struct {
	intact    map[*frame]bool
	states    uint64 // up to here the hard states that are left say that entries are committed
	committed uint64 // and up to here anything that is left of the member
}

func (s *specimen) fate() *fate {
	f := &fate{intact: s.intact()}
	for _, seg := range s.segs {
		for _, fr := range seg.frames {
			var st raftpb.HardState
			if fr.kind == wal.KindState && f.intact[fr] && st.Unmarshal(fr.data) == nil {
				f.states = max(f.states, st.Commit)
			}
		}
	}
	f.committed = max(f.states, s.applied)
	for name := range s.snaps {
		if id, ok := snapshot.ParseFileName(name); ok && bytes.Equal(s.others[snapDir+name], s.snaps[name]) {
			f.committed = max(f.committed, id.Index)
		}
	}
	return f
}

// held reports whether a donor that the trial was given has an entry.
func (r *trial) held(id raftpb.EntryID) bool {
	if len(r.donors) == 0 {
		return false
	}
	return slices.ContainsFunc(r.specimen.donors, func(m *member) bool {
		e := m.at(id.Index)
		return e != nil && e.EntryID == id
	})
}

// lost returns the committed entries that nobody has any more: so many bytes of them have changed that nothing
// can tell what they were, and the database hasn't applied them.
func (r *trial) lost(f *fate) (list []uint64) {
	if slices.ContainsFunc(r.lesions, func(l lesion) bool { return l.moved }) {
		return nil // they may lie in a segment that isn't in its place
	}
	for _, e := range r.entries {
		if e.Index <= f.committed && e.Index > r.applied && !r.held(e.EntryID) && r.changed(e) > correctable {
			list = append(list, e.Index)
		}
	}
	return list
}

// correctable is how many changed bytes of an entry a repair may find by trying.
const correctable = 8

// changed returns how many bytes of an entry's data are others than they were, where it lay.
func (s *specimen) changed(e *entry) int {
	seg := s.segs[e.seg]
	lo, _ := e.frame.span(partHead)
	_, hi := e.frame.span(partData)
	least := hi - lo
	for _, f := range s.files {
		for _, p := range f.spans {
			if p.seg != e.seg || lo < p.off || hi > p.off+p.hi-p.lo {
				continue
			}
			n := 0
			for i, b := range f.b[p.lo+lo-p.off : p.lo+hi-p.off] {
				if b != seg.b[lo+i] {
					n++
				}
			}
			least = min(least, n)
		}
	}
	return least
}

// proven reports whether the frame of an entry is intact, and so are those around it, which prove it, and nothing that is
// gone may have overwritten it.
func (s *specimen) proven(f *fate, e *entry) bool {
	frames := s.segs[e.seg].frames
	i := slices.Index(frames, e.frame)
	return f.intact[e.frame] && f.intact[frames[i-1]] && (i+1 == len(frames) || f.intact[frames[i+1]]) && s.settled(f, e)
}

// settled reports whether it can be told that an entry wasn't overwritten: a hard state behind it commits it before any
// frame is gone, or else the next entry that is left is of the same term.
func (s *specimen) settled(f *fate, e *entry) bool {
	gone, from := false, e.seg
	behind := s.segs[from].frames[slices.Index(s.segs[from].frames, e.frame)+1:]
	for {
		for _, fr := range behind {
			var st raftpb.HardState
			switch {
			case !f.intact[fr]:
				gone = true
			case gone && fr.kind == wal.KindEntry:
				return fr.id.Term == e.Term
			case !gone && fr.kind == wal.KindState && st.Unmarshal(fr.data) == nil && st.Commit >= e.Index:
				return true
			}
		}
		if from++; from == len(s.segs) {
			return !gone
		}
		behind = s.segs[from].frames
	}
}

func in(ranges []repair.Range, index uint64) bool {
	return slices.ContainsFunc(ranges, func(r repair.Range) bool { return r.First <= index && index <= r.Last })
}

// told reports whether the plan says that an entry is lost: by its index, or since all is that came behind another.
func (r *trial) told(index uint64) bool {
	var last uint64
	n, _ := fmt.Sscanf(r.plan.Cost.Beside, "what was written behind entry %d", &last)
	return in(r.plan.Cost.Lost, index) || n == 1 && index > last
}

func (r *trial) bad(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

func (r *trial) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// judgePlan compares what a plan says with what is true.
func (r *trial) judgePlan() {
	f := r.fate()
	lost := r.lost(f)
	onlyBit := len(r.lesions) == 1 && r.lesions[0].bit
	if onlyBit && r.plan.Status != repair.StatusRepair {
		r.fault("a single bit: %s", r.plan.Status)
	}
	switch r.plan.Status {
	case repair.StatusHealthy:
		if last := r.found.View.LastIndex(); last < r.applied {
			r.bad("nothing to do, but the log ends at %d and the database is at %d: etcd won't apply what comes next", last,
				r.applied)
		}
	case repair.StatusLoss, repair.StatusLossy:
		for _, i := range lost {
			if !r.told(i) {
				r.bad("entry %d is lost, and the plan doesn't say so: %v %s", i, r.plan.Cost.Lost, r.plan.Cost.Beside)
			}
		}
		for _, e := range r.entries {
			if e.Index <= f.committed && in(r.plan.Cost.Lost, e.Index) && r.proven(f, e) {
				r.fault("the plan loses entry %d, which is there: %v", e.Index, r.plan.Cost.Lost)
				break
			}
		}
		if !r.mayLose(f) {
			r.fault("status %s, and nothing is lost, not even %v: %v", r.plan.Status, r.plan.Cost.Lost, r.plan.Refused)
		}
	case repair.StatusNone:
		if !r.mayLose(f) && !r.nameless() {
			r.fault("impossible: %v, left %v", r.plan.Refused, r.plan.Left)
		}
	}
}

// mayLose reports whether entries may be gone, as far as what is left can tell: some that the database hasn't applied
// aren't proven any more.
func (r *trial) mayLose(f *fate) bool {
	claims := func(l lesion) bool { return l.claims }
	if slices.ContainsFunc(r.lesions, claims) || r.headless(f) {
		return true
	}
	return slices.ContainsFunc(r.entries, func(e *entry) bool {
		return e.Index > r.applied && !r.proven(f, e) && !r.held(e.EntryID)
	})
}

// headless reports whether the last segment's head is gone: nothing tells what was behind it.
func (s *specimen) headless(f *fate) bool {
	return !f.intact[s.segs[len(s.segs)-1].frames[0]]
}

// nameless reports whether nothing is left that says whose log it is.
func (s *specimen) nameless() bool {
	whole := s.intact()
	return !slices.ContainsFunc(s.segs, func(seg *segment) bool { return whole[seg.frames[1]] })
}

// judgeResult compares a result with what is true.
func (r *trial) judgeResult(ctx context.Context) {
	if onlyBit := len(r.lesions) == 1 && r.lesions[0].bit; onlyBit && len(r.donors) == 0 {
		r.judgeBytes()
	}
	r.judgeOwner()
	f := r.fate()
	r.judgeEntries(f)
	r.judgeMissing(f)
}

// judgeBytes checks that the result is what there was before the damage.
func (r *trial) judgeBytes() {
	was := r.member.files()
	for _, s := range r.segs {
		name := walDir + s.name.String()
		if got := bytes.TrimRight(r.files[name], "\x00"); !bytes.Equal(got, bytes.TrimRight(was[name], "\x00")) {
			r.fault("a single bit: %s isn't what it was", s.name)
			return
		}
	}
}

// judgeOwner checks that the result is the member's, and no other's.
func (r *trial) judgeOwner() {
	own := r.segs[0].frames[1].data
	for _, seg := range r.made.segs {
		if got := seg.frames[1].data; !bytes.Equal(got, own) {
			r.bad("%s is of another member: %x, want %x", seg.name, got, own)
			return
		}
	}
}

// judgeEntries checks that each entry of the result is one that the member or its cluster had there.
func (r *trial) judgeEntries(f *fate) {
	next := uint64(0)
	for _, e := range r.made.entries {
		if next > 0 && e.Index != next && e.Index != r.made.base.Index+1 {
			r.bad("entry %d follows entry %d", e.Index, next-1)
		}
		next = e.Index + 1
		was := r.at(e.Index)
		switch {
		case was != nil && was.EntryID == e.EntryID && was.Type == e.Type && was.data == e.data:
		case was != nil && e.data == "" && e.Type == raftpb.EntryNormal && in(r.plan.Cost.Lost, e.Index) && r.accept:
		case r.agreed(e):
		case e.Index > f.committed && r.once(e):
		default:
			r.bad("entry %v is no entry of the member", e.EntryID)
		}
	}
}

// agreed reports whether an entry is what the cluster agreed upon.
func (r *trial) agreed(e *entry) bool {
	return slices.ContainsFunc(r.specimen.donors, func(m *member) bool {
		d := m.at(e.Index)
		return d != nil && d.EntryID == e.EntryID && d.data == e.data && d.Type == e.Type
	})
}

// once reports whether the member once had an entry that was overwritten since.
func (r *trial) once(e *entry) bool {
	for _, s := range r.segs {
		for _, f := range s.frames {
			if f.kind == wal.KindEntry && f.id == e.EntryID && string(f.entry.Data) == e.data {
				return true
			}
		}
	}
	return false
}

// judgeMissing checks that no entry is missing that may not be.
func (r *trial) judgeMissing(f *fate) {
	if r.made.base.Index > max(r.applied, r.newestSnapshot(), r.base.Index) {
		r.bad("the log begins behind entry %d, and the database is at %d", r.made.base.Index, r.applied)
	}
	for _, e := range r.entries {
		if e.Index <= r.made.base.Index {
			continue
		}
		got := r.made.at(e.Index)
		switch {
		case got != nil && got.EntryID == e.EntryID && got.data == e.data:
		case e.Index > r.made.last() && r.accept && r.told(e.Index):
		case e.Index <= f.committed && !r.told(e.Index):
			r.bad("entry %v is missing: it was committed, intact %v, with a donor %v; the database is at %d, the result ends at %d",
				e.EntryID, f.intact[e.frame], r.held(e.EntryID), r.applied, r.made.last())
			return
		case e.Index <= f.committed && !r.accept:
			r.bad("entry %v was committed, and is lost", e.EntryID)
			return
		case e.Index > f.committed && f.intact[e.frame] && got == nil && !r.told(e.Index):
			r.fault("entry %v, not known to be committed, is intact and missing", e.EntryID)
			return
		}
	}
}

// newestSnapshot is the last entry of the newest .snap file that is what it was.
func (s *specimen) newestSnapshot() (index uint64) {
	for name := range s.snaps {
		if id, ok := snapshot.ParseFileName(name); ok && bytes.Equal(s.others[snapDir+name], s.snaps[name]) {
			index = max(index, id.Index)
		}
	}
	return index
}
