package wal

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// etcdModel plays through what etcd does with a log at start. It works on the digests that the
// pass over the bytes left, and reads again only segments that a digest doesn't describe as etcd
// would read them.
type etcdModel struct {
	rel   *etcdRelease
	segs  []Segment
	snaps []raftpb.EntryID // the .snap files; nil: one for every snapshot record
	live  []span           // the live entries, by our reading
	over  *replaced        // the entries that are intact and not live
	known uint64           // highest index known to be committed
	end   Position         // behind the last record of the last segment, by our reading
	read  func(seg int, start uint32) etcdSegment
}

// outlooks tells what the releases of etcd do with the log that was surveyed.
func (l *Log) outlooks(s *survey, o VerifyOptions) (list []Outlook) {
	_, whole := l.firstSeed()
	over := newReplaced(s.live.dropped)
	for i := range etcdReleases {
		rel := &etcdReleases[i]
		if l.single && !whole || s.full {
			list = append(list, Outlook{From: rel.from, To: rel.to, Action: ActionUnknown,
				Error: "that takes the whole log"})
			continue
		}
		m := l.newEtcdModel(s, rel)
		m.snaps, m.over = o.Snapshots, over
		list = append(list, m.outlook())
	}
	setBetter(list)
	return list
}

func (l *Log) newEtcdModel(s *survey, rel *etcdRelease) *etcdModel {
	m := &etcdModel{rel: rel, known: s.live.known, segs: s.segs}
	last := len(s.digests) - 1
	m.end = Position{Segment: s.segs[last].File, Off: s.digests[last].end}
	for _, r := range s.live.runs {
		m.live = append(m.live, span{r.first, r.last, r.term})
	}
	type pass struct {
		seg   int
		start uint32
	}
	done, b := map[pass]etcdSegment{}, newBudget()
	m.read = func(k int, start uint32) etcdSegment {
		if d := s.digests[k]; d.tidy && (rel.maxRecord == 0 || d.longest < rel.maxRecord) {
			return d.asEtcd(start, rel)
		}
		seg, ok := done[pass{k, start}]
		if !ok {
			seg = l.scanAsEtcd(k, etcdScan{rel, start, k == len(m.segs)-1}, b)
			done[pass{k, start}] = seg
		}
		return seg
	}
	return m
}

// asEtcd returns the digest of a flawless segment as etcd reads it after a chain of start.
func (d *digest) asEtcd(start uint32, rel *etcdRelease) etcdSegment {
	return etcdSegment{sum: d.ended.sum, end: d.end, steps: []etcdStep{
		{kind: stepCRC, running: start, stored: d.seed},
		{kind: stepMetadata, meta: newEtcdMeta(d.meta, rel)},
		{kind: stepEvents, events: d.list.events},
	}}
}

// replaced holds the entries that a later record overwrote.
type replaced struct{ spans []span } // sorted by term, then index; disjoint

func newReplaced(spans []span) *replaced {
	r := &replaced{slices.Clone(spans)}
	slices.SortFunc(r.spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.term, b.term), cmp.Compare(a.first, b.first))
	})
	merged := r.spans[:0]
	for _, s := range r.spans {
		n := len(merged)
		if n > 0 && merged[n-1].term == s.term && s.first <= merged[n-1].last+1 {
			merged[n-1].last = max(merged[n-1].last, s.last)
			continue
		}
		merged = append(merged, s)
	}
	r.spans = merged
	return r
}

// without returns the part of a span that was not overwritten: no intact record has it.
func (r *replaced) without(s span) []span {
	i, _ := slices.BinarySearchFunc(r.spans, s, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.term, b.term), cmp.Compare(a.last, b.first))
	})
	rest := r.spans[i:]
	n := 0
	for n < len(rest) && rest[n].term == s.term && rest[n].first <= s.last {
		n++
	}
	return minus([]span{s}, rest[:n])
}

// etcdRefusal is why etcd doesn't start. In the model's loops it ends a walk.
type etcdRefusal struct {
	cause   etcdCause
	log     string // the server's log line
	text    string // the error
	torn    bool   // a repair is tried first
	unknown bool
	at      *place // where; nil if it is about no place
}

// etcdCause tells one reason of a refusal from the others, whatever words a release has for it.
type etcdCause uint8

