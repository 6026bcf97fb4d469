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
	Err error // why it doesn't count, a *CorruptError; Meta is then zero
}

// Open opens the database that r holds in its first size bytes. Nothing but the meta pages is read.
//
// The error is ErrNotBolt if neither page is one of bbolt, and a *CorruptError if one is, but neither
// is intact.
func Open(r io.ReaderAt, size int64) (*DB, error) {
	db := &DB{r: r, size: size}
	db.metas[0] = readMeta(r, size, 0, 0)
	second := db.metas[0].PageSize
	if second != 0 {
		db.metas[1] = readMeta(r, size, 1, second)
		return db, db.choose()
	}
	for second = MinPageSize; second <= MaxPageSize; second <<= 1 { // the first page doesn't tell the size
		m := readMeta(r, size, 1, second)
		if m.Err == nil && m.PageSize == second {
			db.metas[1] = m
			return db, db.choose()
		}
		if second == MinPageSize || !errors.Is(m.Err, errMagic) {
			db.metas[1] = m
		}
	}
	return nil, db.choose()
}

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
	if err != nil {
		return MetaPage{Err: &CorruptError{Page: id, Off: off + pageHeaderSize, Err: err}}
	}
	return MetaPage{Meta: m}
}

// choose takes the meta page that counts.
func (db *DB) choose() error {
	a, b := &db.metas[0], &db.metas[1]
	switch {
	case a.Err == nil && (b.Err != nil || a.TxID > b.TxID):
		db.meta = a.Meta
	case b.Err == nil:
		db.meta = b.Meta
	case errors.Is(a.Err, errMagic) && (b.Err == nil || errors.Is(b.Err, errMagic)):
		return fmt.Errorf("%w: %w", ErrNotBolt, a.Err)
	default:
		return a.Err
	}
	return nil
}

// Meta returns the meta page that counts: of the two, the one of the later transaction.
func (db *DB) Meta() Meta { return db.meta }

// Metas returns both meta pages. At least one has no error.
func (db *DB) Metas() [2]MetaPage { return db.metas }

// Size returns the size of the file, in bytes.
func (db *DB) Size() int64 { return db.size }
