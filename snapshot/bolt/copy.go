package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrBusy is returned when a database changes faster than it can be copied.
var ErrBusy = errors.New("changes too fast to be copied")

// CopyOptions adjusts Copy.
type CopyOptions struct {
	// Progress is told how many bytes of how many are done; it may be nil.
	Progress func(done, total int64)
}

// Copy copies a database that another process may be writing to, without a lock, as it was after one of
// its transactions, and returns the size of the copy. Size tells that of the source, which may grow.
// Both meta pages of the copy say the same, as those of a saved database do; what is free in it is
// whatever it happens to be.
//
// It rests on what bbolt does with pages. A transaction t writes only to pages that were not in use
// after t-1, and a page that it stops using can be written to by t+2 at the earliest, since it is
// freed with t. So:
//
//   - What was read of the pages that t uses is what t has, if the meta pages show t, and nothing
//     later, once it was read.
//   - A page that both t and t+1 use is the same in both.
//
// Copy therefore watches the meta pages while it copies. When they go on by one transaction, it reads the
// pages that are new in the tree, which are few, and so knows which of those that it has copied are
// still in use; when they go on by more at a time, nothing is known any more, and it begins anew.
//
// The error is ErrBusy if that happens again and again, and a *CorruptError if the tree is not one of
// etcd's.
func Copy(
	ctx context.Context, src io.ReaderAt, size func() (int64, error), dst io.WriterAt, o CopyOptions,
) (int64, error) {
	c := &copier{ctx: ctx, src: src, size: size, dst: dst, progress: o.Progress, buf: make([]byte, max(copyChunk, MaxPageSize))}
	const attempts = 50
	for range attempts {
		err := c.run()
		if err == nil {
			return c.finish()
		}
		if !errors.Is(err, errMissed) {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%w: %d transactions while it was tried %d times", ErrBusy, c.now.TxID-c.started, attempts)
}

// copyChunk is how much is read at a time: little enough that the meta pages are looked at often.
const copyChunk = 512 << 10

// errMissed says that transactions went by unseen.
var errMissed = errors.New("transactions were missed")

// copier is a copy under way.
type copier struct {
	ctx      context.Context
	src      io.ReaderAt
	size     func() (int64, error)
	dst      io.WriterAt
	progress func(done, total int64)
	buf      []byte

	started uint64 // the first transaction that was seen
	now     Meta   // of the transaction that is being copied
	tree    *tree  // of it
	copied  *pageSet
	done    int64 // bytes copied since it began anew
}

// open reads the meta pages, and returns the database as it is now.
func (c *copier) open() (*DB, error) {
	size, err := c.size()
	if err != nil {
		return nil, err
	}
	return Open(c.src, size)
}

// run copies from the beginning until all pages of a transaction are there.
func (c *copier) run() error {
	db, err := c.open()
	if err != nil {
		return err
	}
	if c.started == 0 {
		c.started = db.meta.TxID
	}
	c.now, c.tree, c.copied, c.done = db.meta, nil, newPageSet(), 0
	if err := c.follow(db); err != nil {
		return err
	}
	for first, more := c.missing(0); more; first, more = c.missing(first) {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if first, err = c.chunk(first); err != nil {
			return err
		}
		if c.progress != nil {
			c.progress(c.done, int64(c.now.HighWater)*c.now.PageSize)
		}
	}
	return nil
}

// missing returns the next page in use, from one on and then from the start, that is yet to be copied.
func (c *copier) missing(from uint64) (uint64, bool) {
	for _, from := range []uint64{from, 0} {
		for id := range c.tree.pages.from(from) {
			if !c.copied.has(id) {
				return id, true
			}
		}
	}
	return 0, false
}

// follow takes over what the database is now: the same transaction, or the next one.
func (c *copier) follow(db *DB) error {
	t := newTree(db, c.tree)
	err := t.build()
	after, openErr := c.open()
	switch {
	case openErr != nil:
		return openErr
	case after.meta.TxID != db.meta.TxID:
		return errMissed // whatever err is
	case err != nil:
		return err
	}
	c.now, c.tree = db.meta, t
	kept := newPageSet()
	for id := range c.copied.from(0) {
		if t.pages.has(id) {
			kept.add(id)
		}
	}
	c.copied = kept
	// The last page may be free: then nothing else gives the copy its size.
	_, err = c.dst.WriteAt([]byte{0}, int64(c.now.HighWater)*c.now.PageSize-1)
	return err
}

// chunk copies the pages from one on that are yet to be copied and lie not far behind each other, and
// returns the first page behind them.
func (c *copier) chunk(first uint64) (next uint64, err error) {
	pageSize := c.now.PageSize
	ids := c.near(first)
	end := ids[len(ids)-1] + 1
	n, err := c.src.ReadAt(c.buf[:int64(end-first)*pageSize], int64(first)*pageSize)
	if n < int(end-first)*int(pageSize) {
		if err == nil || errors.Is(err, io.EOF) { // the file has become shorter than it was
			err = io.ErrUnexpectedEOF
		}
		return 0, fmt.Errorf("offset %d: %w", int64(first)*pageSize+int64(n), err)
	}
	var got []piece
	for _, id := range ids {
		p := c.pieceOf(id, c.buf[int64(id-first)*pageSize:n])
		if id+p.pages > end && id > first {
			break // the next chunk begins with it
		}
		got = append(got, p)
		next = id + p.pages
	}
	if err := c.write(got, first, n); err != nil {
		return 0, err
	}
	return next, c.settle(got)
}

// near returns the pages from one on, the first of which is yet to be copied, that are read with it.
func (c *copier) near(first uint64) (ids []uint64) {
	const gap = 8 // pages that are read in vain rather than to read twice
	last := first
	for id := range c.tree.pages.from(first) {
		if id >= first+max(uint64(copyChunk/c.now.PageSize), 1) || id > last+gap {
			break
		}
		if !c.copied.has(id) {
			ids, last = append(ids, id), id
		}
	}
	return ids
}

// piece is a page that was copied, with its overflow.
type piece struct {
	id, pages uint64
	err       error // what speaks against the page, if nothing was missed
}

// pieceOf looks at a page, which b begins with.
func (c *copier) pieceOf(id uint64, b []byte) piece {
	h := parseHeader(b)
	p := piece{id: id, pages: 1}
	if h.id != id || id+uint64(h.overflow) >= c.now.HighWater {
		return p // it is corrupt, and copied as it is
	}
	p.pages += uint64(h.overflow)
	if c.tree.refers(id) {
		return p
	}
	switch {
	case h.flags == flagBranch:
		p.err = errors.New("a branch among leaves")
	case h.flags == flagLeaf && nests(b, h):
		p.err = errors.New("a bucket within a bucket")
	}
	return p
}

// nests reports whether a leaf page holds buckets, as far as b tells.
func nests(b []byte, h header) bool {
	for i := range int(h.count) {
		off := pageHeaderSize + i*leafElementLen
		if off+4 > len(b) {
			return false
		}
		if binary.LittleEndian.Uint32(b[off:])&bucketFlag != 0 {
			return true
		}
	}
	return false
}

// write writes pages that lie in the buffer, which begins with page first and has n bytes. The first one
// may go on behind the buffer.
func (c *copier) write(got []piece, first uint64, n int) error {
	pageSize := int64(c.now.PageSize)
	for _, p := range got {
		from := int64(p.id-first) * pageSize
		to := min(from+int64(p.pages)*pageSize, int64(n))
		if _, err := c.dst.WriteAt(c.buf[from:to], int64(p.id)*pageSize); err != nil {
			return err
		}
		if err := c.writeRest(int64(p.id)*pageSize+to-from, int64(p.id+p.pages)*pageSize); err != nil {
			return err
		}
	}
	return nil
}

// writeRest copies the bytes from off to end. The buffer isn't needed any more.
func (c *copier) writeRest(off, end int64) error {
	for off < end {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		n, err := c.src.ReadAt(c.buf[:min(int64(len(c.buf)), end-off)], off)
		if n == 0 {
			return fmt.Errorf("offset %d: %w", off, err)
		}
		if _, err := c.dst.WriteAt(c.buf[:n], off); err != nil {
			return err
		}
		off += int64(n)
	}
	return nil
}

// settle takes the pieces for copied, if the transaction is still the same, or the next one uses them
// too.
func (c *copier) settle(got []piece) error {
	db, err := c.open()
	if err != nil {
		return err
	}
	switch db.meta.TxID {
	case c.now.TxID:
	case c.now.TxID + 1:
		if err := c.follow(db); err != nil {
			return err
		}
	default:
		return errMissed
	}
	for _, p := range got {
		if !c.tree.pages.has(p.id) {
			continue
		}
		if p.err != nil {
			return &CorruptError{Page: p.id, Off: int64(p.id) * c.now.PageSize, Err: p.err}
		}
		c.copied.add(p.id)
		c.done += int64(p.pages) * c.now.PageSize
	}
	return nil
}

// finish writes the meta pages.
func (c *copier) finish() (int64, error) {
	if _, err := c.dst.WriteAt(c.now.SavedPages(c.now.TxID), 0); err != nil {
		return 0, err
	}
	return int64(c.now.HighWater) * c.now.PageSize, nil
}
