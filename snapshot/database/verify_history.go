package database

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// historyCheck checks the records of bucket key: each by itself, how the revisions follow each other,
// and how the changes of each key do.
//
// What a compaction up to a revision C removes is, of each key, all changes up to C but the last, and
// that one too if it is a deletion. So behind C no revision is missing; and of a key whose first change
// behind C isn't its first at all, the one before is there.
type historyCheck struct {
	found     *findings
	compacted int64  // up to which changes may be missing
	finished  int64  // up to which they must be
	last      Change // without its bytes; the next one's ordinal tells whether something is lost between
	records   int64
	losses    uint16 // pages and records so far that can't be read, as many as fit

	free   chan []digest
	bucket *bolt.Bucket // where the keys of findings are read
	table  *keyTable[keyState]
	live   int64           // keys that there are
	leases map[int64]int64 // how many of them a lease has
}

// keyState is what is known of a key at the last of its changes that was seen.
type keyState struct {
	create, mod, lease int64
	version            uint32
	losses             uint16 // before it, as many as fit
	tombstone, marker  bool
}

func newHistoryCheck(found *findings, m *Meta) *historyCheck {
	return &historyCheck{found: found, compacted: m.Compacted, finished: m.Finished,
		last: Change{ordinal: -1}, free: make(chan []digest, 64), table: newKeyTable[keyState](), leases: map[int64]int64{}}
}

func (h *historyCheck) report(c *Change, class Class, format string, args ...any) {
	h.found.add(Finding{Class: class, Off: c.off, Page: c.page, Bucket: bucketKey, Key: h.keyOf(c),
		Revision: c.Revision, Evidence: fmt.Sprintf(format, args...)})
}

// keyOf returns a copy of a change's key, which is read again if it is gone.
func (h *historyCheck) keyOf(c *Change) []byte {
	key := c.Key
	if key == nil {
		var p bolt.Page
		var again Change
		if h.bucket.Page(c.page, &p) == nil && c.element < p.Len() && again.set(&p, c.element) == nil {
			key = again.Key
		}
	}
	const most = 1 << 10 // bytes in evidence
	return append([]byte{}, key[:min(len(key), most)]...)
}

// visitor returns what reads a part of the bucket: it hands over the digests of its changes by a channel
// of its own, which it puts into parts.
func (h *historyCheck) visitor(ctx context.Context, parts chan<- chan []digest) bolt.Visitor {
	const ahead = 32 // batches that a part may be read before it is its turn
	out := make(chan []digest, ahead)
	parts <- out
	r := reading{ctx: ctx, look: h.form}
	var c Change
	batch := h.batch()
	return func(p *bolt.Page, lost error) error {
		switch {
		case lost != nil:
			batch = append(batch, digest{err: lost})
		case p != nil:
			batch = r.page(batch, &c, p)
		}
		end := p == nil && lost == nil
		if len(batch) >= digestBatch || end {
			select {
			case out <- batch:
			case <-ctx.Done():
			}
			batch = nil
			if !end {
				batch = h.batch()
			}
		}
		if end {
			close(out)
		}
		return ctx.Err()
	}
}

// batch returns an empty batch: one that was followed, if there is one.
func (h *historyCheck) batch() []digest {
	select {
	case b := <-h.free:
		return b[:0]
	default:
		return make([]digest, 0, digestBatch+pollEvery)
	}
}

// follow checks how the changes of all parts follow each other, in their order.
func (h *historyCheck) follow(parts <-chan chan []digest) error {
	var fatal error
	for part := range parts {
		for batch := range part {
			h.table.touch(batch)
			for i := range batch {
				if fatal == nil {
					fatal = h.next(&batch[i])
				}
			}
			select {
			case h.free <- batch:
			default: // enough are waiting
			}
		}
	}
	return fatal
}

// next checks one change.
func (h *historyCheck) next(d *digest) error {
	d.ordinal = h.records
	h.records++
	if d.err == nil {
		h.follows(&d.Change)
		h.last = Change{Revision: d.Revision, ordinal: d.ordinal}
		h.add(d, 0)
		return nil
	}
	h.lose()
	if _, ok := errors.AsType[*RecordError](d.err); !ok {
		return nil // a page: the check of the pages tells it
	}
	return h.found.addError(bucketKey, d.err)
}

// lose counts a page or record that can't be read.
func (h *historyCheck) lose() { h.losses = max(h.losses, h.losses+1) }

// add checks a change against the one before of the same key, if that belongs to the part of the keys
// that is being followed. Up to the ordinal seen, an earlier pass has checked it.
func (h *historyCheck) add(d *digest, seen int64) {
	s, known := h.table.get(d.key, d.ordinal)
	if s == nil {
		return
	}
	if d.ordinal >= seen {
		h.change(d, *s, !known)
	}
	if !d.Tombstone {
		s.create, s.lease = d.CreateRevision, d.Lease
		s.version = uint32(min(d.Version, math.MaxUint32))
	}
	s.mod, s.tombstone, s.marker, s.losses = d.Revision.Main, d.Tombstone, d.marker, h.losses
}

