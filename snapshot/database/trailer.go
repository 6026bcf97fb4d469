package database

import (
	"context"
	"crypto/sha256"
)

const (
	// sector is what a database's size is a multiple of, since that of a page is.
	sector      = 512
	trailerSize = sha256.Size
)

// TrailerState says what is known of the sha256 behind a database, as snapshot save appends it.
type TrailerState string

// The states.
const (
	TrailerMissing TrailerState = "missing"
	TrailerOK      TrailerState = "ok"
	TrailerWrong   TrailerState = "wrong" // not that of the bytes before it

	// TrailerStale: not that of the bytes before it, but the meta pages say that the file was opened
	// for writing after it was saved, as etcd-dump-db and etcdutl hashkv do.
	TrailerStale TrailerState = "stale"

	TrailerSkipped TrailerState = "skipped" // there, and not compared
)

// trailer is the sum that was stored and the one that it should be.
type trailer struct{ stored, computed [sha256.Size]byte }

// readTrailer reads the trailer and sums up the database, of which it reads every byte.
func (db *DB) readTrailer(ctx context.Context) (*trailer, error) {
	t := new(trailer)
	if n, err := db.r.ReadAt(t.stored[:], db.size); n < len(t.stored) {
		return nil, err
	}
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for off := int64(0); off < db.size; {
		n, err := db.r.ReadAt(buf[:min(int64(len(buf)), db.size-off)], off)
		if n == 0 {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		_, _ = h.Write(buf[:n]) // a hash never fails
		off += int64(n)
	}
	h.Sum(t.computed[:0])
	return t, nil
}

// state tells what the sums and the meta pages say together. When a database is saved, both meta pages
// are written from one: they differ in the transaction, of which the first has the later. A tool that
// then opens the file for writing writes one of them anew, with its list of free pages.
func (db *DB) trailerState(t *trailer) TrailerState {
	if t.stored == t.computed {
		return TrailerOK
	}
	metas := db.bolt.Metas()
	a, b := metas[0], metas[1]
	if a.Err != nil || b.Err != nil {
		return TrailerWrong
	}
	saved := a.TxID == b.TxID+1 && a.Root == b.Root && a.Freelist == b.Freelist && a.HighWater == b.HighWater
	if saved {
		return TrailerWrong
	}
	return TrailerStale
}
