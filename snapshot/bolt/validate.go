package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// element is what the table at the start of a page says of one element.
type element struct {
	off        int64 // of the entry of the table, from the start of the page
	pos        int64 // of the key, from there
	key, value int64 // sizes
	flags      uint32
}

func elementAt(b []byte, h header, i int) element {
	le := binary.LittleEndian
	off := pageHeaderSize + i*leafElementLen // as long for a branch
	e := b[off : off+leafElementLen]
	if h.flags == flagBranch {
		return element{int64(off), int64(le.Uint32(e)), int64(le.Uint32(e[4:])), 0, 0}
	}
	return element{int64(off), int64(le.Uint32(e[4:])), int64(le.Uint32(e[8:])), int64(le.Uint32(e[12:])),
		le.Uint32(e)}
}

// end returns where the element ends, in bytes from the start of the page.
func (e *element) end() int64 { return e.off + e.pos + e.key + e.value }

// fits reports whether the element begins where the one before it ends, as bbolt packs them, and lies in
// a page of size bytes.
func (e *element) fits(begin, size int64) bool {
	return e.off+e.pos == begin && e.end() <= size && e.flags&^bucketFlag == 0
}

// wrong says why element i doesn't fit.
func (e *element) wrong(i int, begin, size int64) error {
	err := fmt.Errorf("flags %#x, want 0 or %#x", e.flags, bucketFlag)
	switch {
	case e.off+e.pos != begin:
		err = fmt.Errorf("begins at %d, want %d", e.off+e.pos, begin)
	case e.end() > size:
		err = fmt.Errorf("%d bytes at %d, want them within the page of %d", e.key+e.value, begin, size)
	}
	return &ElementError{i, e.off, err}
}

// tableEnd returns where the table ends and the first element begins, in a page of size bytes.
func tableEnd(h header, size int64) (int64, error) {
	end := pageHeaderSize + int64(h.count)*leafElementLen
	if end > size {
		return 0, fmt.Errorf("%d elements, %d bytes, want %d at most", h.count, end, size)
	}
	if h.flags == flagBranch && h.count == 0 {
		return 0, errors.New("a branch without children")
	}
	return end, nil
}

// validate checks that the elements of a page lie in it, one behind the other, and that their keys
// ascend.
func validate(b []byte, h header) error {
	size := int64(len(b))
	end, err := tableEnd(h, size)
	if err != nil {
		return err
	}
	var last []byte
	for i := range int(h.count) {
		e := elementAt(b, h, i)
		if !e.fits(end, size) {
			return e.wrong(i, end, size)
		}
		key := b[end:][:e.key]
		if i > 0 && bytes.Compare(last, key) >= 0 {
			return &ElementError{i, e.off, fmt.Errorf("key %.40q behind key %.40q", key, last)}
		}
		last, end = key, e.end()
	}
	return nil
}

// extent returns how far the elements of a page of size bytes reach. b holds at least its table.
func extent(b []byte, h header, size int64) (int64, error) {
	end, err := tableEnd(h, size)
	if err != nil {
		return 0, err
	}
	for i := range int(h.count) {
		e := elementAt(b, h, i)
		if !e.fits(end, size) {
			return 0, e.wrong(i, end, size)
		}
		end = e.end()
	}
	return end, nil
}
