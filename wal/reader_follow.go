package wal

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"slices"
	"time"
)

// Follow is Records in Inspect mode, from a position on, and doesn't end where the log ends: it
// looks every interval whether a running process has written more. It goes on across the beginning
// of new segments, and over a gap, with a damage of ClassMissingSegment, if old ones are removed
// before they were read. A record that is only half written is not yielded before the rest is
// there; damage at the end of the log only when intact records follow it, or the next segment
// begins.
//
// The zero Position means the beginning of the log. Another one is where a record began, or where
// the one that was read last ended. If its segment is gone, reading begins with the next one.
//
// The iteration ends with the error of ctx when that is done, without one when the log lies in an
// archive or is a single file and has been read.
func (l *Log) Follow(
	ctx context.Context, from Position, interval time.Duration,
) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		f := l.follower(from, interval)
		defer f.reader.close()
		for {
			rec, err := f.next(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			if rec == nil || !yield(rec, nil) {
				return
			}
		}
	}
}

type follower struct {
	reader   *reader
	log      Log // its own list of segments, which grows
	from     Position
	interval time.Duration
}

func (l *Log) follower(from Position, interval time.Duration) *follower {
	f := &follower{log: *l, from: from, interval: interval}
	f.log.segments = slices.Clone(l.segments)
	f.log.files = slices.Clone(l.files)
	f.reader = newReader(&f.log, Inspect)
	if from.Segment != "" {
		first := slices.IndexFunc(f.log.segments, func(s Segment) bool {
			return s.File >= from.Segment
		})
		if first < 0 {
			first = len(f.log.segments) - 1
		}
		f.reader.at = first - 1
	}
	return f
}

// next returns the next record when there is one, or nil at the end of a log that can't grow.
func (f *follower) next(ctx context.Context) (*Record, error) {
	for {
		rec, err := f.reader.step()
		if err != nil {
			return nil, err
		}
		if rec != nil {
			f.reader.silent = false
			if !f.passed(rec.Pos) {
				return rec, nil
			}
			continue
		}
		more, err := f.more(ctx)
		if err != nil || !more {
			return nil, err
		}
	}
}

// passed reports whether a position lies before the one to begin at.
func (f *follower) passed(p Position) bool {
	return p.Segment == f.from.Segment && p.Off < f.from.Off
}

// more goes on where the current segment has ended so far: to the next segment if there is one, or
// after a while to what may have been written meanwhile.
func (f *follower) more(ctx context.Context) (bool, error) {
	r := f.reader
	last := r.at == len(f.log.segments)-1
	if !last {
		err := r.advance()
		if errors.Is(err, fs.ErrNotExist) { // it was removed before it was read
			return true, f.relist()
		}
		if err == nil && r.at == len(f.log.segments)-1 {
			r.scan.wait = f.grows()
		}
		return true, err
	}
	if !f.grows() {
		return false, nil
	}
	if err := f.relist(); err != nil {
		return false, err
	}
	if r.scan != nil && r.at < len(f.log.segments)-1 {
		return true, r.scan.finish()
	}
	if err := f.sleep(ctx); err != nil || r.scan == nil {
		return true, err
	}
	_, err := r.scan.resize()
	r.scan.win.forget()
	return true, err
}

// grows reports whether the log can grow at all.
func (f *follower) grows() bool { return !f.log.single && !f.log.member.Archived }

func (f *follower) sleep(ctx context.Context) error {
	t := time.NewTimer(f.interval)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// relist replaces the segments after the current one by those that are there now.
func (f *follower) relist() error {
	now := Log{
		dialect: f.log.dialect, fsys: f.log.fsys, dir: f.log.dir, member: f.log.member,
	}
	if err := now.list(); err != nil {
		return err
	}
	at := f.reader.at
	segments, files := f.log.segments[:at+1], f.log.files[:at+1]
	for _, s := range now.segments {
		if at >= 0 && s.File <= segments[at].File {
			continue
		}
		info, err := fs.Stat(f.log.fsys, path.Join(f.log.dir, s.File))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		s.Size = info.Size()
		segments, files = append(segments, s), append(files, nil)
	}
	f.log.segments, f.log.files = segments, files
	return nil
}
