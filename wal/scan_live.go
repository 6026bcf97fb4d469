package wal

import (
	"slices"
	"time"
)

// The end of a log changes while a process writes it, and what is read of it then can be anything:
// the pages of one write appear one by one, some of them before and some after they were read. So
// damage in the last segment is believed only if its bytes did not change between two looks.

const (
	// maxLooks is how often the end of a log is looked at while it changes under each look.
	maxLooks = 100

	// lookPause is how long a process that holds the segment is given to go on with a write that it
	// is in the middle of.
	lookPause = 10 * time.Millisecond

	// recently is how long ago a segment that no lock tells about was changed at most if a process
	// may still be writing it.
	recently = 2 * time.Second
)

// steady reports whether a ruling can be believed: a second look must give the same, and all bytes
// from off up to where the ruling looked must be what they were. That goes for a record without
// damage as well: what is in memory of it may be older than what proves it. What a process that holds the
// segment is in the middle of writing is no torn end: v then becomes the ruling that the log ends.
func (s *scanner) steady(v *ruling) (bool, error) {
	if !s.tail || s.still || len(v.damages) == 0 && !v.hasRecord {
		return true, nil
	}
	held := inUse(s.file)
	changing, err := s.changing(held)
	if err != nil || !changing {
		return !changing, err
	}
	before, budget := s.checksum(v), s.probe.budget
	if held {
		time.Sleep(lookPause)
	}
	if _, err := s.resize(); err != nil {
		return false, err
	}
	s.win.forget()
	again, quick, err := s.peekAgain()
	if err != nil || quick || !again.same(v) || s.checksum(v) != before {
		return false, err
	}
	s.probe.budget = budget
	if held && len(v.damages) > 0 && v.damages[0].Class == ClassTorn {
		*v = s.stop()
	}
	return true, nil
}

// changing reports whether another process may be writing the segment right now.
func (s *scanner) changing(held bool) (bool, error) {
	if held {
		return true, nil
	}
	grown, err := s.resize()
	if err != nil || grown {
		return grown, err
	}
	info, err := s.file.Stat()
	return err == nil && time.Since(info.ModTime()) < recently, err
}

// peekAgain looks at off once more, and leaves the scanner where it is.
func (s *scanner) peekAgain() (v ruling, quick bool, err error) {
	off, sum, prior, rec := s.off, s.sum, s.prior, s.rec
	v, quick, err = s.look()
	s.off, s.sum, s.prior, s.rec = off, sum, prior, rec
	return v, quick, err
}

// checksum returns the checksum of the bytes that a ruling is about: up to the record behind the
// damage, or all that remains.
func (s *scanner) checksum(v *ruling) uint32 {
	end := s.size
	switch {
	case v.hasRecord:
		end = v.frame.end()
	case !v.stop:
		end = s.off + v.skip
		if f, ok := s.probe.frame(end); ok {
			end = f.end()
		}
	}
	sum := uint32(0)
	for off := s.off; off < end; {
		b := s.probe.read(off, end-off)
		if len(b) == 0 {
			break
		}
		sum = updateCRC(sum, b)
		off += int64(len(b))
	}
	return sum
}

// same reports whether two rulings on a place say the same.
func (v *ruling) same(w *ruling) bool {
	return v.skip == w.skip && v.hasRecord == w.hasRecord && v.frame == w.frame &&
		v.kind == w.kind && v.sum == w.sum && v.stop == w.stop && slices.Equal(v.damages, w.damages)
}
