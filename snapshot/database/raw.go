package database

import (
	"crypto/sha256"
	"fmt"
	"io"
)

// Raw returns a reader of the database's bytes as they lie, without the trailer. It is at their start.
func (db *DB) Raw() *io.SectionReader { return io.NewSectionReader(db.r, 0, db.size) }

// Trailer returns the sha256 behind the database; ok is false if there is none.
func (db *DB) Trailer() (sum [sha256.Size]byte, ok bool, err error) {
	if !db.origin.HasTrailer {
		return sum, false, nil
	}
	if n, err := db.r.ReadAt(sum[:], db.size); n < len(sum) {
		return sum, true, fmt.Errorf("%s: sha256 at offset %d: %w", db.name, db.size, bare(err))
	}
	return sum, true, nil
}

// Unchanged returns ErrChanged if the database isn't any more what it was when it was opened.
func (db *DB) Unchanged() error { return db.unchanged() }
