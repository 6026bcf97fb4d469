package database

import (
	"crypto/sha256"
	"io"
)

const (
	// sector is what a database's size is a multiple of, since that of a page is.
	sector      = 512
	trailerSize = sha256.Size
)

// Trailer is the sha256 behind a database, as snapshot save appends it.
type Trailer struct {
	Stored, Computed [sha256.Size]byte
}

// OK reports whether the sum is that of the database.
func (t *Trailer) OK() bool { return t.Stored == t.Computed }

// Trailer reads the trailer and sums up the database, of which it reads every byte. It must have one:
// see [Origin]. Progress is told the bytes done; it may be nil.
func (db *DB) Trailer(progress func(done int64)) (*Trailer, error) {
	t := new(Trailer)
	if _, err := db.r.ReadAt(t.Stored[:], db.size); err != nil && err != io.EOF { // the end of the file is here
		return nil, err
	}
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for off := int64(0); off < db.size; {
		n, err := db.r.ReadAt(buf[:min(int64(len(buf)), db.size-off)], off)
		if n == 0 {
			return nil, err
		}
		_, _ = h.Write(buf[:n]) // a hash never fails
		if off += int64(n); progress != nil {
			progress(off)
		}
	}
	h.Sum(t.Computed[:0])
	return t, nil
}
