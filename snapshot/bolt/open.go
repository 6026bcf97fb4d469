package bolt

import (
	"errors"
	"fmt"
	"io"
)

// DB is a database that is open for reading. It may be used concurrently.
type DB struct {
	r     io.ReaderAt
	size  int64
	meta  Meta
	metas [2]MetaPage
}

// MetaPage is one of the two meta pages.
type MetaPage struct {
	Meta
	Err error // why it doesn't count: a *CorruptError, or that of the reader; Meta is then zero
}

// Open opens the database that r holds in its first size bytes. Nothing but the meta pages is read.
// One of them suffices, also where the other can't be read for an error of r.
//
// The error is ErrNotBolt if neither page is one of bbolt, and otherwise says what is wrong with one
// that is: a *CorruptError, or the error of r.
func Open(r io.ReaderAt, size int64) (*DB, error) {
	db := &DB{r: r, size: size}
	db.metas[0] = readMeta(r, size, 0, 0)
	if at := db.metas[0].PageSize; at != 0 {
		db.metas[1] = readMeta(r, size, 1, at)
	} else {
		db.metas[1] = findSecond(r, size)
	}
	if err := db.choose(); err != nil {
		return nil, err
	}
	return db, nil
}

// findSecond reads the second meta page where the first doesn't tell the page size.
func findSecond(r io.ReaderAt, size int64) MetaPage {
	best := readMeta(r, size, 1, MinPageSize)
	for at := int64(MinPageSize); at <= MaxPageSize; at <<= 1 {
		m := readMeta(r, size, 1, at)
		if m.Err == nil {
			return m
		}
		if errors.Is(best.Err, errMagic) && at+pageHeaderSize+metaSize <= size {
			best = m
		}
	}
	return best
}

// readMeta reads meta page id, which lies at off.
func readMeta(r io.ReaderAt, size int64, id uint64, off int64) MetaPage {
	b := make([]byte, pageHeaderSize+metaSize)
	n, err := r.ReadAt(b[:min(int64(len(b)), max(size-off, 0))], off)
	if n == len(b) {
		err = nil
	}
	if err != nil && !errors.Is(err, io.EOF) { // the file is shorter: parseMeta says so
		return MetaPage{Err: fmt.Errorf("meta page %d: %w", id, err)}
	}
	m, err := parseMeta(b[:n])
	if err == nil && id == 1 && m.PageSize != off {
		err = fmt.Errorf("page size %d, want %d, where the page lies", m.PageSize, off)
	}
	if err != nil {
		return MetaPage{Err: &CorruptError{Page: id, Off: off + pageHeaderSize, Err: err}}
	}
	return MetaPage{Meta: m}
}

// choose takes the meta page that counts.
func (db *DB) choose() error {
	a, b := &db.metas[0], &db.metas[1]
	switch {
	case a.Err == nil && (b.Err != nil || a.TxID >= b.TxID):
		db.meta = a.Meta
	case b.Err == nil:
		db.meta = b.Meta
	case !errors.Is(a.Err, errMagic):
		return a.Err
	case !errors.Is(b.Err, errMagic):
		return b.Err
	default:
		return fmt.Errorf("%w: %w", ErrNotBolt, a.Err)
	}
	return nil
}

// Meta returns the meta page that counts: of the two, the one of the later transaction.
func (db *DB) Meta() Meta { return db.meta }

// Metas returns both meta pages. At least one has no error.
func (db *DB) Metas() [2]MetaPage { return db.metas }

// Size returns the size of the file, in bytes.
func (db *DB) Size() int64 { return db.size }
