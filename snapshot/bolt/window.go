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

// prepare reads the children of a branch page from element i on that lie behind each other in the
// file, unless the window holds that one already. Where that fails it does nothing: the error shows
// when the pages are read one by one.
func (w *window) prepare(db *DB, branch *Page, i int) {
	_, first := branchElement(branch.b, i)
	if first >= uint64(db.size/db.meta.PageSize) {
		return
	}
	if w.at(int64(first)*db.meta.PageSize, db.meta.PageSize) != nil {
		return
	}
	end := first + 1
	for i++; i < branch.count; i++ {
		_, next := branchElement(branch.b, i)
		if next < end || next > end+windowGap || next >= first+windowPages {
			break
		}
		end = next + 1
	}
	if end == first+1 {
		return
	}
	w.off = int64(first) * db.meta.PageSize
	size := min(int64(end)*db.meta.PageSize, db.size) - w.off
	w.b = slices.Grow(w.b[:0], int(size))[:size]
	n, _ := db.r.ReadAt(w.b, w.off)
	w.b = w.b[:n]
}
