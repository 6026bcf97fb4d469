package database

import (
	"context"
	"hash/crc32"
	"hash/maphash"
	"iter"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// digest is what is left of a change when its bytes are gone: enough to follow its key.
type digest struct {
	Change // without Key and Value
	key    keyHash
	marker bool   // see [Change.isMarker]
	crc    uint32 // of the record
	size   uint32 // of the record, in bytes
	used   int64  // bytes of the file that the page takes, with the first of its records
	err    error  // why a record, or a page of them, can't be read: then nothing else counts
}

// keyHash stands for a key. Its 127 bits are seeded anew by each process, so that nobody can make two
// keys that are taken for one. It is never zero.
type keyHash [2]uint64

var keySeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func hashOf(key []byte) keyHash {
	return keyHash{maphash.Bytes(keySeeds[0], key), maphash.Bytes(keySeeds[1], key) | 1<<63}
}

// reading is how the records of bucket key are read.
type reading struct {
	ctx      context.Context
	progress func(done int64)
	// look, if it isn't nil, is called with each change that can be read, while its bytes are there,
	// in their order, and on another goroutine than digests are yielded on.
	look func(c *Change, k, v []byte)
	sums bool // the checksums of records are wanted
}

const (
	digestBatch   = 512 // digests are handed over so many at a time
	digestBatches = 4
)

// digests yields the records of bucket key in their order, in batches: one goroutine reads and another
// one follows. A batch is valid until the next is asked for. It ends early if the context does, whose
// error the last digest then has.
func (db *DB) digests(r reading) iter.Seq[[]digest] {
	return func(yield func([]digest) bool) {
		ctx, cancel := context.WithCancel(r.ctx)
		r.ctx = ctx
		full, free := make(chan []digest), make(chan []digest, digestBatches)
		for range digestBatches {
			free <- make([]digest, 0, digestBatch)
		}
		go func() {
			defer close(full)
			db.digest(&r, full, free)
		}()
		for batch := range full {
			if !yield(batch) {
				break
			}
			free <- batch[:0]
		}
		cancel()
		for range full { // the reader ends when it sees that nobody listens
		}
	}
}

// digest reads all records into batches. It takes them from free, and hands them over to full.
func (db *DB) digest(r *reading, full chan<- []digest, free <-chan []digest) {
	batch := <-free
	send := func() bool {
		select {
		case full <- batch:
		case <-r.ctx.Done():
			return false
		}
		select {
		case batch = <-free:
			return true
		case <-r.ctx.Done():
			return false
		}
	}
	b, err := db.bolt.Bucket(bucketKey)
	if err != nil {
		batch = append(batch, digest{err: err})
	}
	if b != nil {
		var c Change
		for p, err := range db.leaves(r.ctx, b, nil, r.progress) {
			if err != nil {
				batch = append(batch, digest{err: err})
				c.ordinal++ // stands for whatever the page has held
			} else {
				batch = r.page(batch, &c, p)
			}
			if len(batch) >= digestBatch && !send() {
				return
			}
		}
	}
	full <- batch
}

// page appends the digests of a page's records.
func (r *reading) page(batch []digest, c *Change, p *bolt.Page) []digest {
	for i := range p.Len() {
		k, v := p.Element(i)
		batch = append(batch, r.digestOf(c, c.set(p, i), k, v))
		c.ordinal++
	}
	if p.Len() > 0 {
		batch[len(batch)-p.Len()].used = p.Used()
	}
	return batch
}

// digestOf returns the digest of a change, or of a record that can't be read.
func (r *reading) digestOf(c *Change, err error, k, v []byte) digest {
	if err != nil {
		return digest{Change: Change{ordinal: c.ordinal}, err: err}
	}
	if r.look != nil {
		r.look(c, k, v)
	}
	d := digest{Change: *c, key: hashOf(c.Key), marker: c.isMarker(), size: uint32(len(k) + len(v))}
	d.Key, d.Value, d.record = nil, nil, nil
	if r.sums {
		d.crc = crc32.Update(crc32.Update(0, castagnoli, k), castagnoli, v)
	}
	return d
}
