package bolt

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Page is a branch or leaf page in memory. Its elements alias a buffer, and are valid until the page
// is read anew.
type Page struct {
	ID  uint64
	Off int64 // in the file, in bytes; that of the page around it if it stands inline

	kind  uint16
	count int
	size  int64  // with its overflow
	used  int64  // with the branch pages before it
	level int    // in its tree, from 0 for the root
	b     []byte // the page, as far as its elements reach
	buf   []byte // memory of its own, which b need not lie in
}

// Len returns the number of elements.
func (p *Page) Len() int { return p.count }

// Size returns the size of the page with its overflow, in bytes.
func (p *Page) Size() int64 { return p.size }

// Used returns how many bytes of the file a leaf page takes that was met on a walk, together with the
// branch pages that were read between the leaf before and this one. An inline page takes none.
func (p *Page) Used() int64 { return p.used }

// IsLeaf reports whether the elements are keys and values, and not pages.
func (p *Page) IsLeaf() bool { return p.kind == flagLeaf }

// Element returns the key and value of element i of a leaf page. The value of a bucket is where its
// pages are, or its only page.
func (p *Page) Element(i int) (key, value []byte) {
	key, value, _ = leafElement(p.b, i)
	return key, value
}

// IsBucket reports whether element i of a leaf page is a bucket.
func (p *Page) IsBucket(i int) bool {
	_, _, is := leafElement(p.b, i)
	return is
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

// corrupt makes the error of a page of which the bytes from off on, counted from its start, are wrong.
func (p *Page) corrupt(off int64, format string, args ...any) error {
	return &CorruptError{Page: p.ID, Off: p.Off + off, Err: fmt.Errorf(format, args...)}
}

// read reads page id into p and validates it: its ID, what it is, where its elements lie, and that
// its keys ascend. The error is a *CorruptError, or that of the reader. The page lies in the window, if
// that has it.
func (db *DB) read(id uint64, p *Page, in *window) error {
	h, err := db.readHeader(id, p, in)
	if err != nil {
		return err
	}
	if h.flags != flagBranch && h.flags != flagLeaf {
		return p.corrupt(8, "a page that is %s, want a branch or a leaf", h.kind())
	}
	if h.overflow > 0 {
		if err := db.readOverflow(p, h, in); err != nil {
			return err
		}
	}
	p.kind, p.count = h.flags, int(h.count)
	return p.wrong(validate(p.b, h))
}

// readHeader reads the first page of page id into p and checks what all kinds of page have: that there
// is such a page in the file, with its overflow, and that it says its own number.
func (db *DB) readHeader(id uint64, p *Page, in *window) (header, error) {
	pageSize := db.meta.PageSize
	whole := uint64(db.size / pageSize)
	p.ID, p.Off, p.size, p.count = id, int64(min(id, whole))*pageSize, pageSize, 0
	switch {
	case id >= db.meta.HighWater || id < 2:
		return header{}, p.corrupt(0, "no such page, want one from 2 to %d", db.meta.HighWater-1)
	case id >= whole:
		return header{}, db.tooShort(p, "the file ends at %d, before the end of the page", db.size)
	}
	if err := db.load(p, pageSize, in); err != nil {
		return header{}, err
	}
	h := parseHeader(p.b)
	switch last := id + uint64(h.overflow); { // id is less than 1<<54
	case h.id != id:
		return h, p.corrupt(0, "the page says it is page %d", h.id)
	case last >= db.meta.HighWater:
		return h, p.corrupt(12, "goes on to page %d, want less than %d", last, db.meta.HighWater)
	case last >= whole:
		return h, db.tooShort(p, "the file ends at %d, the page at %d", db.size, (int64(last)+1)*pageSize)
	}
	p.size = (int64(h.overflow) + 1) * pageSize
	return h, nil
}

func (db *DB) tooShort(p *Page, format string, args ...any) error {
	err := fmt.Errorf(format+": %w", append(args, io.ErrUnexpectedEOF)...)
	return &CorruptError{Page: p.ID, Off: db.size, Err: err}
}

// readOverflow reads the rest of a page, but no further than its elements reach, so that the memory
// that is taken is that of contents, whatever the header says.
func (db *DB) readOverflow(p *Page, h header, in *window) error {
	table := min(pageHeaderSize+int64(h.count)*leafElementLen, p.size) // as long for a branch
	if table > int64(len(p.b)) {
		if err := db.load(p, table, in); err != nil {
			return err
		}
	}
	end, err := extent(p.b, h, p.size)
	if err != nil {
		return p.wrong(err)
	}
	if spare := int64(h.overflow) - end/db.meta.PageSize; spare > 0 { // an old bbolt takes a page too many
		return p.corrupt(12, "%d pages behind the first, want %d: its elements end at %d",
			h.overflow, int64(h.overflow)-spare, end)
	}
	if end <= int64(len(p.b)) {
		return nil
	}
	return db.load(p, end, in)
}

// load makes p.b the first size bytes of the page. They lie within the file.
func (db *DB) load(p *Page, size int64, in *window) error {
	if b := in.at(p.Off, size); b != nil {
		p.b = b
		return nil
	}
	p.buf = slices.Grow(p.buf[:0], int(size))[:size]
	p.b = p.buf
	n, err := db.r.ReadAt(p.b, p.Off)
	if int64(n) == size {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) { // the file has become shorter than it was
		err = io.ErrUnexpectedEOF
	}
	return &ReadError{Page: p.ID, Off: p.Off + int64(n), Err: err}
}

// keep makes the page independent of the window.
func (p *Page) keep() {
	if len(p.b) > 0 && (len(p.buf) == 0 || &p.b[0] != &p.buf[0]) {
		p.buf = append(p.buf[:0], p.b...)
		p.b = p.buf
	}
}

// wrong makes what validate has found an error of the page.
func (p *Page) wrong(err error) error {
	if err == nil {
		return nil
	}
	off := int64(pageHeaderSize)
	if e, ok := errors.AsType[*ElementError](err); ok {
		off = e.Off
	}
	return &CorruptError{Page: p.ID, Off: p.Off + off, Err: err}
}
