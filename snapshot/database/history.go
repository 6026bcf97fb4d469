package database

import (
	"context"
	"math"
)

// history follows every key of a database through its revisions, as far as to say which are there at
// one of them, and which changes make that up.
type history struct {
	upTo  int64 // later revisions are not looked at
	table *keyTable[lastChange]
	kept  bitset // ordinals of the changes that a compaction at upTo would leave

	live    int64 // keys that there are at revision upTo
	leased  int64 // of those, keys with a lease
	markers int64 // 1 if there are such: see [Change.isMarker]
}

// lastChange is the last change of a key: its ordinal and, in the lowest bits, what it was.
type lastChange uint64

const (
	changeDeleted lastChange = 1 << iota
	changeLeased
	changeMarker
	changeBits = iota
)

func newHistory(upTo int64) *history {
	if upTo <= 0 {
		upTo = math.MaxInt64
	}
	return &history{upTo: upTo, table: newKeyTable[lastChange]()}
}

// add follows a change, if its key belongs to the part of the keys that is being followed.
func (h *history) add(d *digest) {
	if d.Revision.Main > h.upTo {
		return
	}
	s, known := h.table.get(d.key, d.ordinal)
	if s == nil {
		return
	}
	if known && *s&changeDeleted == 0 {
		h.kept.clear(int64(*s >> changeBits))
	}
	*s = lastChange(d.ordinal) << changeBits
	switch {
	case d.Tombstone:
		*s |= changeDeleted
		return
	case d.marker:
		*s |= changeMarker
	case d.Lease != 0:
		*s |= changeLeased
	}
	h.kept.set(d.ordinal)
}

// finish counts what the table holds, and reads the records as often again as it takes to follow the
// keys for which there was no room.
func (h *history) finish(ctx context.Context, db *DB) error {
	for {
		h.count()
		if _, more := h.table.next(); !more {
			return nil
		}
		for batch := range db.digests(reading{ctx: ctx}) {
			h.table.touch(batch)
			for i := range batch {
				if batch[i].err == nil { // an earlier pass has told the error
					h.add(&batch[i])
				}
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func (h *history) count() {
	h.table.each(func(s *lastChange) {
		switch {
		case *s&changeDeleted != 0:
		case *s&changeMarker != 0:
			h.markers = 1
		case *s&changeLeased != 0:
			h.leased++
			h.live++
		default:
			h.live++
		}
	})
}
