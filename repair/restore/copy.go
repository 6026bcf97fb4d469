package restore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/staging"
)

const (
	// pieceSize is that of a piece of a copy, in bytes: all of them stay in the processor's cache until they are
	// summed up and written.
	pieceSize = 256 << 10
	pieces    = 4 // that are in memory
)

// copyBase copies the base to a new file, and compares its sum meanwhile.
func (r *run) copyBase(ctx context.Context, to string) error {
	b := r.plan.Base
	f, err := r.fs.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, staging.FileMode)
	if err != nil {
		return err
	}
	var sum *summer
	if b.Sum == SumPending {
		sum = newSummer()
	}
	err = errors.Join(r.copyPieces(ctx, f, b.db.Raw(), sum), f.Close())
	got := sum.done()
	if err == nil {
		err = b.db.Unchanged()
	}
	if err != nil || sum == nil {
		return err
	}
	return b.checkSum(got)
}

// checkSum compares the sum of what was copied with the one that lies behind the database.
func (b *Base) checkSum(got [sha256.Size]byte) error {
	want, _, err := b.db.Trailer()
	if err != nil {
		return err
	}
	if got != want {
		return damagef("%s: sha256 %x, want %x, which lies behind the database; 'raftctl snapshot verify' tells more, "+
			"--skip-hash-check restores it all the same", b.db.Name(), got, want)
	}
	b.Sum = SumOK
	return nil
}

// copyPieces copies all that in has, and gives every piece to the summer as well, if there is one.
func (r *run) copyPieces(ctx context.Context, to vfs.File, in io.Reader, sum *summer) error {
	free := make(chan []byte, pieces)
	for range pieces {
		free <- make([]byte, pieceSize)
	}
	behind := newFlusher(to)
	defer behind.stop()
	for done := int64(0); done < r.plan.Base.Size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		buf := <-free
		n, err := io.ReadFull(in, buf[:min(pieceSize, r.plan.Base.Size-done)])
		if err != nil {
			return fmt.Errorf("%s: offset %d: %w", r.plan.Base.db.Name(), done+int64(n), err)
		}
		sum.add(buf[:n], free)
		if _, err := to.Write(buf[:n]); err != nil {
			return err
		}
		if sum == nil {
			free <- buf
		}
		done += int64(n)
		behind.reached(done)
		r.progress(StepCopy, done, r.plan.Base.Size)
	}
	return nil
}

// flusher makes the system write a file to the disk while more of it comes.
type flusher struct {
	begun  int64 // up to where
	ranges chan [2]int64
	ended  chan struct{}
}

// flushSize is how many bytes are given to the disk at a time.
const flushSize = 8 << 20

func newFlusher(f vfs.File) *flusher {
	l := &flusher{ranges: make(chan [2]int64, 1), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		for r := range l.ranges {
			vfs.WriteBehind(f, r[0], r[1]-r[0])
		}
	}()
	return l
}

// reached says how far the file goes by now. Where the disk is still busy, what has come is left for later.
func (l *flusher) reached(size int64) {
	if size-l.begun < flushSize {
		return
	}
	select {
	case l.ranges <- [2]int64{l.begun, size}:
		l.begun = size
	default:
	}
}

// stop ends it. The file may be closed then.
func (l *flusher) stop() {
	close(l.ranges)
	<-l.ended
}

// summer sums up pieces while they are written elsewhere. A nil one does nothing.
type summer struct {
	pieces chan summed
	sum    chan [sha256.Size]byte
}

type summed struct {
	b    []byte
	free chan<- []byte // where it goes afterwards
}

func newSummer() *summer {
	s := &summer{make(chan summed, pieces), make(chan [sha256.Size]byte, 1)}
	go func() {
		h := sha256.New()
		for p := range s.pieces {
			_, _ = h.Write(p.b) // a hash never fails
			p.free <- p.b[:cap(p.b)]
		}
		s.sum <- [sha256.Size]byte(h.Sum(nil))
	}()
	return s
}

func (s *summer) add(b []byte, free chan<- []byte) {
	if s != nil {
		s.pieces <- summed{b, free}
	}
}

// done returns the sum of all pieces. No more can be added.
func (s *summer) done() (sum [sha256.Size]byte) {
	if s == nil {
		return sum
	}
	close(s.pieces)
	return <-s.sum
}
