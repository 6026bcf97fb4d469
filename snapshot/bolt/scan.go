package bolt

import (
	"context"
	"errors"
	"io"
	"iter"
)

// Reach says whether the tree leads to a page.
type Reach uint8

// What is known about a page.
const (
	ReachUnknown Reach = iota // part of the tree can't be read, and the page may belong to it
	ReachInUse                // the tree leads to it
	ReachFree                 // it is not in use: what it holds is from an earlier transaction
)

// Found is a leaf page that was found without the tree.
type Found struct {
	*Page // valid until the next is asked for
	Reach Reach
}

// OpenDamaged opens a database of which neither meta page need be intact. Where none is, it takes the page
// size that most pages agree with, all of the file for used, and the tree for lost: [DB.Scan] finds what
// there is. The error is ErrNotBolt if no page says its own number, whatever the size.
func OpenDamaged(r io.ReaderAt, size int64) (*DB, error) {
	db, err := Open(r, size)
	if err == nil {
		return db, nil
	}
	best, most := int64(0), 0
	for pageSize := int64(MinPageSize); pageSize <= MaxPageSize; pageSize <<= 1 {
		// Of two sizes with as many pages the larger counts: a page may hold what looks like one.
		if n := agreeing(r, size, pageSize); n > 0 && n >= most {
			best, most = pageSize, n
		}
	}
	if best == 0 {
		return nil, errors.Join(ErrNotBolt, err)
	}
	return &DB{r: r, size: size, metas: [2]MetaPage{{Err: err}, {Err: err}},
		meta: Meta{PageSize: best, Root: NoFreelist, Freelist: NoFreelist, HighWater: uint64(size / best)}}, nil
}

// agreeing counts the pages that say their own number and are of a kind that there is, among the first
// ones of a file.
func agreeing(r io.ReaderAt, size, pageSize int64) (n int) {
	const enough = 256
	b := make([]byte, pageHeaderSize)
	for id := int64(2); id < enough && (id+1)*pageSize <= size; id++ {
		if got, err := r.ReadAt(b, id*pageSize); err != nil && got < len(b) {
			return n
		}
		h := parseHeader(b)
		if h.id == uint64(id) && (h.flags == flagLeaf || h.flags == flagBranch || h.flags == flagFreelist) {
			n++
		}
	}
	return n
}

// Scan yields all pages of the file that are by themselves valid leaf pages, in the order of the file,
// whether the tree leads to them or not. At an error of the context, or of reading, it yields that and
// ends.
//
// bbolt writes a page anew when it changes, so that what is not in use holds an earlier state of the
// database. A page that goes on in others, one of which has become something else, is none.
func (db *DB) Scan(ctx context.Context) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) {
		c, err := db.reach(ctx)
		if err != nil {
			yield(Found{}, err)
			return
		}
		var p Page
		for id := uint64(2); id < c.whole; id++ {
			if id%1024 == 0 && ctx.Err() != nil {
				yield(Found{}, ctx.Err())
				return
			}
			inUse := c.heads.has(id)
			if c.used.has(id) && !inUse {
				continue // the overflow of a page, or the freelist
			}
			err := db.read(id, &p, nil)
			if _, corrupt := errors.AsType[*CorruptError](err); err != nil && !corrupt {
				yield(Found{}, err)
				return
			}
			if err != nil || !p.IsLeaf() || !inUse && c.overwritten(&p) {
				continue
			}
			f := Found{&p, ReachUnknown}
			switch {
			case inUse:
				f.Reach = ReachInUse
			case !c.lost.Load():
				f.Reach = ReachFree
			}
			if !yield(f, nil) {
				return
			}
			if inUse {
				id += uint64(p.size/db.meta.PageSize) - 1
			}
		}
	}
}

// reach walks over what can be read of the tree.
func (db *DB) reach(ctx context.Context) (*checker, error) {
	c := newChecker(ctx, db, &CheckOptions{})
	if db.meta.Root == NoFreelist { // no meta page tells where it is
		c.lost.Store(true)
		return c, nil
	}
	c.checkBuckets()
	c.checkFreelist()
	return c, context.Cause(c.ctx)
}

// overwritten reports whether one of the pages that a page goes on in belongs to another, or has become a
// page of its own.
func (c *checker) overwritten(p *Page) bool {
	b := make([]byte, pageHeaderSize)
	for id := p.ID + 1; id < p.ID+uint64(p.size/c.db.meta.PageSize); id++ {
		if c.used.has(id) {
			return true
		}
		if n, _ := c.db.r.ReadAt(b, int64(id)*c.db.meta.PageSize); n < len(b) || parseHeader(b).id == id {
			return true
		}
	}
	return false
}
