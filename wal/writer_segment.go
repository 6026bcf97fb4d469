package wal

import (
	"os"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
)

const segmentMode = 0o600

// tail is the segment that is written to.
type tail struct {
	file      vfs.File
	off       int64 // end of the last record
	allocated int64 // size in bytes that disk space is reserved for, 0 if it isn't
	zeroed    int64 // below it every block was written once, be it with zeros
	dirty     bool  // written since the last sync
	begun     int64 // below it the disk was asked to take what was written: see writeBehind

	onSync func(time.Duration) // see WriterOptions
}

const (
	// zeroStride is how many bytes of zeros are written ahead at once. The first write to a reserved
	// block makes the file system note that it is in use, and the next sync pay for it; writing many
	// such blocks at once costs little more than one. A sync after 4 KiB takes a third less then.
	zeroStride = 256 << 10

	// zeroWrite is the size in bytes of a single write of zeros. Linux keeps what one write brought
	// as one unit in memory, and later syncs take the longer, the larger it is.
	zeroWrite = 64 << 10

	// zeroBatch is the size in bytes of a batch above which the zeros would cost more than they save.
	zeroBatch = 32 << 10

	blockSize = 4096 // of file systems
)

var zeros [zeroWrite]byte

// write adds bytes at the end of the segment.
func (t *tail) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	end := t.off + int64(len(b))
	if end > t.zeroed && len(b) <= zeroBatch {
		if err := t.zeroAhead(end); err != nil {
			return err
		}
	}
	t.dirty = true
	_, err := t.file.WriteAt(b, t.off)
	t.off = end
	return err
}

// zeroAhead writes zeros beyond the records that are about to end at off.
func (t *tail) zeroAhead(off int64) error {
	lo := max(t.zeroed, (off+blockSize-1)&^(blockSize-1))
	hi := min(lo+zeroStride, t.allocated)
	for ; lo < hi; lo += zeroWrite {
		if _, err := t.file.WriteAt(zeros[:min(zeroWrite, hi-lo)], lo); err != nil {
			return err
		}
		t.zeroed = min(lo+zeroWrite, hi)
	}
	return nil
}

// behindStride is how many bytes are given to the disk at a time while nobody waits for them.
const behindStride = 8 << 20

// writeBehind lets the disk begin with what was written, so that a sync has less left to do.
func (t *tail) writeBehind() {
	if t.off-t.begun >= behindStride {
		vfs.WriteBehind(t.file, t.begun, t.off-t.begun)
		t.begun = t.off
	}
}

// sync makes durable what was written.
func (t *tail) sync() error {
	if !t.dirty {
		return nil
	}
	t.dirty = false
	if t.onSync == nil {
		return t.file.Sync()
	}
	start := time.Now()
	err := t.file.Sync()
	t.onSync(time.Since(start))
	return err
}

// nextSegment writes the last records of the segment, and begins the next with its head. A segment
// gets its name when its head is durable, and the head is durable after everything before it; so
// whatever is lost, what is left is a log.
func (w *Writer) nextSegment(last []byte, name SegmentName, head []byte) error {
	if err := w.finishSegment(last); err != nil {
		return err
	}
	s, err := w.spare.take()
	if err != nil {
		return err
	}
	next := tail{file: s.file, allocated: s.allocated, onSync: w.opts.OnSync}
	if err := next.write(head); err != nil {
		return closing(s.file, err)
	}
	if err := next.sync(); err != nil {
		return closing(s.file, err)
	}
	path := w.path(name)
	if next.file, err = renameOpen(w.fsys, s, path); err != nil {
		return err
	}
	w.locks.add(name, next.file)
	w.tail = next
	return w.fsys.SyncDir(w.dir)
}

// finishSegment writes the last records of the segment and gives back the space after them.
func (w *Writer) finishSegment(last []byte) error {
	t := &w.tail
	if err := t.write(last); err != nil {
		return err
	}
	if err := t.file.Truncate(t.off); err != nil {
		return err
	}
	t.dirty = true
	return t.sync()
}

// renameOpen gives a spare that is open and locked its final name. Where an open file can't be
// renamed it is closed for that moment, with its lock.
func renameOpen(fsys vfs.FS, s spare, path string) (vfs.File, error) {
	first := fsys.Rename(s.path, path)
	if first == nil {
		return s.file, nil
	}
	if err := s.file.Close(); err != nil {
		return nil, err
	}
	if err := fsys.Rename(s.path, path); err != nil {
		return nil, first
	}
	return openLocked(fsys, path, os.O_RDWR)
}

// openLocked opens a segment for writing and takes its lock.
func openLocked(fsys vfs.FS, path string, flag int) (vfs.File, error) {
	f, err := fsys.OpenFile(path, flag, segmentMode)
	if err != nil {
		return nil, err
	}
	if err := f.Lock(); err != nil {
		return nil, closing(f, err)
	}
	return f, nil
}

// closing closes a file because of err, which it returns: closing can't add to it.
func closing(f vfs.File, err error) error {
	_ = f.Close()
	return err
}
