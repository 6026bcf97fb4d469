package wal

import (
	"cmp"
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

// place is a Position as two numbers, which compare in reading order.
type place struct {
	seg int   // ordinal of the segment among those that were read
	off int64 // byte offset of the frame
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.seg, q.seg), cmp.Compare(p.off, q.off))
}

// follows tells how a run of live entries follows the run before it.
type follows uint8

const (
	followsProven   follows = iota // directly
	followsSnapshot                // a snapshot from the leader replaced what lay between
	followsGap                     // entries are missing
	followsDoubt                   // adjacent, but damage may hide that the run before was overwritten
)

// run is a stretch of consecutive live entries of one term.
type run struct {
	first, last uint64 // indexes, inclusive
	term        uint64
	at          place // the record of the first entry
	follows     follows
	unchecked   bool // the data of its entry could not be verified
}

// liveLog follows a log's history and holds what is live: the entries after overwrites, the last
// hard state and the snapshot records. It is fed with events in reading order.
//
// Invariant: runs are in ascending order of index and don't overlap; last.Index is not below the
// last run's end, and above it only while a snapshot from the leader, or damage, is the newest.
type liveLog struct {
	found      *findings
	runs       []run
	overwrites overwrites
	snaps      []SnapshotRef

	state   raftpb.HardState
	stateAt place
	last    raftpb.EntryID // end of the log; Term 0 when it is not known
	base    raftpb.EntryID // what the log was restarted from: nothing, purged entries, a snapshot
	known   uint64         // committed up to here, by a hard state or a snapshot from the leader
	named   [2]uint64      // index that the next segment's name may carry, less one: see segment
	free    bool           // nothing tells yet which index the log starts after
	broken  bool           // records may be missing since the last entry
	hole    hole           // why, if broken
	lossy   bool           // records may be missing anywhere before
	behind  bool           // hard states may be missing since the last one: known may be too low
	over    pendingCommit

	stateFirst bool // hard states precede the entries that they were saved with, as in etcd 2.0
	open       pendingSnapshot
	unchecked  *event // an entry that is yet to be decided about
	voids      voids
	dropped    []span // entries that were overwritten, or replaced by a snapshot
}

// pendingCommit is a hard state that commits more than the log held when it was written. Before
// 3.4.8 etcd wrote that ahead of a snapshot from the leader, and 2.0 ahead of the entries that came
// with it; otherwise it means lost entries.
type pendingCommit struct {
	commit, last uint64
	at           place
	hole         hole // where they may be missing
}

// pendingSnapshot is a snapshot record behind damage that took what would tell whether the member
// made the snapshot itself or the leader sent it. The next entry tells: it follows the last one, or
// the snapshot.
type pendingSnapshot struct {
	event *event
	known uint64 // committed up to here when it was recorded
}

func (t *liveLog) apply(e *event) {
	t.voids.close(e.at)
	t.resolve(e)
	switch e.kind {
	case eventRun:
		t.entries(e)
	case eventSnapshot:
		t.snapshot(e)
	case eventBreak:
		t.lose(hole{place{e.at.seg, e.damage.Pos.Off}, e.damage.Class})
	}
	t.states(e)
}

// lose takes in that records may be missing here, as a finding tells.
func (t *liveLog) lose(h hole) {
	if !t.broken {
		t.hole = h
	}
	t.broken, t.lossy, t.behind = true, true, true
}

// begin is called ahead of the first segment's events. A log whose first segments were purged
// starts after the index in the name of the first that is left; a file of another name may start
// anywhere.
func (t *liveLog) begin(name SegmentName, named bool) {
	t.free = !named
	if name.Index > 0 {
		t.anchor(name.Index - 1)
	}
}

// anchor sets the index that the log starts after.
func (t *liveLog) anchor(index uint64) {
	t.base = raftpb.EntryID{Index: index}
	t.last = t.base
	t.named = [2]uint64{index, index}
	t.free = false
}

// segment checks a later segment's name: etcd names it after the entry or snapshot recorded last,
// plus one. A restart makes etcd forget snapshots, so both readings are accepted.
func (t *liveLog) segment(name SegmentName, at place) {
	if name.Index == t.named[0]+1 || name.Index == t.named[1]+1 || t.broken {
		return
	}
	t.found.add(at, ClassNameIndex, fmt.Sprintf("the name says index %d, want %d after the records before it",
		name.Index, t.named[1]+1))
}

