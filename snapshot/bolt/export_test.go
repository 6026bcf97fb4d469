package bolt

import "iter"

// AllPages yields the branch and leaf pages of a database, in all its buckets.
func AllPages(db *DB) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		var bucket func(b *Bucket) bool
		bucket = func(b *Bucket) bool {
			w := walk{db: db, yield: yield, seen: newPageSet(), branch: func(p *Page) { yield(p, nil) }}
			if b.Root != 0 && !w.visit(b.Root, span{}, 0) {
				return false
			}
			for sub, err := range b.Buckets() {
				if err != nil || !bucket(sub) {
					return false
				}
			}
			return true
		}
		bucket(db.RootBucket())
	}
}

// Children returns the pages that a branch page refers to, and those at which the buckets of a leaf
// page begin.
func Children(p *Page) []int64 {
	var ids []int64
	for i := range p.Len() {
		if !p.IsLeaf() {
			_, id := branchElement(p.b, i)
			ids = append(ids, int64(id))
		} else if p.IsBucket(i) {
			_, v := p.Element(i)
			ids = append(ids, int64(v[0])|int64(v[1])<<8)
		}
	}
	return ids
}
