package wal

import (
	"errors"
	"io"
	"io/fs"
	"iter"
)

// Walk yields the records from r on in src, a segment of size bytes, as long as they are flawless:
// each byte of their frames as a writer puts it, their data proven by the chain, and what it says fit
// for the place. r moves along, so that r.Off is where the walk ended. An error is one of reading src,
// and the last thing yielded. A record is valid until the next one is asked for.
func (d *Dialect) Walk(src io.ReaderAt, size int64, r *Reached) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		s := newScanner(statless{src}, scanOptions{kinds: d, size: size, seed: r.Sum, seeded: r.Seeded})
		s.off, s.prior, s.probe.unpadded = r.Off, r.prior, r.Unpadded
		for {
			err := errors.Join(s.load(), s.probe.err)
			if err != nil {
				yield(nil, err)
				return
			}
			if !s.quick() {
				return
			}
			*r = s.reached()
			if !yield(&s.rec, nil) {
				return
			}
		}
	}
}

// statless is a segment of which nothing is known but its bytes.
type statless struct{ io.ReaderAt }

func (statless) Stat() (fs.FileInfo, error) { return nil, errors.ErrUnsupported }
