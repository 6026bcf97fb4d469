package wal

import (
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// maxBuffered is how many bytes may wait for a sync that nobody asked for: an hour of commit
	// indexes, or a write of a size beyond which larger ones don't get faster.
	maxBuffered = 128 << 10

	// maxKept is the size in bytes above which a batch's buffer is not used again.
	maxKept = 4 << 20
)

// need is what a call waits for.
type need int

const (
	needBuffer need = iota // nothing
	needWrite              // that the system has the bytes
	needSync               // that the disk has them
)

// batch is what one write and one sync save, for all calls that came while the batch before was on
// its way. The first of them that has to wait leads: it does the write for all.
type batch struct {
	buf   []byte
	rolls []segmentRoll
	sync  bool

	callers int // those that wait
	pending atomic.Int32
	done    sync.WaitGroup
	err     error // set ahead of done
}

// turn is held by one at a time. It is no mutex because those who wait for it wait for the disk, which to
// testing/synctest is to be idle, and waiting for a mutex isn't.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take() { t <- struct{}{} }
func (t turn) give() { <-t }

// segmentRoll is a place in a batch where a new segment begins.
type segmentRoll struct {
	name SegmentName
	lo   int // the head of the segment is buf[lo:hi]
	hi   int
}

// join waits until the batch that is being gathered has got what the caller needs. The caller holds
// mu, and join gives it back.
func (w *Writer) join(n need) error {
	b := w.gather
	if n == needBuffer {
		if len(b.buf) < maxBuffered {
			w.mu.Unlock()
			return nil
		}
		n = w.flushNeed()
	}
	leads := b.callers == 0
	b.callers++
	b.pending.Add(1)
	b.sync = b.sync || n == needSync
	w.mu.Unlock()

	if leads {
		w.lead(b)
	} else {
		b.done.Wait()
	}
	err := b.err
	if b.pending.Add(-1) == 0 {
		w.recycle(b)
	}
	return err
}

// flushNeed is what a full buffer calls for.
func (w *Writer) flushNeed() need {
	if w.opts.NoSync {
		return needWrite
	}
	return needSync
}

// lead closes the batch and commits it.
func (w *Writer) lead(b *batch) {
	w.flush.take()
	w.await(b)
	w.mu.Lock()
	w.gather = w.fresh()
	w.crowd = b.callers
	err := w.err
	w.mu.Unlock()
	if err == nil {
		if err = w.commit(b); err != nil {
			err = w.stop(err)
		}
	}
	w.flush.give()
	b.err = err
	b.done.Done()
}

// await gives the callers of the batch before, who were just told that they may go on, the chance
// to come back with their next append: it then shares this batch's sync. A caller that is alone
// never waits.
func (w *Writer) await(b *batch) {
	const turns = 4
	for range turns {
		w.mu.Lock()
		crowded := b.callers >= w.crowd
		w.mu.Unlock()
		if crowded {
			return
		}
		runtime.Gosched()
	}
}

// stop makes err the answer to every later call.
func (w *Writer) stop(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	return err
}

// fresh returns an empty batch. The caller holds mu.
func (w *Writer) fresh() *batch {
	var b *batch
	if n := len(w.idle); n > 0 {
		b, w.idle = w.idle[n-1], w.idle[:n-1]
	} else {
		b = new(batch)
	}
	b.done.Add(1)
	return b
}

// recycle takes back a batch that nobody waits for any more.
func (w *Writer) recycle(b *batch) {
	if cap(b.buf) > maxKept {
		b.buf = nil
	}
	b.buf, b.rolls = b.buf[:0], b.rolls[:0]
	b.sync, b.callers, b.err = false, 0, nil
	w.mu.Lock()
	w.idle = append(w.idle, b)
	w.mu.Unlock()
}

// commit writes a batch, and syncs it if somebody waits for that. The caller holds flush.
func (w *Writer) commit(b *batch) error {
	rest := 0
	for _, c := range b.rolls {
		if err := w.nextSegment(b.buf[rest:c.lo], c.name, b.buf[c.lo:c.hi]); err != nil {
			return err
		}
		rest = c.hi
	}
	if err := w.tail.write(b.buf[rest:]); err != nil {
		return err
	}
	if w.opts.NoSync {
		w.tail.writeBehind()
	}
	w.spare.prepareAhead(w.tail.off)
	if !b.sync {
		return nil
	}
	return w.tail.sync()
}
