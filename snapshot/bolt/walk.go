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
		w := walk{db: b.db, from: from, yield: yield, seen: newPageSet()}
		w.visit(b.Root, span{}, 0)
	}
}

// span is a range of keys, [lo, hi). A nil hi is no bound.
type span struct{ lo, hi []byte }

// walk is one pass over the pages of a tree.
type walk struct {
	db    *DB
	from  []byte
	yield func(*Page, error) bool
	seen  *pageSet
	above int64          // bytes of the branch pages since the last leaf
	pages [maxDepth]Page // one a level

	// branch, if it isn't nil, is told of every branch page as well.
	branch func(*Page)
}

// visit walks over the tree below a page, all of whose keys lie in the span. It reports whether to go
// on.
func (w *walk) visit(id uint64, keys span, depth int) bool {
	p, err := w.open(id, keys, depth)
	if err != nil {
		corrupt, ok := errors.AsType[*CorruptError](err)
		if ok {
			corrupt.Before, corrupt.After = bytes.Clone(keys.lo), bytes.Clone(keys.hi)
		}
		return w.yield(nil, err) && ok
	}
	if p.IsLeaf() {
		p.used, w.above = w.above+p.Size(), 0
		return w.yield(p, nil)
	}
	w.above += p.Size()
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
	if err := w.db.read(id, p); err != nil {
		return nil, err
	}
	if !w.seen.add(id) {
		return nil, &CorruptError{Page: id, Off: p.Off, Err: errors.New("used twice")}
	}
	if p.count == 0 {
		return p, nil
	}
	first, last := p.key(0), p.key(p.count-1)
	if bytes.Compare(first, keys.lo) < 0 || keys.hi != nil && bytes.Compare(last, keys.hi) >= 0 {
		return nil, &CorruptError{Page: id, Off: p.Off + pageHeaderSize, Err: fmt.Errorf(
			"keys %.40q to %.40q, want them from %.40q on and less than %.40q", first, last, keys.lo, keys.hi)}
	}
	return p, nil
}

// key returns the key of element i.
func (p *Page) key(i int) []byte {
	if p.IsLeaf() {
		key, _, _ := leafElement(p.b, i)
		return key
	}
	key, _ := branchElement(p.b, i)
	return key
}

// pageSet is a set of pages. It grows with the pages that are in it, not with their numbers, which a
// damaged page may make up.
type pageSet struct {
	chunks map[uint64]*[chunkPages / 64]uint64
}

const chunkPages = 1 << 15

func newPageSet() *pageSet { return &pageSet{map[uint64]*[chunkPages / 64]uint64{}} }

// add adds a page, and reports whether it wasn't there before.
func (s *pageSet) add(id uint64) bool {
	c := s.chunks[id/chunkPages]
	if c == nil {
		c = new([chunkPages / 64]uint64)
		s.chunks[id/chunkPages] = c
	}
	word, bit := &c[id%chunkPages/64], uint64(1)<<(id%64)
	was := *word&bit != 0
	*word |= bit
	return !was
}

// has reports whether a page is in the set.
func (s *pageSet) has(id uint64) bool {
	c := s.chunks[id/chunkPages]
	return c != nil && c[id%chunkPages/64]&(1<<(id%64)) != 0
}
