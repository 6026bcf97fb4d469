package bolt

import (
	"bytes"
	"iter"
)

// Part is a part of a bucket: some of its leaf pages that follow each other in the order of the keys.
// Parts of a bucket may be read concurrently.
type Part struct {
	b     *Bucket
	trees []tree
}

// tree is what lies below a page, with the range of keys that it may have.
type tree struct {
	id    uint64
	keys  span
	depth int
}

// Split divides the bucket into parts in the order of the keys: about n, if it has so many leaf pages.
// It reads a few branch pages. One that is corrupt is an error where its part is read.
func (b *Bucket) Split(n int) []*Part {
	return b.split(n, newWalk(b.db, newPageSet()))
}

// split divides the bucket, and tells the walk of the branch pages that it reads. They are not read
// again with the parts.
func (b *Bucket) split(n int, w *walk) []*Part {
	if b.Root == 0 {
		return []*Part{{b: b}}
	}
	trees := []tree{{id: b.Root}}
	for len(trees) < n {
		below, deeper := w.expand(trees)
		trees = below
		if !deeper {
			break
		}
	}
	parts := make([]*Part, 0, n)
	for i := range n {
		lo, hi := i*len(trees)/n, (i+1)*len(trees)/n
		if lo < hi {
			parts = append(parts, &Part{b: b, trees: trees[lo:hi]})
		}
	}
	return parts
}

// expand replaces the trees by those on the level below. Leaf pages and those that are corrupt stay what
// they are. It reports whether there may be another level.
func (w *walk) expand(trees []tree) (below []tree, deeper bool) {
	for i, t := range trees {
		p, err := w.peek(t)
		switch {
		case err == nil && p.IsLeaf() && i == 0:
			return trees, false // all leaf pages are on one level
		case err != nil || p.IsLeaf():
			below = append(below, t)
			continue
		}
		w.seen.add(t.id)
		if w.branch != nil {
			w.branch(p)
		}
		for i := range p.count {
			c := tree{depth: t.depth + 1, keys: span{hi: t.keys.hi}}
			var key []byte
			key, c.id = branchElement(p.b, i)
			c.keys.lo = bytes.Clone(key)
			if i > 0 {
				below[len(below)-1].keys.hi = c.keys.lo
			}
			below = append(below, c)
		}
	}
	return below, len(below) > len(trees)
}

// peek reads the page of a tree, which isn't met thereby.
func (w *walk) peek(t tree) (*Page, error) {
	p := &w.pages[0]
	if t.depth == maxDepth || w.seen.has(t.id) {
		return nil, errUsedTwice // the walk over the part will say so
	}
	err := w.db.read(t.id, p, nil)
	if err == nil {
		err = p.within(t.keys)
	}
	return p, err
}

// Leaves yields the leaf pages of the part in the order of their keys, as [Bucket.Leaves] does.
func (t *Part) Leaves() iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		w := newWalk(t.b.db, newPageSet())
		w.yield = yield
		t.walk(w)
	}
}

// walk walks over the trees of the part.
func (t *Part) walk(w *walk) {
	if t.b.Root == 0 {
		w.yield(&t.b.inline, nil)
		return
	}
	for i, tree := range t.trees {
		w.ahead.prepareTrees(w.db, t.trees[i:])
		if !w.visit(tree.id, tree.keys, tree.depth) {
			return
		}
	}
}
