package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// An end is torn if what is there of its first frame is what an unfinished write leaves, and nothing
// behind it proves itself: no frame continues a checksum of the log, or is continued by another. The
// sectors of a write reach the disk in any order, so that its last frame may look whole behind those
// that are missing. This file is the only one that decides about it; whoever reads asks the scanner,
// and whoever appends reads first.

// smallestTorn is how many bytes must lie behind missing sectors to be taken for the rest of a
// write: a stray byte or two, far behind the end, is no record.
const smallestTorn = 64

// torn tells how the bytes from off to end, behind which the file has only zeros, are the beginning
// of a write that was not finished, or nothing if they aren't. Whoever calls it has searched what
// follows, and found nothing that proves itself.
func (s *scanner) torn(end int64, whole bool) (how string) {
	const crash = "; zeros follow, as a crash leaves them: nothing acknowledged is missing"
	switch {
	case s.cutOff():
		return "; the file ends here, as a copy that was cut short or a full disk leaves it"
	case s.lostHeader(end, whole) || s.lostSector():
		return crash
	}
	return ""
}

// cutOff reports whether the file ends within the frame at off, and what there is of the frame is
// as it should be.
func (s *scanner) cutOff() bool {
	b := s.probe.read(s.off, frameHeaderSize+maxPrefixSize)
	if len(b) < frameHeaderSize {
		return true
	}
	f := frame{off: s.off}
	var ok bool
	f.size, f.pad, ok = s.probe.header(binary.LittleEndian.Uint64(b))
	if !ok || f.len() <= s.size-s.off {
		return false
	}
	b = b[frameHeaderSize:]
	return len(b) < maxPrefixSize || f.size <= maxRecordSize && f.parse(b)
}

// lostHeader reports whether the bytes up to end are what is left of a write whose first sector is
// missing. Whole says that a frame among them looks whole.
func (s *scanner) lostHeader(end int64, whole bool) bool {
	first := s.probe.firstNonzero(s.off, end)
	next := alignUp(s.off+1, sectorSize)
	return first >= next && (whole || first < next+sectorSize || end-first >= smallestTorn)
}

// lostSector reports whether a sector is missing of the frame that begins at off: the part of the
// frame that lies in it is all zeros.
func (s *scanner) lostSector() bool {
	end := s.frameEnd()
	for lo := s.off; lo < end; {
		hi := min(alignUp(lo+1, sectorSize), end)
		if s.probe.firstNonzero(lo, hi) == hi {
			return true
		}
		lo = hi
	}
	return false
}

// LossError is returned when the end of a log would have to be cut off, to go on behind its last
// intact record, and that would lose what lies there. Nothing was changed.
type LossError struct {
	Finding   Finding      // what reading stopped at
	Lost      []IndexRange // the entries behind it that are intact
	Committed uint64       // how many of them were committed
}

// Error says what was found, and what cutting there would cost.
func (e *LossError) Error() string {
	cost := "records"
	if len(e.Lost) > 0 {
		cost = fmt.Sprintf("%s, %s", joinRanges(e.Lost), committedText(e.Committed))
	}
	return fmt.Sprintf("%v: cutting the log off there would lose %s", &e.Finding, cost)
}

// Refused says that going on could lose committed data.
func (e *LossError) Refused() bool { return true }

// Unwrap returns the finding as an error.
func (e *LossError) Unwrap() error { return e.Finding.Err() }

// lossOf tells what is lost if a log is cut off at a damage, behind the entry with index last.
func lossOf(v *View, at *Finding, last uint64) *LossError {
	e := &LossError{Finding: *at}
	for _, r := range v.Ranges {
		if r.Last <= last {
			continue
		}
		r.First = max(r.First, last+1)
		e.Lost = append(e.Lost, r)
		if r.First <= v.State.Commit {
			e.Committed += min(r.Last, v.State.Commit) - r.First + 1
		}
	}
	return e
}

// cutTorn removes a torn end. It must not come back after a crash: new records would then end in
// front of old bytes.
func (w *Writer) cutTorn(r *replay) error {
	if r.part.damage.Class != ClassTorn {
		return r.part.damage.Err() // refused before
	}
	t := &w.tail
	w.torn = TornEnd{At: r.part.end, Len: r.part.damage.Len}
	return errors.Join(t.file.Truncate(t.off), t.file.Sync())
}
