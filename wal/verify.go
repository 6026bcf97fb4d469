package wal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
)

// Verdict is the outcome of a check. It is never ok by omission.
type Verdict = verdict.Verdict

// The verdicts.
const (
	VerdictOK        = verdict.OK
	VerdictProblem   = verdict.Problem   // some finding is an error
	VerdictUnchecked = verdict.Unchecked // no error was found, and not everything was checked
)

// VerifyOptions tells Verify what to check. The zero value checks the log alone.
type VerifyOptions struct {
	// Snapshots are the .snap files that exist beside the log. Nil: not known, and not checked.
	Snapshots []raftpb.EntryID

	// Deep is called for every entry record, live or not, from several goroutines at once. The
	// entry aliases a buffer. What it returns becomes a finding at the record.
	Deep func(*raftpb.Entry) error

	// Keep is called with the data of every normal entry from index KeepFrom on, live or not, from
	// several goroutines at once. Those for which it returns true are kept, and membership changes: see
	// Report.Kept. The data aliases a buffer.
	Keep     func(data []byte) bool
	KeepFrom uint64

	// Progress is called now and then with the number of bytes done so far, never concurrently.
	Progress func(bytes int64)

	// Parallel is how many segments are read at a time; 0 for one a core.
	Parallel int
}

// Report is what Verify found.
type Report struct {
	Verdict  Verdict
	Findings []Finding     // in the order of the log; at most 100 of a class
	Omitted  map[Class]int // how many findings of a class are left out

	First, Last raftpb.EntryID // the ends of the live entries
	State       raftpb.HardState
	Ranges      []IndexRange // the live entries, split where any are missing or may be

	// Intact is the one of Ranges that a member would start from: it goes on from the newest valid
	// snapshot. Without such a snapshot it is the first.
	Intact IndexRange

	Segments []SegmentReport

	// Outlooks tell what the releases of etcd do with the log, in ascending order: one for each group
	// of releases that may differ. FoldOutlooks joins those that don't.
	Outlooks []Outlook

	// Kept are the entry records that VerifyOptions.Keep asked for, in the order of the log, and those
	// of membership changes. Past some MiB of them KeptAll is false, and some are missing.
	Kept    []KeptEntry
	KeptAll bool

	View    *View // nil if the history could not be followed
	Records int64
	Bytes   int64 // size of all segments
}

// KeptEntry is an entry record that was kept while the log was read.
type KeptEntry struct {
	Pos  Position
	Data []byte // the entry's encoding
}

// SegmentReport is what Verify found in one segment.
type SegmentReport struct {
	Segment
	Used    int64 // bytes up to the end of the last record, or of the damage behind it
	Records int64
	Intact  bool // every byte is as a writer puts it
}

// Commit returns the index that the last hard state commits.
func (r *Report) Commit() uint64 { return r.State.Commit }

// Verify reads every byte of the log once, all segments in parallel, and reports everything that is
// not as a healthy etcd leaves it. Segments in which something is wrong are read a second time, to
// tell what etcd makes of them. The error is ctx's; whatever could not be read is a finding.
func (l *Log) Verify(ctx context.Context, o VerifyOptions) (*Report, error) {
	s, err := l.survey(ctx, o)
	if err != nil {
		return nil, err
	}
	r := &Report{Verdict: VerdictOK, KeptAll: s.keptAll}
	for i, d := range s.digests {
		r.Records += d.records
		for _, k := range d.kept {
			r.Kept = append(r.Kept, KeptEntry{Position{s.segs[i].File, k.off}, k.data})
		}
		r.Bytes += s.segs[i].Size
		r.Segments = append(r.Segments, SegmentReport{s.segs[i], d.end, d.records, d.tidy})
	}
	if l.dialect == Etcd {
		r.Outlooks = l.outlooks(s, o)
	}
	if !s.full {
		v := s.view(l)
		r.View, r.First, r.Last, r.State, r.Ranges = v, v.First, v.Last, v.State, v.Ranges
		r.Intact = v.intact()
		s.checkSnapshots(r, o)
		if l.dialect == Etcd {
			s.checkOutlook(r)
		}
	}
	l.checkTail(s)
	l.checkSpares(s)
	r.Findings, r.Omitted = s.found.sorted(s.segs), s.found.omitted()
	switch {
	case s.found.bad:
		r.Verdict = VerdictProblem
	case s.err() != nil || len(s.found.kept[ClassUnchecked]) > 0:
		r.Verdict = VerdictUnchecked
	}
	return r, nil
}