// entries takes in a run of entries: everything from its first index on is overwritten.
func (t *liveLog) entries(e *event) {
	id := e.id
	if id.Index == 0 {
		t.found.add(e.at, ClassIndexGap, "entry with index 0")
		return
	}
	if t.free {
		t.anchor(id.Index - 1)
	}
	t.closeUnchecked(e)
	if e.unchecked {
		t.openUnchecked(e)
		return
	}
	t.place(e)
}

// openUnchecked keeps an entry back whose data, and so its index, could not be verified. It counts if
// it goes with those around it.
func (t *liveLog) openUnchecked(e *event) {
	t.unchecked = e
	t.voids.one(e.at)
}

// closeUnchecked decides, when the next entries come, or none, about one that could not be verified.
func (t *liveLog) closeUnchecked(next *event) {
	e := t.unchecked
	if t.unchecked = nil; e == nil {
		return
	}
	follows := e.id.Index > t.last.Index && e.id.Term >= t.last.Term
	if next != nil && next.id.Index == e.id.Index+1 {
		follows = next.id.Term >= e.id.Term
	} else if next != nil {
		follows = follows && next.id.Index > e.id.Index && next.id.Term >= e.id.Term
	}
	if follows {
		t.voids.drop(e.at)
		t.place(e)
	}
}

// place takes in entries that count.
func (t *liveLog) place(e *event) {
	id := e.id
	t.closeSnapshot(id.Index)
	r := run{first: id.Index, last: e.last(), term: id.Term, at: e.at, unchecked: e.unchecked}
	switch {
	case id.Index > t.last.Index+1:
		t.gap(e)
		r.follows = followsGap
	case id.Index <= t.last.Index && t.mayOverwrite(e):
		t.overwrite(e)
	case id.Index <= t.last.Index:
		if r.first = t.last.Index + 1; r.first > r.last {
			return
		}
	}
	first := raftpb.EntryID{Term: r.term, Index: r.first}
	prev, known := t.termAt(first.Index - 1)
	if known && first.Term < prev {
		t.found.add(e.at, ClassTermBack, fmt.Sprintf(
			"%s follows one of term %d: terms never go back", entryName(first), prev))
	}
	if r.follows != followsGap {
		r.follows = t.followsOf(first, prev, known)
	}
	t.push(r)
	t.broken, t.hole = false, hole{}
	t.last = raftpb.EntryID{Term: r.term, Index: r.last}
	t.named = [2]uint64{r.last, r.last}
}

// followsOf tells how an entry without a gap before it follows what is live. Within one term a leader
// makes one entry per index and nothing before it can be overwritten by an entry of the same
// term, so an equal term proves the follows even across damage.
//
// An entry of a lower term than the one before it shows that one of them is not in its place.
func (t *liveLog) followsOf(id raftpb.EntryID, prev uint64, known bool) follows {
	switch {
	case known && id.Term < prev:
		return followsDoubt
	case t.broken && (!known || prev != id.Term):
		return followsDoubt
	case len(t.runs) > 0 && t.runs[len(t.runs)-1].last != id.Index-1:
		return followsSnapshot
	}
	return followsProven
}

func (t *liveLog) push(r run) {
	if n := len(t.runs); n > 0 && r.follows == followsProven {
		p := &t.runs[n-1]
		if p.term == r.term && p.last+1 == r.first && p.unchecked == r.unchecked {
			p.last = r.last
			return
		}
	}
	t.runs = append(t.runs, r)
}

func (t *liveLog) gap(e *event) {
	lost := IndexRange{t.last.Index + 1, e.id.Index - 1}
	if !t.lostIn(t.hole, lost) {
		t.found.add(e.at, ClassIndexGap, fmt.Sprintf("%s, want index %d: %s missing",
			entryName(e.id), lost.First, lost))
	}
}

// hole is the finding that tells why records may be missing; the zero one stands for none.
type hole struct {
	at    place
	class Class
}

// lostIn adds to a hole's finding which entries are missing there. ok is false if there is no hole.
func (t *liveLog) lostIn(h hole, lost IndexRange) (ok bool) {
	text := fmt.Sprintf("; %s missing", lost)
	switch known := min(lost.Last, t.known); {
	case known < lost.First:
	case lost.Len() == 1:
		text += ", which was committed"
	default:
		text += ", " + committedText(known-lost.First+1)
	}
	return h.class != "" && t.found.extend(h.at, h.class, text)
}

