package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// tree is which pages a transaction uses, and how they refer to each other. Leaves are not read but
// where they lie in the root bucket: all children of a branch are of one kind in bbolt, so that one
// tells it.
type tree struct {
	db    *DB
	old   *tree               // of the transaction before; nil if that isn't known
	pages *pageSet            // all, without those that are overflow
	refs  map[uint64][]uint64 // what branches refer to
	root  *pageSet            // those of the root bucket
}

func newTree(db *DB, old *tree) *tree {
	return &tree{db: db, old: old, pages: newPageSet(), refs: map[uint64][]uint64{}, root: newPageSet()}
}

// build finds the pages. A page that is corrupt counts, and refers to nothing.
func (t *tree) build() error {
	defer func() { t.old = nil }() // it has served
	if f := t.db.meta.Freelist; f != NoFreelist {
		t.add(f)
	}
	roots, err := t.buckets()
	for _, id := range roots {
		if err == nil {
			_, err = t.visit(id, 0)
		}
	}
	return err
}

// add adds a page, and reports whether it is a page and wasn't there before.
func (t *tree) add(id uint64) bool { return id < t.db.meta.HighWater && t.pages.add(id) }

// refers reports whether it is known what a page refers to.
func (t *tree) refers(id uint64) bool {
	_, ok := t.refs[id]
	return ok || t.root.has(id) || id == t.db.meta.Freelist
}

// buckets reads the root bucket, and returns where the buckets in it begin.
func (t *tree) buckets() (roots []uint64, err error) {
	note := func(p *Page) {
		t.add(p.ID)
		t.root.add(p.ID)
	}
	yield := func(p *Page, err error) bool {
		if err != nil {
			if e, ok := errors.AsType[*CorruptError](err); ok {
				t.add(e.Page)
				t.root.add(e.Page)
			}
			return true
		}
		note(p)
		for i := range p.Len() {
			if _, v := p.Element(i); p.IsBucket(i) && len(v) >= bucketHeaderSize {
				if id := binary.LittleEndian.Uint64(v); id != 0 { // else it stands inline
					roots = append(roots, id)
				}
			}
		}
		return true
	}
	w := walk{db: t.db, seen: newPageSet(), branch: note, yield: func(p *Page, e error) bool {
		if _, corrupt := errors.AsType[*CorruptError](e); e != nil && !corrupt {
			err = e
		}
		return yield(p, e)
	}}
	w.visit(t.db.meta.Root, span{}, 0)
	return roots, err
}

// visit adds a page and those below it, and reports whether it is a leaf.
func (t *tree) visit(id uint64, depth int) (isLeaf bool, err error) {
	if depth == maxDepth {
		return false, &CorruptError{Page: id, Off: int64(id) * t.db.meta.PageSize,
			Err: fmt.Errorf("%d levels deep, want less", depth)}
	}
	if !t.add(id) {
		return false, nil
	}
	refs, isLeaf, err := t.read(id)
	if err != nil || isLeaf {
		return isLeaf, err
	}
	t.refs[id] = refs
	leaves := false // are what it refers to
	for i, child := range refs {
		if leaves && !t.known(child) {
			t.add(child)
			continue
		}
		isLeaf, err := t.visit(child, depth+1)
		if err != nil {
			return false, err
		}
		leaves = leaves || isLeaf && i == 0
	}
	return false, nil
}

// known reports whether the transaction before has a page too, in a bucket.
func (t *tree) known(id uint64) bool {
	return t.old != nil && t.old.pages.has(id) && !t.old.root.has(id)
}

// read returns what a page refers to, if it is a branch.
func (t *tree) read(id uint64) (refs []uint64, isLeaf bool, err error) {
	if t.known(id) { // and so it hasn't changed
		refs, ok := t.old.refs[id]
		return refs, !ok, nil
	}
	var p Page
	err = t.db.read(id, &p, nil)
	if _, corrupt := errors.AsType[*CorruptError](err); corrupt {
		return nil, true, nil
	}
	if err != nil || p.IsLeaf() {
		return nil, true, err
	}
	for i := range p.Len() {
		_, child := branchElement(p.b, i)
		refs = append(refs, child)
	}
	return refs, false, nil
}
