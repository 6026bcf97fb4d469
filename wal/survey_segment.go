package wal

import (
	"context"
	"errors"
	"io"
)

// progressStep is after how many bytes progress is told, and an interruption looked for.
const progressStep = 1 << 20

// errSearchEnded is a digest's error when the search for records behind damage was given up.
var errSearchEnded = errors.New("the search for records behind damage was cut short")

// digestSegment reads one segment into d.
func (l *Log) digestSegment(ctx context.Context, d *digest, progress func(int64)) {
	if d.ord == 0 {
		d.before, d.chained = l.firstSeed()
	}
	s, release, err := l.scan(d.ord, d.before, d.chained)
	if err != nil {
		d.err, d.tidy = err, false
		return
	}
	defer release()
	d.err = d.scan(ctx, s, progress)
	d.end, d.ended = s.off, chainEnd{s.sum, s.seeded}
	if rest := s.size - s.off; d.err != nil || rest > 0 && rest < frameHeaderSize {
		d.tidy = false // etcd takes the beginning of a frame header for a torn write
	}
	if s.probe.exhausted {
		d.err = errors.Join(d.err, errSearchEnded)
	}
	d.finish()
}

func (d *digest) scan(ctx context.Context, s *scanner, progress func(int64)) error {
	told := int64(0)
	for {
		r, err := s.next()
		if err != nil {
			return err
		}
		if r == nil {
			progress(s.size - told)
			return nil
		}
		d.record(r)
		if s.off-told >= progressStep {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			progress(s.off - told)
			told = s.off
		}
	}
}

// reader returns segment k as it lies, and a function that is to be called when it is done with.
func (l *Log) reader(k int) (io.ReaderAt, func(), error) {
	if f := l.files[k]; f != nil {
		return f, func() {}, nil
	}
	f, err := l.openFile(k)
	if err != nil {
		return nil, nil, err
	}
	return f, func() { _ = f.Close() }, nil // opened for reading: nothing can be lost
}
