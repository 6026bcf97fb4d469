package database

import (
	"context"
	"math"
)

// history follows every key of a database through its revisions.
type history struct {
	upTo  int64 // later revisions are not looked at
	table *keyTable
	kept  bitset // ordinals of the revisions that a compaction at upTo would leave

	live    int64 // keys that there are at revision upTo
	leased  int64 // of those, keys with a lease
	markers int64 // 1 if there are such: see [Change.isMarker]

	// check, if it isn't nil, is told of each change once, with the state of its key before. fresh
	// says that the key wasn't seen before.
	check func(c *Change, before keyState, fresh bool)
	// end, if it isn't nil, is told of each key that is live at the end.
	end func(s *keyState)
}

func newHistory(upTo int64) *history {
	if upTo <= 0 {
		upTo = math.MaxInt64
	}
	return &history{upTo: upTo, table: newKeyTable()}
}

// add follows a change, if its key belongs to the part of the keys that is being followed. Up to the
// ordinal seen, an earlier pass has checked it.
func (h *history) add(c *Change, seen int64) {
	if c.Revision.Main > h.upTo {
		return
	}
	s, known := h.table.get(c.Key, c.ordinal)
	if s == nil {
		return
	}
	if h.check != nil && c.ordinal >= seen {
		h.check(c, *s, !known)
	}
	if known && !s.tombstone {
		h.kept.clear(s.ordinal)
	}
	if !c.Tombstone {
		h.kept.set(c.ordinal)
		s.create, s.version, s.lease = c.CreateRevision, c.Version, c.Lease
	}
	s.mod, s.ordinal, s.tombstone = c.Revision.Main, c.ordinal, c.Tombstone
	s.marker = c.isMarker()
}

// finish counts what the table holds, and reads the records as often again as it takes to follow the
// keys for which there was no room.
func (h *history) finish(ctx context.Context, db *DB, progress func(int64)) error {
	for {
		h.count()
		seen, more := h.table.next()
		if !more {
			return nil
		}
		for c, err := range db.records(ctx, Revision{}, progress) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil { // an earlier pass has told the error
				h.add(c, seen)
			}
		}
	}
}

func (h *history) count() {
	h.table.each(func(s *keyState) {
		if s.tombstone {
			return
		}
		if s.marker {
			h.markers++
			return
		}
		h.live++
		if s.lease != 0 {
			h.leased++
		}
		if h.end != nil {
			h.end(s)
		}
	})
}