const (
	causeNone etcdCause = iota
	causeDecode
	causeLength
	causeChecksum
	causeChain
	causeKind
	causePayload
	causeMetadata
	causeSnapshot
	causeGap
	causeNames
	causeIdentity
	causeCommit
)

const (
	errConflict   = "wal: conflicting metadata found"
	errOtherSnap  = "wal: snapshot mismatch"
	errOutOfRange = "wal: slice bounds out of range"
	errMaxRecord  = "wal: max entry size limit exceeded"
)

func (m *etcdModel) outlook() Outlook {
	o := Outlook{From: m.rel.from, To: m.rel.to, fileBase: m.rel.fileBase}
	start, no := m.startSnapshot()
	if no == nil {
		no = m.load(&o, start)
	}
	if no != nil {
		o.Action, o.Log, o.Error, o.cause = ActionRefuses, no.log, no.text, no.cause
		if no.unknown {
			o.Action = ActionUnknown
		}
		if no.at != nil {
			o.At = &Position{Segment: m.segs[no.at.seg].File, Off: no.at.off}
		}
		return o
	}
	m.compare(&o)
	return o
}

// compare sets what etcd reads beside what the log holds.
func (m *etcdModel) compare(o *Outlook) {
	behind := func(r IndexRange) bool { return r.First > o.Last.Index }
	switch {
	case len(o.Ghosts) > 0 || len(o.Lost) > 0 && !behind(o.Lost[0]):
		o.Action = ActionMisreads
	case len(o.Lost) > 0 || o.Cut != nil:
		o.Action = ActionDropsEnd
	default:
		o.Action = ActionBoots
	}
	for _, r := range o.Lost {
		if r.First <= m.known {
			o.Commits += min(r.Last, m.known) - r.First + 1
		}
	}
}

// walk hands all steps from segment first on to visit, until one refuses, and returns that or the
// decoder's error, and where it was.
func (m *etcdModel) walk(first int, visit func(*etcdStep) *etcdRefusal) (at place, no *etcdRefusal) {
	var running uint32
	for k := first; k < len(m.segs); k++ {
		seg := m.read(k, running)
		at = place{k, seg.end}
		for i := range seg.steps {
			if no := m.checkChain(&seg.steps[i]); no != nil {
				no.at = &place{seg: k}
				return at, no
			}
			if no := visit(&seg.steps[i]); no != nil {
				no.setPlace(at)
				return at, no
			}
		}
		if f := seg.fault; f != nil {
			if f.unknown {
				return at, &etcdRefusal{text: f.text, unknown: true, at: &at}
			}
			no := &etcdRefusal{cause: f.cause, log: m.rel.lines.read, text: f.text, torn: f.torn, at: &at}
			if f.panics {
				no.log = ""
			}
			return at, no
		}
		running = seg.sum
	}
	return at, nil
}

// setPlace sets where a refusal is that a step of a segment gave: at the event that it is about, or else
// somewhere before the end of what was decoded.
func (no *etcdRefusal) setPlace(end place) {
	if no.at == nil {
		no.at = &end
		return
	}
	no.at.seg = end.seg
}

// checkChain compares a crc record with the running value, which isn't known while it is 0.
func (m *etcdModel) checkChain(st *etcdStep) *etcdRefusal {
	if st.kind == stepCRC && st.running != 0 && st.running != st.stored {
		return &etcdRefusal{cause: causeChain, log: m.rel.lines.read, text: m.rel.errChain}
	}
	return nil
}

// startSnapshot chooses the snapshot that the log is read from, among the snapshot records up to
// the last commit: the last of them, or the newest that has a file.
func (m *etcdModel) startSnapshot() (start raftpb.EntryID, no *etcdRefusal) {
	var all []raftpb.EntryID
	var commit uint64
	_, no = m.walk(0, func(st *etcdStep) *etcdRefusal {
		if st.kind == stepPanic && st.state {
			return &etcdRefusal{cause: causePayload, text: st.text}
		}
		for i := range st.events {
			if e := &st.events[i]; e.kind == eventSnapshot {
				all = append(all, e.id)
			}
			if s := &st.events[i].states; s.n > 0 {
				commit = s.last.Commit
			}
		}
		return nil
	})
	if no != nil && !no.torn {
		if no.log != "" && !no.unknown {
			no.log = m.rel.lines.start
		}
		return start, no
	}
	valid := slices.DeleteFunc(all, func(id raftpb.EntryID) bool { return id.Index > commit })
	if m.rel.fileBase {
		return m.newestFile(valid), nil
	}
	if len(valid) > 0 {
		start = valid[len(valid)-1]
	}
	return start, nil
}

