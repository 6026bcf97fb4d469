package database

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// Query says which keys are wanted. The zero value is all keys at the newest revision.
type Query struct {
	Revision int64  // the state as of this revision; 0 for the newest
	Key      []byte // only this key; nil for all
	Prefix   []byte // only keys that begin so

	// Progress is told how many bytes of how many are read, if it isn't nil. Where keys are sorted, what
	// follows counts as much as reading the database once more.
	Progress func(done, total int64)
}

// reading returns the progress function of the first pass of several over a database.
func (q *Query) reading(db *DB, passes int64) func(int64) {
	if q.Progress == nil {
		return nil
	}
	return func(done int64) { q.Progress(done, passes*db.size) }
}

// wants reports whether a key is wanted.
func (q *Query) wants(key []byte) bool {
	return (q.Key == nil || bytes.Equal(key, q.Key)) && bytes.HasPrefix(key, q.Prefix)
}

// Keys yields the keys that there are at a revision, in their order. One is valid until the next is
// asked for. At what is corrupt it yields the error, and goes on behind it: keys may then be missing, or
// have an older value than they should.
//
// Since the database has them in the order of their revisions, it is read once before the first key
// comes, and what is needed to sort them goes to a temporary file where there is much of it.
//
// The error is ErrCompacted or ErrFuture if there is no such revision.
func (db *DB) Keys(ctx context.Context, q Query) iter.Seq2[*KeyValue, error] {
	return func(yield func(*KeyValue, error) bool) {
		upTo := int64(math.MaxInt64)
		if q.Revision != 0 {
			_, err := db.at(ctx, q.Revision)
			if err != nil && (!yield(nil, err) || !errors.Is(err, ErrDamaged)) {
				return
			}
			upTo = q.Revision
		}
		s := newSorter()
		defer s.close()
		for c, err := range db.records(ctx, Revision{}, q.reading(db, sortedPasses)) {
			switch {
			case err != nil:
				if !yield(nil, err) || ctx.Err() != nil {
					return
				}
				continue
			case c.Revision.Main > upTo, c.isMarker(), !q.wants(c.Key):
				continue
			}
			if err := s.add(c); err != nil {
				yield(nil, err)
				return
			}
		}
		db.fetch(ctx, s, &q, yield)
	}
}

// sortedPasses is how often a database is read where its keys are sorted, or as good as.
const sortedPasses = 2

// fetch yields the keys that the sorter has, with their values.
func (db *DB) fetch(ctx context.Context, s *sorter, q *Query, yield func(*KeyValue, error) bool) {
	b, _ := db.bolt.Bucket(bucketKey)
	if b == nil {
		return // an error was told when it was read
	}
	var page bolt.Page
	var c Change
	n := 0
	for k, err := range s.all() {
		if n++; err == nil && n%pollEvery == 0 {
			err = ctx.Err()
			s.progress(q, db, n)
		}
		if err == nil && k.size == 0 && page.ID != k.page {
			err = b.Page(k.page, &page)
		}
		if err == nil {
			err = c.load(&k, &page)
		}
		if !yield(&c.KeyValue, err) || err != nil {
			return
		}
	}
}

// load reads the record that a key carries, or that lies on its page.
func (c *Change) load(k *sorted, p *bolt.Page) error {
	switch {
	case k.size > 0:
		return c.Unmarshal(k.record)
	case k.element >= p.Len():
		return fmt.Errorf("page %d has changed while it was read", k.page)
	}
	return c.set(p, k.element)
}

// History yields all changes of the keys that are wanted, in the order of their revisions, up to a
// revision if one is given. One is valid until the next is asked for. At what is corrupt it yields the
// error, and goes on behind it.
func (db *DB) History(ctx context.Context, q Query) iter.Seq2[*Change, error] {
	return func(yield func(*Change, error) bool) {
		for c, err := range db.records(ctx, Revision{}, q.reading(db, 1)) {
			if err == nil && q.Revision != 0 && c.Revision.Main > q.Revision {
				return
			}
			if err == nil && (c.isMarker() || !q.wants(c.Key)) {
				continue
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// Since is History of all keys from a revision on. It reads no more than that.
func (db *DB) Since(ctx context.Context, revision int64) iter.Seq2[*Change, error] {
	return func(yield func(*Change, error) bool) {
		for c, err := range db.records(ctx, Revision{Main: revision}, nil) {
			if err == nil && c.isMarker() {
				continue
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// Buckets returns the names of all buckets.
func (db *DB) Buckets() (names []string, err error) {
	for b, err := range db.bolt.Buckets() {
		if err != nil {
			return names, err
		}
		names = append(names, b.Name)
	}
	return names, nil
}

// Bucket yields the items of a bucket as they are, in the order of their keys. One is valid until the
// next is asked for. A bucket that isn't there has none.
func (db *DB) Bucket(ctx context.Context, name string) iter.Seq2[bolt.Item, error] {
	return func(yield func(bolt.Item, error) bool) {
		b, err := db.bolt.Bucket(name)
		if err != nil && !yield(bolt.Item{}, err) || b == nil {
			return
		}
		for p, err := range db.leaves(ctx, b, nil, nil) {
			if err != nil {
				if !yield(bolt.Item{}, err) {
					return
				}
				continue
			}
			for i := range p.Len() {
				k, v := p.Element(i)
				if !yield(bolt.Item{Key: k, Value: v}, nil) {
					return
				}
			}
		}
	}
}