// NewestSnapshot returns the last valid snapshot record, nil if there is none but that of index 0.
func (v *View) NewestSnapshot() *SnapshotRef {
	for i := len(v.Snapshots) - 1; i >= 0; i-- {
		if s := &v.Snapshots[i]; s.Valid && s.Index > 0 {
			return s
		}
	}
	return nil
}

func (v *View) intact() IndexRange {
	if len(v.Ranges) == 0 {
		return IndexRange{}
	}
	if s := v.NewestSnapshot(); s != nil {
		for _, r := range v.Ranges {
			if r.First <= s.Index+1 && s.Index <= r.Last {
				return r
			}
		}
	}
	return v.Ranges[0]
}

// checkSnapshots compares the snapshot records with the commit and with the files.
func (s *survey) checkSnapshots(r *Report, o VerifyOptions) {
	newest := r.View.NewestSnapshot()
	for _, ref := range r.View.Snapshots {
		if !ref.Valid {
			s.found.add(ref.at, ClassSnapshotBeyond, fmt.Sprintf(
				"snapshot at %s is above the last commit %d: etcd ignores it", indexName(ref.EntryID), r.State.Commit))
		}
	}
	if newest == nil || o.Snapshots == nil || slices.Contains(o.Snapshots, newest.EntryID) ||
		len(r.Outlooks) == 0 {
		return
	}
	late, early := r.Outlooks[len(r.Outlooks)-1], Outlook{}
	for _, p := range r.Outlooks {
		if p.fileBase {
			early = p
		}
	}
	early.From = r.Outlooks[0].From
	sev, why := SeverityInfo, " start from an older one or from the log's beginning"
	if early.Action == ActionRefuses && late.Action != ActionRefuses {
		sev, why = SeverityError, " can't start: "+early.Error
	}
	s.found.addAs(newest.at, sev, ClassSnapshotFile, fmt.Sprintf(
		"no file for the snapshot at %s; %s doesn't need it, etcd %s%s", indexName(newest.EntryID), late.Releases(),
		early.Releases(), why))
}

// checkOutlook reports where etcd would see other entries than the log holds, or not start,
// although nothing else is wrong.
func (s *survey) checkOutlook(r *Report) {
	list := FoldOutlooks(r.Outlooks)
	slices.Reverse(list) // the newest release counts most
	for i := range list {
		if o := &list[i]; len(o.Ghosts) > 0 {
			s.found.add(s.live.stateAt, ClassGhost, fmt.Sprintf(
				"etcd %s, starting from the snapshot at index %d, brings overwritten %s back from the dead",
				o.Releases(), o.Start.Index, joinRanges(o.Ghosts)))
			break
		}
	}
	if s.found.bad {
		return
	}
	at := place{len(s.digests) - 1, s.digests[len(s.digests)-1].end}
	for i := range list {
		if list[i].good() {
			continue
		}
		sev := SeverityWarning // of older releases, and where it isn't the log of an etcd member
		if i == 0 && r.View.Metadata.NodeID != 0 {
			sev = SeverityError
		}
		s.found.addAs(at, sev, ClassEtcdStart, list[i].String())
		return
	}
}