// mayOverwrite reports whether a run may overwrite what is live. Only the leader of a later term does
// that, so that any other entry that is there already counts for nothing. What that leader sends may be of
// an earlier term than what it overwrites (figure 8 of the Raft paper): then the member's own term tells.
func (t *liveLog) mayOverwrite(e *event) bool {
	id, last := e.id, t.last
	if last.Term == 0 || max(id.Term, t.state.Term, e.ahead) > last.Term && id.Term != last.Term {
		return true
	}
	there := fmt.Sprintf("%s again behind %s: ", entryName(id), entryName(last))
	if id.Term == last.Term {
		t.found.add(e.at, ClassSameTerm, there+"no leader overwrites entries of its own term")
	} else {
		t.found.add(e.at, ClassTermBack, there+"terms never go back")
	}
	if e.unchecked {
		t.voids.one(e.at)
	} else {
		t.voids.open(e.at, last.Index)
	}
	return false
}

func (t *liveLog) overwrite(e *event) {
	i := e.id.Index
	if i <= t.known {
		t.found.add(e.at, ClassCommittedOverwritten, fmt.Sprintf("%s overwrites an entry although %d was committed before",
			entryName(e.id), t.known))
	} else {
		t.found.add(e.at, ClassIndexBack, fmt.Sprintf("%s overwrites %s (legal: a new leader had others)",
			entryName(e.id), entryRange(i, t.last.Index)))
	}
	t.truncate(e.at, i)
	if i <= t.base.Index {
		t.base = raftpb.EntryID{Index: i - 1}
	}
}

// truncate drops the live entries with an index of lo or above. What may be missing ahead of a run stays so
// for what takes its place.
func (t *liveLog) truncate(at place, lo uint64) {
	t.overwrites.add(at, lo)
	for n := len(t.runs); n > 0; n-- {
		r := &t.runs[n-1]
		if r.last < lo {
			return
		}
		t.dropped = append(t.dropped, span{max(lo, r.first), r.last, r.term})
		if r.first < lo {
			r.last = lo - 1
			return
		}
		t.broken = t.broken || r.follows == followsDoubt || r.follows == followsGap
		t.runs = t.runs[:n-1]
	}
}

// termAt returns the term of the live entry at index, or of the snapshot that ends there.
func (t *liveLog) termAt(index uint64) (term uint64, known bool) {
	for n := len(t.runs) - 1; n >= 0 && t.runs[n].last >= index; n-- {
		if t.runs[n].first <= index {
			return t.runs[n].term, true
		}
	}
	if index == t.base.Index && (t.base.Term != 0 || index == 0) {
		return t.base.Term, true
	}
	return 0, false
}

// snapshot takes in a snapshot record. One that the member made itself changes nothing; one from the
// leader replaces all entries that aren't known to be committed. The leader sends no snapshot of
// what the member has committed.
func (t *liveLog) snapshot(e *event) {
	id := e.id
	t.snaps = append(t.snaps, SnapshotRef{EntryID: id, ConfState: e.conf, at: e.at})
	t.named[1] = max(t.named[1], id.Index)
	term, known := t.termAt(id.Index)
	switch {
	case id.Index == 0 || t.free || known && term == id.Term:
	case known && id.Index <= t.known:
		t.found.add(e.at, ClassSnapshotConflict, fmt.Sprintf(
			"snapshot at %s, but the committed entry there is of term %d", indexName(id), term))
	case id.Index <= t.base.Index:
		t.recallBase(id)
	case id.Index <= min(t.known, t.last.Index): // the entry is missing, and was committed
	case t.lossy && !known:
		t.open = pendingSnapshot{e, t.known}
	default:
		t.replace(e, t.known)
	}
}

// closeSnapshot decides, when entry next comes, who made a snapshot.
func (t *liveLog) closeSnapshot(next uint64) {
	o := t.open
	t.open = pendingSnapshot{}
	if o.event != nil && next == o.event.id.Index+1 && next != t.last.Index+1 {
		t.replace(o.event, o.known)
	}
}

// end takes in that the log ends.
func (t *liveLog) end() {
	t.closeUnchecked(nil)
	t.resolve(nil)
}

