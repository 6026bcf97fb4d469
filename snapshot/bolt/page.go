package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Page is a branch or leaf page in memory. Its elements alias a buffer, and are valid until the page
// is read anew.
type Page struct {
	ID    uint64
	Off   int64 // in the file, in bytes; that of the page around it if it stands inline
	kind  uint16
	count int
	used  int64
	b     []byte
}

// Len returns the number of elements.
func (p *Page) Len() int { return p.count }

// Size returns the size of the page with its overflow, in bytes.
func (p *Page) Size() int64 { return int64(len(p.b)) }

// Used returns how many bytes of the file a leaf page takes that was met on a walk, together with the
// branch pages that were read between the leaf before and this one. An inline page takes none.
func (p *Page) Used() int64 { return p.used }

// IsLeaf reports whether the elements are keys and values, and not pages.
func (p *Page) IsLeaf() bool { return p.kind == flagLeaf }

// Element returns the key and value of element i of a leaf page.
func (p *Page) Element(i int) (key, value []byte) {
	key, value, _ = leafElement(p.b, i)
	return key, value
}

// read reads page id into p and validates it: its ID, what it is, where its elements lie, and that
// its keys ascend. The error is a *CorruptError, or that of the reader.
func (db *DB) read(id uint64, p *Page) error {
	corrupt := func(off int64, format string, args ...any) error {
		return &CorruptError{Page: id, Off: int64(id)*db.meta.PageSize + off, Err: fmt.Errorf(format, args...)}
	}
	if id >= db.meta.HighWater || id < 2 {
		return &CorruptError{Page: id, Off: min(int64(id), db.size/db.meta.PageSize) * db.meta.PageSize,
			Err: fmt.Errorf("no such page, want one from 2 to %d", db.meta.HighWater-1)}
	}
	p.ID, p.Off = id, int64(id)*db.meta.PageSize
	if err := db.load(p, db.meta.PageSize); err != nil {
		return err
	}
	h := parseHeader(p.b)
	if h.id != id {
		return corrupt(0, "the page says it is page %d", h.id)
	}
	if h.flags != flagBranch && h.flags != flagLeaf {
		return corrupt(8, "a page that is %s, want a branch or a leaf", h.kind())
	}
	if last := id + uint64(h.overflow); last >= db.meta.HighWater {
		return corrupt(12, "goes on to page %d, want less than %d", last, db.meta.HighWater)
	}
	if h.overflow > 0 {
		if err := db.load(p, (int64(h.overflow)+1)*db.meta.PageSize); err != nil {
			return err
		}
	}
	p.kind, p.count = h.flags, int(h.count)
	if err := validate(p.b, h); err != nil {
		off := int64(pageHeaderSize)
		if e, ok := errors.AsType[*ElementError](err); ok {
			off = e.Off
		}
		return &CorruptError{Page: id, Off: p.Off + off, Err: err}
	}
	return nil
}

// load makes p.b the first size bytes of the page, of which it has some.
func (db *DB) load(p *Page, size int64) error {
	if p.Off+size > db.size {
		return &CorruptError{Page: p.ID, Off: db.size, Err: fmt.Errorf(
			"the file ends at %d within the page, want %d: %w", db.size, p.Off+size, io.ErrUnexpectedEOF)}
	}
	had := int64(0)
	if size > db.meta.PageSize {
		had = db.meta.PageSize
	}
	p.b = slices.Grow(p.b[:had], int(size-had))[:size]
	n, err := db.r.ReadAt(p.b[had:], p.Off+had)
	if int64(n) == size-had {
		return nil
	}
	if errors.Is(err, io.EOF) { // the file has become shorter than it was
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("page %d: offset %d: %w", p.ID, p.Off+had+int64(n), err)
}

// validate checks that all elements of a page lie in it, and that their keys ascend.
func validate(b []byte, h header) error {
	size := leafElementLen // the same for both kinds
	if need := pageHeaderSize + int(h.count)*size; need > len(b) {
		return fmt.Errorf("%d elements, %d bytes, want %d at most", h.count, need, len(b))
	}
	if h.flags == flagBranch && h.count == 0 {
		return errors.New("a branch without children")
	}
	le := binary.LittleEndian
	var last []byte
	for i := range int(h.count) {
		off := pageHeaderSize + i*size
		e := b[off : off+size]
		pos, ksize, vsize := uint64(le.Uint32(e)), uint64(le.Uint32(e[4:])), uint64(0)
		if h.flags == flagLeaf {
			pos, ksize, vsize = uint64(le.Uint32(e[4:])), uint64(le.Uint32(e[8:])), uint64(le.Uint32(e[12:]))
		}
		wrong := func(format string, args ...any) error {
			return &ElementError{Element: i, Off: int64(off), Err: fmt.Errorf(format, args...)}
		}
		if end := uint64(off) + pos + ksize + vsize; end > uint64(len(b)) || pos < uint64(size) {
			return wrong("%d bytes at %d, want them within the page of %d", ksize+vsize, uint64(off)+pos, len(b))
		}
		key := b[uint64(off)+pos:][:ksize]
		if i > 0 && bytes.Compare(last, key) >= 0 {
			return wrong("key %.40q behind key %.40q", key, last)
		}
		last = key
	}
	return nil
}
