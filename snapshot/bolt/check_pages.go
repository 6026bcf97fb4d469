package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// checkMetas checks the two meta pages, and that they are of transactions that follow each other: bbolt
// writes them in turn.
func (c *checker) checkMetas() {
	c.report.Pages.Meta = 2
	for i, m := range c.db.metas {
		f := Finding{ClassMetaPage, uint64(i), 1, int64(i) * c.db.meta.PageSize, m.Err}
		if e, ok := errors.AsType[*CorruptError](m.Err); ok {
			f.Off = e.Off
		}
		if m.Err == nil {
			f.Err = c.metaHeader(uint64(i))
		}
		if f.Err != nil {
			c.found.add(f)
		}
	}
	a, b := c.db.metas[0], c.db.metas[1]
	if a.Err != nil || b.Err != nil {
		return
	}
	if apart := a.TxID - b.TxID + 1; apart > 2 {
		c.found.add(Finding{ClassMetaPage, 0, 2, 0, fmt.Errorf(
			"transactions %d and %d, want them to follow each other", a.TxID, b.TxID)})
	}
}

// metaHeader checks the header of a meta page, which bbolt itself never looks at.
func (c *checker) metaHeader(id uint64) error {
	b := make([]byte, pageHeaderSize)
	off := int64(id) * c.db.meta.PageSize
	if _, err := c.db.r.ReadAt(b, off); err != nil {
		return err
	}
	if h := parseHeader(b); h.id != id || h.flags != flagMeta {
		return &CorruptError{Page: id, Off: off, Err: fmt.Errorf(
			"the page says it is page %d and %s, want page %d and meta", h.id, h.kind(), id)}
	}
	return nil
}

// checkFreelist checks the list of free pages, and that each page is either in use or in it.
func (c *checker) checkFreelist() {
	if c.db.meta.Freelist == NoFreelist {
		rest := c.rest(newBitmap(0))
		if !c.lost.Load() {
			c.report.Pages.Free = rest.pages
		} else {
			c.report.Pages.Unknown = rest.pages
		}
		return
	}
	ids, err := c.readFreelist()
	if err != nil {
		f := Finding{ClassFreelist, c.db.meta.Freelist, 1, 0, err}
		if e, ok := errors.AsType[*CorruptError](err); ok {
			f.Off = e.Off
		} else {
			f = unreadable(err)
			f.Page = c.db.meta.Freelist
		}
		c.found.add(f)
		c.report.Pages.Unknown = c.rest(newBitmap(0)).pages
		return
	}
	free := c.checkFree(ids)
	rest := c.rest(free)
	c.report.Pages.Unknown = rest.pages
	if c.lost.Load() { // and they may be in that part of the tree
		return
	}
	for _, r := range rest.runs {
		c.found.add(Finding{ClassUnreachable, r.first, r.pages, int64(r.first) * c.db.meta.PageSize,
			errors.New("neither in use nor free")})
	}
}

// readFreelist returns the pages in the list.
func (c *checker) readFreelist() ([]uint64, error) {
	var p Page
	h, err := c.db.readHeader(c.db.meta.Freelist, &p, nil)
	if err != nil {
		return nil, err
	}
	if h.flags != flagFreelist {
		return nil, p.corrupt(8, "a page that is %s, want the freelist", h.kind())
	}
	c.met(&p, &c.report.Pages.Freelist)
	begin, n := int64(pageHeaderSize), uint64(h.count)
	if h.count == bigFreelist {
		n = binary.LittleEndian.Uint64(p.b[begin:])
		begin += 8
	}
	if n > uint64(p.size-begin)/8 {
		return nil, p.corrupt(10, "%d free pages, want %d at most, for which there is room",
			n, (p.size-begin)/8)
	}
	if err := c.db.load(&p, begin+int64(n)*8, nil); err != nil {
		return nil, err
	}
	ids := make([]uint64, n)
	for i := range ids {
		ids[i] = binary.LittleEndian.Uint64(p.b[begin+int64(i)*8:])
	}
	return ids, nil
}

// bigFreelist is the count of a freelist that has its length, too large for the count, before the IDs.
const bigFreelist = 0xffff

// checkFree checks the IDs of the list of free pages, and returns them as a set.
func (c *checker) checkFree(ids []uint64) bitmap {
	free := newBitmap(c.whole)
	start := int64(c.db.meta.Freelist)*c.db.meta.PageSize + pageHeaderSize
	if len(ids) >= bigFreelist {
		start += 8
	}
	for i, id := range ids {
		wrong := func(class Class, format string, args ...any) {
			off := start + int64(i)*8
			err := &CorruptError{Page: c.db.meta.Freelist, Off: off, Err: fmt.Errorf(format, args...)}
			c.found.add(Finding{class, id, 1, off, err})
		}
		switch {
		case id < 2 || id >= c.db.meta.HighWater:
			wrong(ClassFreelist, "page %d is free, want one from 2 to %d", id, c.db.meta.HighWater-1)
			continue
		case id >= c.whole: // the file is truncated, which is told
			c.report.Pages.Free++
			continue
		case !free.add(id):
			wrong(ClassFreelist, "page %d is free twice", id)
			continue
		case i > 0 && ids[i-1] > id:
			wrong(ClassFreelist, "page %d behind page %d", id, ids[i-1])
		}
		if c.used.has(id) {
			wrong(ClassBothFree, "page %d is free, and it is in use", id)
			continue
		}
		c.report.Pages.Free++
	}
	return free
}

// runs are pages of a file, those that follow each other as one.
type runs struct {
	runs  []run
	pages uint64
}

type run struct{ first, pages uint64 }

func (r *runs) add(id uint64) {
	r.pages++
	if n := len(r.runs); n > 0 && r.runs[n-1].first+r.runs[n-1].pages == id {
		r.runs[n-1].pages++
		return
	}
	r.runs = append(r.runs, run{id, 1})
}

// rest returns the pages that are neither in use nor free.
func (c *checker) rest(free bitmap) (rest runs) {
	for id := uint64(2); id < c.whole; id++ {
		if !c.used.has(id) && !free.has(id) {
			rest.add(id)
		}
	}
	return rest
}

// checkTwice reports the pages that more than one page runs over.
func (c *checker) checkTwice() {
	var twice runs
	for id := range c.whole {
		if c.twice.has(id) {
			twice.add(id)
		}
	}
	for _, r := range twice.runs {
		c.found.add(Finding{ClassTwice, r.first, r.pages, int64(r.first) * c.db.meta.PageSize,
			errors.New("more than one page takes it for its own")})
	}
}

// checkSize compares the file's size with the pages that it had.
func (c *checker) checkSize() {
	pageSize, highWater := c.db.meta.PageSize, c.db.meta.HighWater
	switch {
	case c.whole < highWater:
		c.found.add(Finding{ClassTruncated, c.whole, highWater - c.whole, c.db.size, fmt.Errorf(
			"the file ends at %d, within page %d, want %d pages of %d bytes",
			c.db.size, c.whole, highWater, pageSize)})
	case c.db.size > int64(highWater)*pageSize:
		end := int64(highWater) * pageSize
		c.found.add(Finding{ClassLonger, highWater, uint64((c.db.size - end) / pageSize), end, fmt.Errorf(
			"%d bytes behind the %d pages that were ever used", c.db.size-end, highWater)})
	}
}

// unreadable is the finding of an error of the reader.
func unreadable(err error) Finding {
	f := Finding{Class: ClassUnreadable, Pages: 1, Err: err}
	if e, ok := errors.AsType[*ReadError](err); ok {
		f.Page, f.Off = e.Page, e.Off
	}
	return f
}
