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

// trailer is the sum that was stored, and what it should be.
type trailer struct {
	stored, computed [sha256.Size]byte
	state            TrailerState
	proven           bool // if it is stale: nothing but the meta pages was changed
}

// readTrailer reads the trailer and sums up the database, of which it reads every byte.
func (db *DB) readTrailer(ctx context.Context) (*trailer, error) {
	t := &trailer{state: TrailerOK}
	if n, err := db.r.ReadAt(t.stored[:], db.size); n < len(t.stored) {
		return nil, err
	}
	var err error
	if t.computed, err = db.sum(ctx, nil); err != nil || t.stored == t.computed {
		return t, err
	}
	t.state = TrailerWrong
	return t, db.explainTrailer(ctx, t)
}

// sum sums up the database, with other bytes at its start.
func (db *DB) sum(ctx context.Context, start []byte) (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	_, _ = h.Write(start) // a hash never fails
	buf := make([]byte, 1<<20)
	for off := int64(len(start)); off < db.size; {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		n, err := db.r.ReadAt(buf[:min(int64(len(buf)), db.size-off)], off)
		if n == 0 {
			return sum, err
		}
		_, _ = h.Write(buf[:n])
		off += int64(n)
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// explainTrailer tells a sum that is stale from one that is wrong. When a database is saved, its meta
// pages say the same but for the transaction, of which the first has the later. A tool of etcd's that
// opens it for writing makes transactions that change nothing else, and puts each on the page that is
// its turn; one of bbolt's also writes its list of free pages, over pages that were free.
func (db *DB) explainTrailer(ctx context.Context, t *trailer) error {
	metas := db.bolt.Metas()
	a, b := metas[0], metas[1]
	if a.Err != nil || b.Err != nil {
		return nil
	}
	const most = 3 // transactions that a tool makes
	now := db.bolt.Meta()
	for n := uint64(1); n <= most && now.TxID > n; n++ {
		sum, err := db.sum(ctx, now.SavedPages(now.TxID-n))
		if err != nil {
			return err
		}
		if sum == t.stored {
			t.state, t.proven = TrailerStale, true
			return nil
		}
	}
	saved := a.TxID == b.TxID+1 && a.Root == b.Root && a.Freelist == b.Freelist && a.HighWater == b.HighWater
	if !saved {
		t.state = TrailerStale
	}
	return nil
}
