package bolt

import "slices"

const (
	// windowPages bounds how many pages are read at once, and windowGap how many that nobody asks for
	// lie between two of them: to read on costs less than another read.
	windowPages = 64
	windowGap   = 4
)

// window is a stretch of the file in memory: pages that lie beside each other are read at once.
type window struct {
	off int64
	b   []byte
}

// at returns the size bytes at off, or nil if the window doesn't hold them.
func (w *window) at(off, size int64) []byte {
	if w == nil || off < w.off || off+size > w.off+int64(len(w.b)) {
		return nil
	}
	return w.b[off-w.off:][:size:size]
}

// prepare reads the next n pages that are asked for, of which id tells the numbers, as far as they lie
// behind each other in the file; unless the window holds the first already. Where that fails it does
// nothing: the error shows when the pages are read one by one.
func (w *window) prepare(db *DB, n int, id func(i int) uint64) {
	pageSize, first := db.meta.PageSize, id(0)
	whole := uint64(db.size / pageSize)
	if first >= whole || w.at(int64(first)*pageSize, pageSize) != nil {
		return
	}
	end := first + 1
	for i := 1; i < n; i++ {
		next := id(i)
		if next < end || next > end+windowGap || next >= min(first+windowPages, whole) {
			break
		}
		end = next + 1
	}
	if end == first+1 {
		return
	}
	w.off = int64(first) * pageSize
	size := int64(end)*pageSize - w.off
	w.b = slices.Grow(w.b[:0], int(size))[:size]
	read, _ := db.r.ReadAt(w.b, w.off)
	w.b = w.b[:read]
}

// prepareChildren prepares for the children of a branch page from element i on.
func (w *window) prepareChildren(db *DB, branch *Page, i int) {
	w.prepare(db, branch.count-i, func(k int) uint64 {
		_, child := branchElement(branch.b, i+k)
		return child
	})
}

// prepareTrees prepares for the pages at which trees begin.
func (w *window) prepareTrees(db *DB, trees []tree) {
	w.prepare(db, len(trees), func(k int) uint64 { return trees[k].id })
}