// checkTail looks at how the last segment ends. One that is as large as a writer lets it become has
// a successor, unless the writer died while it began that, or is at it. One that wasn't allocated
// ahead of time was left so by etcd's own repair, or is a copy that was cut off between two
// records, which nothing else would tell.
func (l *Log) checkTail(s *survey) {
	k := len(s.digests) - 1
	if k < 0 || s.digests[k].err != nil {
		return
	}
	size, end := s.segs[k].Size, s.digests[k].end
	switch {
	case end >= SegmentSize && !l.single:
		l.checkFullTail(s, place{k, end})
	case s.digests[k].tidy && size == end && size < SegmentSize:
		s.found.add(place{k, end}, ClassShortTail, fmt.Sprintf(
			"the last segment ends at %d without space ahead, as after a repair", end))
	}
}

func (l *Log) checkFullTail(s *survey, end place) {
	goesOn, err := l.goesOn()
	if err == nil && !goesOn {
		// Between the record that fills a segment and the first byte of the next there is a sync,
		// which may take its time: whoever holds the segment is at it.
		var f segmentHandle
		if f, err = l.openSegment(end.seg); err == nil {
			goesOn = inUse(f)
			_ = f.Close() // opened for reading
		}
	}
	switch {
	case err != nil:
		s.found.add(end, ClassUnchecked, fmt.Sprintf("whether another segment follows: %v", bare(err)))
	case !goesOn:
		s.found.add(end, ClassLostEnd, fmt.Sprintf(
			"the last segment holds %d bytes of records: from %d on a writer goes on in another one, "+
				"which is missing", end.off, SegmentSize))
	}
}

// goesOn reports whether there is a successor of the last segment, which came since the log was
// opened, or the beginning of one.
func (l *Log) goesOn() (bool, error) {
	now := &Log{fsys: l.fsys, dir: l.dir, dialect: l.dialect}
	if err := now.list(); err != nil {
		return false, err
	}
	if now.segments[len(now.segments)-1].Name != l.segments[len(l.segments)-1].Name {
		return true, nil
	}
	for _, file := range now.spares {
		if head, err := l.headOf(file); err != nil || !allZero(head) {
			return err == nil, err
		}
	}
	return false, nil
}

// checkSpares notes the files beside the segments. A spare that isn't empty was interrupted in
// becoming a segment; etcd uses it again without clearing it, so that old bytes may come to lie
// behind the new ones.
func (l *Log) checkSpares(s *survey) {
	note := func(file string, c Class, detail string) {
		s.found.insert(placed{place{seg: len(s.segs)}, Finding{
			Class: c, Severity: severities[c], Pos: Position{Segment: file}, Evidence: detail}})
	}
	for _, seg := range l.segments {
		if _, ok := l.dialect.ParseFileName(seg.File); !ok && !l.single {
			note(seg.File, ClassOddName, fmt.Sprintf("etcd reads this name as that of %v", seg.Name))
		}
	}
	for _, file := range l.spares {
		head, err := l.headOf(file)
		switch {
		case errors.Is(err, fs.ErrNotExist): // a running etcd has renamed it
		case err != nil:
			note(file, ClassUnchecked, fmt.Sprintf("what this file begins with: %v", bare(err)))
		case allZero(head):
			note(file, ClassSpare, "a segment prepared for later, empty; etcd ignores it")
		default:
			note(file, ClassStaleSpare, fmt.Sprintf(
				"a segment prepared for later that begins with %x: left over from a crash", head))
		}
	}
	switch n := len(l.ignored); n {
	case 0:
	case 1:
		note(l.ignored[0], ClassIgnored, "no segment; etcd ignores it")
	default:
		note(l.ignored[0], ClassIgnored, fmt.Sprintf("no segment, like %d more files up to %s; etcd ignores them",
			n-1, l.ignored[n-1]))
	}
}

// headOf returns the first bytes of a file beside the segments, as many as a frame's header has or
// the file holds.
func (l *Log) headOf(file string) ([]byte, error) {
	name := path.Join(l.dir, file)
	f, _, err := vfs.OpenRegular(l.fsys, name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing can be lost
	head := make([]byte, frameHeaderSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return head[:n], nil
}
