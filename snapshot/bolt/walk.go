package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"sort"
)

// maxDepth bounds how deep a tree may be. One of pages that are half full with the longest keys has
// 10 levels where its leaves fill the largest file.
const maxDepth = 64

// Leaves yields the leaf pages of the bucket in the order of their keys, from the one on in which from
// would lie. A page is valid until the next one is asked for. At a page that is corrupt it yields the
// error, a *CorruptError, and goes on behind it; any other error ends it.
//
// Each page is read once at most: one that is met twice is corrupt.
func (b *Bucket) Leaves(from []byte) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		if b.Root == 0 {
			yield(&b.inline, nil)
			return
		}
		w := newWalk(b.db, newPageSet())
		w.from, w.yield = from, yield
		w.visit(b.Root, span{}, 0)
	}
}

// span is a range of keys, [lo, hi). A nil hi is no bound.
type span struct{ lo, hi []byte }

// walk is one pass over the pages of a tree, or a part of one.
type walk struct {
	db    *DB
	from  []byte
	yield func(*Page, error) bool
	seen  marks
	pages [maxDepth]Page // one a level
	ahead window

	above  int64 // bytes of the branch pages since the last leaf
	wasted int64 // bytes read of pages that don't belong where they were met

	branch func(*Page) // is told of every branch page as well, if it isn't nil
	goOn   bool        // also behind a page that can't be read for an error of the reader
}

// marks are the pages that were met. Walks over parts of a tree at the same time share them.
type marks interface {
	has(id uint64) bool
	add(id uint64) bool // reports whether it wasn't there before
}

func newWalk(db *DB, seen marks) *walk { return &walk{db: db, seen: seen} }

// visit walks over the tree below a page, all of whose keys lie in the span. It reports whether to go
// on.
func (w *walk) visit(id uint64, keys span, depth int) bool {
	p, err := w.open(id, keys, depth)
	if err != nil {
		corrupt, ok := errors.AsType[*CorruptError](err)
		if ok {
			corrupt.Before, corrupt.After = bytes.Clone(keys.lo), bytes.Clone(keys.hi)
		}
		return w.yield(nil, err) && (ok || w.goOn)
	}
	if p.IsLeaf() {
		p.used, w.above = w.above+p.size, 0
		return w.yield(p, nil)
	}
	w.above += p.size
	if w.branch != nil {
		w.branch(p)
	}
	first := sort.Search(p.count, func(i int) bool {
		key, _ := branchElement(p.b, i)
		return bytes.Compare(key, w.from) > 0
	})
	for i := max(first-1, 0); i < p.count; i++ {
		lo, child := branchElement(p.b, i)
		hi := keys.hi
		if i+1 < p.count {
			hi, _ = branchElement(p.b, i+1)
		}
		w.ahead.prepareChildren(w.db, p, i)
		if !w.visit(child, span{lo, hi}, depth+1) {
			return false
		}
	}
	return true
}

// open reads a page and checks that it belongs where it was found.
func (w *walk) open(id uint64, keys span, depth int) (*Page, error) {
	if depth == maxDepth {
		return nil, &CorruptError{Page: id, Off: int64(id) * w.db.meta.PageSize,
			Err: fmt.Errorf("%d levels deep, want less", depth)}
	}
	p := &w.pages[depth]
	p.level = depth
	if w.seen.has(id) {
		p.ID, p.Off = id, int64(id)*w.db.meta.PageSize
		return nil, p.corrupt(0, "%w", errUsedTwice)
	}
	err := w.db.read(id, p, &w.ahead)
	if err == nil {
		err = p.within(keys)
	}
	if err != nil {
		w.refuse(id, p)
		return nil, err
	}
	w.seen.add(id)
	if !p.IsLeaf() {
		p.keep() // while the window moves on over the pages below it
	}
	return p, nil
}

var errUsedTwice = errors.New("used twice")

// refuse notes that a page doesn't belong where it was met. It may belong where it is met next, and is
// read anew there; but a file that refers to few pages again and again mustn't be read for ever.
func (w *walk) refuse(id uint64, p *Page) {
	w.wasted += p.size
	if w.wasted > w.db.size {
		w.seen.add(id)
	}
}

// within checks that the keys of a page lie in a span.
func (p *Page) within(keys span) error {
	switch {
	case p.count > 0:
	case keys.lo != nil || keys.hi != nil: // bbolt removes a leaf with its last element, unless it is a root
		return p.corrupt(10, "a leaf without elements below a branch")
	default:
		return nil
	}
	first, last := p.key(0), p.key(p.count-1)
	if bytes.Compare(first, keys.lo) < 0 || keys.hi != nil && bytes.Compare(last, keys.hi) >= 0 {
		return p.corrupt(pageHeaderSize, "keys %.40q to %.40q, want them from %.40q on and less than %.40q",
			first, last, keys.lo, keys.hi)
	}
	return nil
}
