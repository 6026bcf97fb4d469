package database

import (
	"fmt"

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
	compacted int64 // up to which changes may be missing
	finished  int64 // up to which they must be
	history   *history
	last      Revision // zero before the first
	leases    map[int64]int64
	marks     int64
}

func newHistoryCheck(found *findings, m *Meta) *historyCheck {
	h := &historyCheck{found: found, compacted: m.Compacted, finished: m.Finished,
		history: newHistory(0), leases: map[int64]int64{}}
	h.history.check = h.change
	h.history.end = h.live
	return h
}

func (h *historyCheck) report(c *Change, class Class, format string, args ...any) {
	h.found.add(Finding{Class: class, Off: c.off, Page: c.page, Bucket: bucketKey, Key: clone(c.Key),
		Revision: c.Revision, Evidence: fmt.Sprintf(format, args...)})
}

// clone returns a copy of a key, which is short in evidence.
func clone(key []byte) []byte { return append([]byte{}, key[:min(len(key), 1<<10)]...) }

// page checks the records of a page. A page that can't be read comes as a nil one.
func (h *historyCheck) page(p *bolt.Page, c *Change) {
	for i := range p.Len() {
		if err := c.set(p, i); err != nil {
			_ = h.found.addError(bucketKey, err) // a RecordError: always damage
			h.last = Revision{}
		} else {
			h.record(c)
		}
		c.ordinal++
	}
}

// lost says that changes are missing because they could not be read, which was told already.
func (h *historyCheck) lost() { h.last = Revision{} }

// record checks one record.
func (h *historyCheck) record(c *Change) {
	h.follows(c)
	h.last = c.Revision
	if c.isMarker() {
		h.marker(c)
	} else {
		h.form(c)
	}
	h.history.add(c, 0)
}

// marker looks at the mark of a restore: the revisions before it are missing, and compacted with it.
func (h *historyCheck) marker(c *Change) {
	h.marks++
	if c.Revision.Main > h.compacted {
		h.report(c, ClassRecord, "revision %v has no key, and was not compacted", c.Revision)
		return
	}
	h.report(c, ClassRestoreMark, "the revisions up to %v were left out, and are compacted", c.Revision)
}

// follows checks that a revision is the one behind the last.
func (h *historyCheck) follows(c *Change) {
	r, was := c.Revision, h.last
	switch {
	case r.Main <= h.compacted:
		return
	case r.Sub > 0 && was != (Revision{}) && (was.Main != r.Main || was.Sub != r.Sub-1):
		h.report(c, ClassRevisionGap, "revision %v behind %v: %d/%d is missing", r, was, r.Main, r.Sub-1)
	case r.Sub == 0 && was != (Revision{}) && was.Main >= h.compacted && r.Main > was.Main+1:
		h.report(c, ClassRevisionGap, "revision %v behind %v: %d..%d are missing", r, was, was.Main+1, r.Main-1)
	case r.Sub == 0 && was != (Revision{}) && was.Main < h.compacted && r.Main > h.compacted+1:
		h.report(c, ClassRevisionGap, "revision %v, the first behind compaction at %d: %d..%d are missing",
			r, h.compacted, h.compacted+1, r.Main-1)
	}
}

// form checks what a record says of itself.
func (h *historyCheck) form(c *Change) {
	switch {
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
func (h *historyCheck) change(c *Change, before keyState, fresh bool) {
	if c.isMarker() || h.last == (Revision{}) {
		return
	}
	gone := fresh || before.tombstone
	mayMiss := c.Revision.Main <= h.compacted
	switch {
	case !fresh && !mayMiss && before.mod == c.Revision.Main:
		h.report(c, ClassVersion, "changed twice in revision %d", before.mod)
	case !fresh && c.Revision.Main <= h.finished && !before.tombstone:
		h.report(c, ClassNotCompacted, "compaction up to %d has left the change of revision %d", h.finished, before.mod)
	case mayMiss:
	case c.Tombstone && gone:
		h.report(c, ClassTombstone, "deleted at %v, but there was no such key", c.Revision)
	case c.Tombstone:
	case gone && c.Version > 1:
		h.report(c, ClassMissing, "version %d at %v, and no change before it", c.Version, c.Revision)
	case !gone && c.Version == 1:
		h.report(c, ClassVersion, "created at %v, but it was there since %d", c.Revision, before.create)
	case !gone && (c.Version != before.version+1 || c.CreateRevision != before.create):
		h.report(c, ClassVersion, "version %d, created at %d, behind version %d, created at %d",
			c.Version, c.CreateRevision, before.version, before.create)
	}
}

// maxLeasesSeen bounds how many leases without a lease are told apart.
const maxLeasesSeen = maxLeases

// live counts the keys of each lease.
func (h *historyCheck) live(s *keyState) {
	if s.lease != 0 && (len(h.leases) < maxLeasesSeen || h.leases[s.lease] > 0) {
		h.leases[s.lease]++
	}
}