// newestFile returns the newest .snap file, by term and then index, that a valid record names.
func (m *etcdModel) newestFile(valid []raftpb.EntryID) (newest raftpb.EntryID) {
	for _, id := range valid {
		if id.Index == 0 || m.snaps != nil && !slices.Contains(m.snaps, id) {
			continue
		}
		if id.Term > newest.Term || id.Term == newest.Term && id.Index > newest.Index {
			newest = id
		}
	}
	return newest
}

// load opens the log at the start snapshot and reads it, with one repair of a torn end.
func (m *etcdModel) load(o *Outlook, start raftpb.EntryID) *etcdRefusal {
	first, no := m.selectSegments(start)
	if no != nil {
		return no
	}
	r := etcdReader{rel: m.rel, start: start}
	at, no := m.walk(first, r.step)
	if no != nil && no.torn {
		no = m.repair(at, no)
		o.repaired = true
	}
	if no != nil {
		return no
	}
	if end := (Position{Segment: m.segs[at.seg].File, Off: at.off}); o.repaired ||
		end.Segment == m.end.Segment && end.Off < m.end.Off {
		o.Cut = &end
	}
	o.Start, o.State, o.Last, o.read = start, r.state, start, r.ents
	if n := len(r.ents); n > 0 {
		o.Last = raftpb.EntryID{Term: r.ents[n-1].term, Index: r.ents[n-1].last}
		o.Entries = o.Last.Index - start.Index
	}
	m.setDifference(o)
	return r.boot(o)
}

// setDifference sets how what is read differs from what is live.
func (m *etcdModel) setDifference(o *Outlook) {
	live := above(m.live, o.Start.Index)
	o.Lost = indexRanges(minus(live, o.read))
	var strange []span
	dead := minus(o.read, live)
	for _, s := range dead {
		strange = append(strange, m.over.without(s)...)
	}
	o.Ghosts, o.Unexplained = indexRanges(minus(dead, strange)), indexRanges(strange)
}

// selectSegments chooses the last segment whose name is not above the start, and all after it.
func (m *etcdModel) selectSegments(start raftpb.EntryID) (int, *etcdRefusal) {
	first := len(m.segs) - 1
	for first >= 0 && m.segs[first].Name.Index > start.Index {
		first--
	}
	if first < 0 {
		return 0, m.refuseNames(fmt.Sprintf(
			"wal: file not found which matches the snapshot index '%d'", start.Index))
	}
	for k := first + 1; k < len(m.segs); k++ {
		if prev := m.segs[k-1].Name.Seq; prev != 0 && prev != m.segs[k].Name.Seq-1 {
			return 0, m.refuseNames(fmt.Sprintf(
				"wal: file sequence numbers (starting from %d) do not increase continuously", first))
		}
	}
	return first, nil
}

// refuseNames is what etcd says of segments whose names don't fit.
func (m *etcdModel) refuseNames(detail string) *etcdRefusal {
	text := "wal: file not found"
	if m.rel.detailed {
		text = "openAtIndex failed: [openAtIndex] selectWALFiles failed: " + detail
	}
	return &etcdRefusal{cause: causeNames, log: m.rel.lines.open, text: text}
}

// repair does what etcd does about a torn write: it cuts the last segment behind the last record
// that decodes, and starts over. An error in any other segment comes again then.
func (m *etcdModel) repair(at place, no *etcdRefusal) *etcdRefusal {
	last := len(m.segs) - 1
	seg := m.read(last, 0)
	failed := seg.fault != nil && !seg.fault.torn
	for i := range seg.steps {
		failed = failed || m.checkChain(&seg.steps[i]) != nil
	}
	switch {
	case failed:
		return &etcdRefusal{cause: no.cause, log: m.rel.lines.repair, text: no.text, at: no.at}
	case at.seg != last:
		return &etcdRefusal{cause: no.cause, log: m.rel.lines.read, text: no.text, at: no.at}
	}
	return nil
}
