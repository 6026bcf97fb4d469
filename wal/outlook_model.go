package wal

import (
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// etcdModel plays through what etcd does with a log at start. It works on the digests that the
// pass over the bytes left, and reads again only segments that a digest doesn't describe as etcd
// would read them.
type etcdModel struct {
	rel   etcdRelease
	names []SegmentName
	snaps []raftpb.EntryID // the .snap files; nil: one for every snapshot record
	live  []span           // the live entries, by our reading
	known uint64           // highest index known to be committed
	end   int64            // offset behind the last record of the last segment, by our reading
	file  func(seg int) string
	read  func(seg int, start uint32, rel etcdRelease) etcdSegment
}

// outlook tells what etcd does with the log that was surveyed.
func (l *Log) outlook(s *survey, o VerifyOptions, rel etcdRelease) Outlook {
	if _, whole := l.firstSeed(); l.single && !whole || s.full {
		return Outlook{Action: ActionUnknown, Release: rel.String(),
			Error: "that takes the whole log"}
	}
	m := &etcdModel{rel: rel, snaps: o.Snapshots, known: s.live.known}
	m.end = s.digests[len(s.digests)-1].end
	m.file = func(k int) string { return s.segs[k].File }
	for _, r := range s.live.runs {
		m.live = append(m.live, span{r.first, r.last, r.term})
	}
	for _, seg := range s.segs {
		m.names = append(m.names, seg.Name)
	}
	type pass struct {
		seg   int
		start uint32
	}
	done, b := map[pass]etcdSegment{}, newBudget()
	m.read = func(k int, start uint32, rel etcdRelease) etcdSegment {
		if d := s.digests[k]; d.tidy {
			return d.asEtcd(start)
		}
		seg, ok := done[pass{k, start}]
		if !ok {
			seg = l.scanAsEtcd(k, start, rel, b)
			done[pass{k, start}] = seg
		}
		return seg
	}
	return m.outlook()
}

// asEtcd returns the digest of a flawless segment as etcd reads it after a chain of start.
func (d *digest) asEtcd(start uint32) etcdSegment {
	return etcdSegment{sum: d.sum, end: d.end, steps: []etcdStep{
		{kind: stepCRC, running: start, stored: d.seed},
		{kind: stepMetadata, meta: newEtcdMeta(d.meta)},
		{kind: stepEvents, events: d.list.events},
	}}
}

// etcdRefusal is why etcd doesn't start. In the model's loops it ends a walk.
type etcdRefusal struct {
	log     string // the server's log line
	text    string // the error
	torn    bool   // a repair is tried first
	unknown bool
}

// What the server says when it gives up; the panics come without a line of their own.
const (
	logDiscovery  = "discovery failed" // its line for every error during bootstrap
	logOpen       = "failed to open WAL"
	logRead       = "failed to read WAL, cannot be repaired"
	logRepair     = "failed to repair WAL"
	errChain      = "walpb: crc mismatch"
	errConflict   = "wal: conflicting metadata found"
	errOtherSnap  = "wal: snapshot mismatch"
	errOutOfRange = "wal: slice bounds out of range"
)

func (m *etcdModel) outlook() Outlook {
	o := Outlook{Release: m.rel.String()}
	start, no := m.startSnapshot()
	if no == nil {
		no = m.load(&o, start)
	}
	if no != nil {
		o.Action, o.Log, o.Error = ActionRefuses, no.log, no.text
		if no.unknown {
			o.Action = ActionUnknown
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
	for k := first; k < len(m.names); k++ {
		seg := m.read(k, running, m.rel)
		at = place{k, seg.end}
		for i := range seg.steps {
			if no := checkChain(&seg.steps[i]); no != nil {
				return at, no
			}
			if no := visit(&seg.steps[i]); no != nil {
				return at, no
			}
		}
		if f := seg.fault; f != nil {
			if f.unknown {
				return at, &etcdRefusal{text: f.text, unknown: true}
			}
			return at, &etcdRefusal{log: logRead, text: f.text, torn: f.torn}
		}
		running = seg.sum
	}
	return at, nil
}

// checkChain compares a crc record with the running value, which isn't known while it is 0.
func checkChain(st *etcdStep) *etcdRefusal {
	if st.kind == stepCRC && st.running != 0 && st.running != st.stored {
		return &etcdRefusal{log: logRead, text: errChain}
	}
	return nil
}

// startSnapshot chooses the snapshot that the log is read from, among the snapshot records up to
// the last commit: 3.7 takes the last, releases before it the newest that has a file.
func (m *etcdModel) startSnapshot() (start raftpb.EntryID, no *etcdRefusal) {
	var all []raftpb.EntryID
	var commit uint64
	_, no = m.walk(0, func(st *etcdStep) *etcdRefusal {
		if st.kind == stepPanic && st.state {
			return &etcdRefusal{text: st.text}
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
			no.log = logDiscovery
		}
		return start, no
	}
	valid := slices.DeleteFunc(all, func(id raftpb.EntryID) bool { return id.Index > commit })
	if m.rel == etcd36 {
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
	r := etcdReader{start: start}
	at, no := m.walk(first, r.step)
	if no != nil && no.torn {
		no = m.repair(at, no)
		o.repaired = true
	}
	if no != nil {
		return no
	}
	if o.repaired || at.off < m.end {
		o.Cut = &Position{Segment: m.file(at.seg), Off: at.off}
	}
	o.Start, o.State, o.Last, o.read = start, r.state, start, r.ents
	if n := len(r.ents); n > 0 {
		o.Last = raftpb.EntryID{Term: r.ents[n-1].term, Index: r.ents[n-1].last}
		o.Entries = o.Last.Index - start.Index
	}
	live := above(m.live, start.Index)
	o.Lost, o.Ghosts = minus(live, r.ents), minus(r.ents, live)
	return r.boot(o)
}

// selectSegments chooses the last segment whose name is not above the start, and all after it.
func (m *etcdModel) selectSegments(start raftpb.EntryID) (int, *etcdRefusal) {
	first := len(m.names) - 1
	for first >= 0 && m.names[first].Index > start.Index {
		first--
	}
	const where = "openAtIndex failed: [openAtIndex] selectWALFiles failed: "
	if first < 0 {
		return 0, &etcdRefusal{log: logOpen, text: fmt.Sprintf(
			"%swal: file not found which matches the snapshot index '%d'", where, start.Index)}
	}
	for k := first + 1; k < len(m.names); k++ {
		if prev := m.names[k-1].Seq; prev != 0 && prev != m.names[k].Seq-1 {
			return 0, &etcdRefusal{log: logOpen, text: fmt.Sprintf("%swal: file sequence numbers "+
				"(starting from %d) do not increase continuously", where, first)}
		}
	}
	return first, nil
}

// repair does what etcd does about a torn write: it cuts the last segment behind the last record
// that decodes, and starts over. An error in any other segment comes again then.
func (m *etcdModel) repair(at place, no *etcdRefusal) *etcdRefusal {
	last := len(m.names) - 1
	seg := m.read(last, 0, m.rel)
	failed := seg.fault != nil && !seg.fault.torn
	for i := range seg.steps {
		failed = failed || checkChain(&seg.steps[i]) != nil
	}
	switch {
	case failed:
		return &etcdRefusal{log: logRepair, text: no.text}
	case at.seg != last:
		return &etcdRefusal{log: logRead, text: no.text}
	}
	return nil
}
