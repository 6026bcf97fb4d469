package database

import (
	"context"
	"iter"
	"math"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// Scan yields the changes that can be read of a damaged database, in the order of their revisions: those
// that lie where they belong, and those on pages that belong to the part of the tree that is lost, if
// they can be found. One is valid until the next is asked for. Before the changes it yields what is
// corrupt where the tree leads.
//
// Behind the compacted revision nothing is ever removed from the history, so that whatever is found
// there belongs to it. Up to it, a change that was found without the tree may have been compacted away:
// it is Unproven.
func (db *DB) Scan(ctx context.Context, q Query) iter.Seq2[*Change, error] {
	return func(yield func(*Change, error) bool) {
		s := newSorter()
		defer s.close()
		n := scan{db: db, ctx: ctx, q: &q, sorter: s, yield: yield, compacted: math.MaxInt64}
		if m, err := db.Meta(); err == nil {
			n.compacted = m.Compacted
		}
		// Of a change that is found twice, the one that is added last counts: where it belongs.
		if n.pages() && n.tree() {
			n.sorted()
		}
	}
}

// scan is one pass over a damaged database.
type scan struct {
	db        *DB
	ctx       context.Context
	q         *Query
	sorter    *sorter
	yield     func(*Change, error) bool
	compacted int64 // all that there is, where that can't be read
}

// tree adds the changes that the tree leads to, and tells what is corrupt. It reports whether to go on.
func (n *scan) tree() bool {
	metas := n.db.bolt.Metas()
	if metas[0].Err != nil && metas[1].Err != nil { // there is no tree
		return n.yield(nil, metas[0].Err)
	}
	for c, err := range n.db.records(n.ctx, Revision{}, n.q.reading(n.db, sortedPasses)) {
		if err == nil {
			err = n.add(c, false)
		}
		if err != nil && (!n.yield(nil, err) || !IsDamage(err)) {
			return false
		}
	}
	return true
}

// pages adds the changes on pages that the tree should lead to, but doesn't.
func (n *scan) pages() bool {
	var c Change
	b, _ := n.db.bolt.Bucket(bucketKey) // an error is told with the tree
	for p, err := range n.db.bolt.Scan(n.ctx) {
		if err != nil {
			n.yield(nil, err)
			return false
		}
		// Without the bucket, what is in use may be its pages, taken for those of another.
		if p.Reach == bolt.ReachFree || p.Reach == bolt.ReachInUse && b != nil || !isHistory(p.Page, &c) {
			continue
		}
		for i := range p.Len() {
			if c.set(p.Page, i) != nil {
				continue // told by nobody, for nobody knows what it was
			}
			if err := n.add(&c, true); err != nil {
				n.yield(nil, err)
				return false
			}
		}
	}
	return true
}

// isHistory reports whether a page is one of bucket key: all that it holds are changes, each under its
// own revision.
func isHistory(p *bolt.Page, c *Change) bool {
	for i := range p.Len() {
		if c.set(p, i) != nil || !c.Tombstone && !c.isMarker() && c.ModRevision != c.Revision.Main ||
			c.Tombstone && len(c.Key) == 0 {
			return false
		}
	}
	return p.Len() > 0
}

// add adds a change, to be sorted by its revision. found: without the tree.
func (n *scan) add(c *Change, found bool) error {
	if n.q.Revision != 0 && c.Revision.Main > n.q.Revision || c.isMarker() || !n.q.wants(c.Key) {
		return nil
	}
	var key [revisionSize + 1]byte
	b := AppendRevision(key[:0], c.Revision)
	p := place{page: c.page}
	if found {
		p.element |= elementFound
	}
	if c.Tombstone {
		p.element |= elementTombstone
	}
	return n.sorter.addPlace(p, b, c.record)
}

// What the sorter keeps of a change beside its record, in place of the element that it is.
const (
	elementFound = 1 << iota
	elementTombstone
)

// sorted yields the changes.
func (n *scan) sorted() {
	var c Change
	count := 0
	for k, err := range n.sorter.all() {
		if count++; err == nil && count%pollEvery == 0 {
			err = n.ctx.Err()
			n.sorter.progress(n.q, n.db, count)
		}
		if err == nil {
			err = c.scanned(&k, n.compacted)
		}
		if !n.yield(&c, err) || err != nil {
			return
		}
	}
}

// scanned reads a change back from the sorter.
func (c *Change) scanned(k *sorted, compacted int64) (err error) {
	if c.Revision, _, err = ParseRevision(k.name); err != nil {
		return err
	}
	c.Tombstone = k.element&elementTombstone != 0
	c.Unproven = k.element&elementFound != 0 && c.Revision.Main <= compacted
	return c.Unmarshal(k.record)
}