// lastIndex returns the index that the log ends with, as far as its records tell.
func (t *liveLog) lastIndex() uint64 {
	last := t.last.Index
	if t.open.event != nil {
		last = max(last, t.open.event.id.Index)
	}
	if t.unchecked != nil {
		last = max(last, t.unchecked.id.Index)
	}
	return last
}

// recallBase learns the term of the purged entry before the log's first, when a snapshot tells.
func (t *liveLog) recallBase(id raftpb.EntryID) {
	if id.Index == t.base.Index && t.base.Term == 0 {
		t.base.Term = id.Term
		if t.last.Index == id.Index {
			t.last.Term = id.Term
		}
	}
}

// replace takes in a snapshot from the leader, recorded when the log was known to be committed up to
// an index. Entries of the snapshot's own term are of the one leader that made both, and so lie below it in
// its log, too.
func (t *liveLog) replace(e *event, known uint64) {
	lo := min(known, e.id.Index) + 1
	if t.behind || t.last.Term == e.id.Term { // what lies there is another entry, or missing
		lo = e.id.Index
	}
	if n := len(t.runs); n > 0 && t.runs[n-1].last >= lo {
		t.found.add(e.at, ClassIndexBack, fmt.Sprintf(
			"snapshot at %s from the leader replaces %s (legal: they were not committed)",
			indexName(e.id), entryRange(max(lo, t.runs[0].first), t.runs[n-1].last)))
		t.truncate(e.at, lo)
	}
	t.base, t.last, t.broken = e.id, e.id, false
	t.known = max(t.known, e.id.Index)
}

// states takes in the hard states after an event.
func (t *liveLog) states(e *event) {
	s := &e.states
	if s.n == 0 {
		return
	}
	at := place{e.at.seg, s.firstOff}
	if c, msg := stateRegress(t.state, s.first); msg != "" {
		t.found.add(at, c, msg)
	}
	if s.first.Term < t.last.Term && t.last.Term != 0 {
		t.found.add(at, ClassTermBack, fmt.Sprintf("hard state of term %d after %s", s.first.Term, entryName(t.last)))
	}
	t.behind = false
	t.state, t.stateAt = s.last, place{e.at.seg, s.lastOff}
	t.known = max(t.known, s.commit)
	if s.commit > t.lastIndex() && t.over.commit == 0 && !t.free {
		t.over = pendingCommit{s.commit, t.lastIndex(), place{e.at.seg, s.commitOff}, t.hole}
	}
}

// resolve decides, when the next event comes, about a commit beyond the end of the log.
func (t *liveLog) resolve(next *event) {
	o := t.over
	if o.commit == 0 || next != nil && next.kind == eventHead {
		return
	}
	t.over = pendingCommit{}
	if next != nil && next.kind == eventSnapshot && next.id.Index >= o.commit {
		return
	}
	if t.stateFirst && next != nil && next.kind == eventRun && next.id.Index == o.last+1 &&
		next.last() >= o.commit {
		return
	}
	if o.hole.class != "" && next != nil && next.kind == eventRun && next.id.Index > t.last.Index+1 {
		return // which entries are missing is told with the gap
	}
	lost := IndexRange{o.last + 1, o.commit}
	if !t.lostIn(o.hole, lost) {
		t.found.add(o.at, ClassCommitBeyond, fmt.Sprintf(
			"hard state says commit %d, but the last entry is %d: %s missing", o.commit, o.last, lost))
	}
}

// stateRegress says what is wrong with a hard state that follows another, or nothing.
func stateRegress(prev, next raftpb.HardState) (c Class, detail string) {
	switch {
	case next.Term < prev.Term:
		return ClassTermBack, fmt.Sprintf("hard state of term %d after one of term %d",
			next.Term, prev.Term)
	case next.Commit < prev.Commit:
		return ClassCommitBack, fmt.Sprintf("commit goes back from %d to %d",
			prev.Commit, next.Commit)
	case next.Term == prev.Term && prev.Vote != 0 && next.Vote != prev.Vote:
		return ClassVoteChange, fmt.Sprintf("vote of term %d changes from %x to %x",
			next.Term, prev.Vote, next.Vote)
	}
	return "", ""
}

// entryRange names entries by their indexes, both inclusive.
func entryRange(first, last uint64) string {
	if first == last {
		return fmt.Sprintf("entry %d", first)
	}
	return fmt.Sprintf("entries %d..%d", first, last)
}