// finish counts what the table holds, and reads the records as often again as it takes to check the keys
// for which there was no room.
func (h *historyCheck) finish(ctx context.Context, db *DB) error {
	for {
		h.table.each(h.count)
		seen, more := h.table.next()
		if !more {
			return ctx.Err()
		}
		h.losses = 0
		for batch := range db.digests(reading{ctx: ctx}) {
			h.table.touch(batch)
			for i := range batch {
				if batch[i].err != nil { // the first pass has told it
					h.lose()
					continue
				}
				h.add(&batch[i], seen)
			}
		}
	}
}

// marker looks at the mark of a restore: the revisions before it are missing, and compacted with it.
func (h *historyCheck) marker(c *Change) {
	if c.Revision.Main > h.compacted {
		h.report(c, ClassRecord, "revision %v has no key, and was not compacted", c.Revision)
		return
	}
	h.report(c, ClassRestoreMark, "the revisions up to %v were left out, and are compacted", c.Revision)
}

// follows checks that a revision is the one behind the last.
func (h *historyCheck) follows(c *Change) {
	r, was := c.Revision, h.last.Revision
	if r.Main <= h.compacted || h.last.ordinal+1 != c.ordinal {
		return
	}
	if h.last.ordinal < 0 || was.Main < h.compacted {
		was = Revision{Main: max(h.compacted, 1)} // what comes next is the first behind it
	}
	switch {
	case r.Sub > 0 && (was.Main != r.Main || was.Sub != r.Sub-1):
		h.report(c, ClassRevisionGap, "revision %v behind %v: %d/%d is missing", r, was, r.Main, r.Sub-1)
	case r.Sub == 0 && r.Main > was.Main+1:
		h.report(c, ClassRevisionGap, "revision %v behind %v: %d..%d are missing", r, was, was.Main+1, r.Main-1)
	}
}

// form checks what a record says of itself.
func (h *historyCheck) form(c *Change, _, _ []byte) {
	switch {
	case c.isMarker():
		h.marker(c)
	case len(c.Key) == 0:
		h.report(c, ClassRecord, "no key")
	case c.Tombstone:
		if c.ModRevision != 0 || c.CreateRevision != 0 || c.Version != 0 || len(c.Value) != 0 {
			h.report(c, ClassRecord, "a deletion that has more than a key")
		}
	case c.ModRevision != c.Revision.Main:
		h.report(c, ClassModRevision, "modified at revision %d, but it lies at %v", c.ModRevision, c.Revision)
	case c.CreateRevision < 1 || c.CreateRevision > c.ModRevision:
		h.report(c, ClassVersion, "created at revision %d, modified at %d", c.CreateRevision, c.ModRevision)
	case c.Version < 1 || (c.Version == 1) != (c.CreateRevision == c.ModRevision):
		h.report(c, ClassVersion, "version %d, created at %d, modified at %d",
			c.Version, c.CreateRevision, c.ModRevision)
	case c.Version > c.ModRevision-c.CreateRevision+1:
		h.report(c, ClassVersion, "version %d, but there are only %d revisions since it was created at %d",
			c.Version, c.ModRevision-c.CreateRevision+1, c.CreateRevision)
	case c.Lease < 0:
		h.report(c, ClassRecord, "lease %d", c.Lease)
	}
}

// change checks a change against the one before of the same key.
func (h *historyCheck) change(d *digest, before keyState, fresh bool) {
	c := &d.Change
	if d.marker {
		return
	}
	gone := fresh || before.tombstone
	mayMiss := c.Revision.Main <= h.compacted
	switch {
	case !fresh && !mayMiss && before.mod == c.Revision.Main:
		h.report(c, ClassVersion, "changed twice in revision %d", before.mod)
	case !fresh && c.Revision.Main <= h.finished && !before.tombstone:
		h.report(c, ClassNotCompacted, "compaction up to %d has left the change of revision %d", h.finished, before.mod)
	case mayMiss, before.losses != h.losses: // and where something is lost, it may be what is missing
	case c.Tombstone && gone:
		h.report(c, ClassTombstone, "deleted at %v, but there was no such key", c.Revision)
	case c.Tombstone:
	case gone && c.Version > 1:
		h.report(c, ClassMissing, "version %d at %v, and no change before it", c.Version, c.Revision)
	case !gone && c.Version == 1:
		h.report(c, ClassVersion, "created at %v, but it was there since %d", c.Revision, before.create)
	case !gone && (c.Version != int64(before.version)+1 || c.CreateRevision != before.create):
		h.report(c, ClassVersion, "version %d, created at %d, behind version %d, created at %d",
			c.Version, c.CreateRevision, before.version, before.create)
	}
}

// count counts a key, and those of its lease.
func (h *historyCheck) count(s *keyState) {
	if s.tombstone || s.marker {
		return
	}
	h.live++
	if s.lease != 0 && (len(h.leases) < maxLeases || h.leases[s.lease] > 0) {
		h.leases[s.lease]++
	}
}
