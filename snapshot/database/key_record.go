package database

import (
	"context"
	"fmt"
	"iter"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// Change is a revision of a key: a put, or a deletion, which has nothing but the key.
type Change struct {
	Revision  Revision
	Tombstone bool
	Unproven  bool // it may have been compacted away: see [DB.Scan]
	KeyValue

	record  []byte // the key and value as they are stored; aliases the page
	ordinal int64  // of the revision in the bucket: 0, 1, 2, …
	page    uint64
	off     int64 // of the page in the file
	element int
}

// RecordError is a record of bucket key that is not as etcd writes it.
type RecordError struct {
	Page    uint64
	Off     int64 // of the page, in bytes from the start of the file
	Element int
	Err     error
}

// Error formats the error as "page 7: offset 28672: element 3: 16 bytes, want a revision of 17 or 18".
func (e *RecordError) Error() string {
	return fmt.Sprintf("page %d: offset %d: element %d: %v", e.Page, e.Off, e.Element, e.Err)
}

// Unwrap returns Err.
func (e *RecordError) Unwrap() error { return e.Err }

// set reads element i of a page of bucket key.
func (c *Change) set(p *bolt.Page, i int) error {
	k, v := p.Element(i)
	c.page, c.off, c.element, c.record = p.ID, p.Off, i, v
	var err error
	if c.Revision, c.Tombstone, err = ParseRevision(k); err == nil {
		err = c.Unmarshal(v)
	}
	if err != nil {
		c.KeyValue = KeyValue{}
		return &RecordError{p.ID, p.Off, i, err}
	}
	return nil
}

// isMarker reports whether a change is the mark that a restore with --bump-revision leaves: a revision
// without a key, which makes the counter go on from there.
func (c *Change) isMarker() bool { return len(c.Key) == 0 && !c.Tombstone }

// records yields the records of bucket key in the order of their revisions, those from a revision on. A
// record is valid until the next one is asked for. At one that can't be read, or a page that is
// corrupt, it yields the error, and goes on behind it.
func (db *DB) records(ctx context.Context, from Revision, progress func(int64)) iter.Seq2[*Change, error] {
	return func(yield func(*Change, error) bool) {
		b, err := db.bolt.Bucket(bucketKey)
		if err != nil && !yield(nil, err) || b == nil {
			return
		}
		var c Change
		for p, err := range db.leaves(ctx, b, AppendRevision(nil, from), progress) {
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			for i := range p.Len() {
				err := c.set(p, i)
				if err == nil && c.Revision.Compare(from) < 0 {
					continue
				}
				if !yield(&c, err) {
					return
				}
				c.ordinal++
			}
		}
	}
}

// pollEvery is how many pages are read before asking whether to stop.
const pollEvery = 256

// leaves yields the leaf pages of a bucket until ctx is done, with whose error it then ends.
func (db *DB) leaves(
	ctx context.Context, b *bolt.Bucket, from []byte, progress func(int64),
) iter.Seq2[*bolt.Page, error] {
	return func(yield func(*bolt.Page, error) bool) {
		n, done := 0, int64(0)
		for p, err := range b.Leaves(from) {
			if n++; n%pollEvery == 0 {
				if err := ctx.Err(); err != nil {
					yield(nil, err)
					return
				}
				if progress != nil {
					progress(done)
				}
			}
			if err == nil {
				done += p.Used()
			}
			if !yield(p, err) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}
