package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"sort"
)

// Bucket is a tree of keys and values.
type Bucket struct {
	Name     string // empty for the root bucket
	Root     uint64 // its root page; 0 if it stands inline
	Sequence uint64
	Depth    int // how many buckets it lies in: 0 is the root bucket, 1 those of etcd

	db     *DB
	inline Page // its only page, where it stands inline
}

// RootBucket returns the bucket in which the others are.
func (db *DB) RootBucket() *Bucket {
	return &Bucket{Root: db.meta.Root, Sequence: db.meta.Sequence, db: db}
}

// Buckets yields the buckets of the database in the order of their names. At a page that is corrupt it
// yields the error, and goes on behind it. So it does at a key with a value: there is none beside the
// buckets.
func (db *DB) Buckets() iter.Seq2[*Bucket, error] {
	return db.RootBucket().buckets(func(p *Page, i int) bool { return true })
}

// Buckets yields the buckets within the bucket in the order of their names: etcd has none. At a page
// that is corrupt it yields the error, and goes on behind it. In a damaged database a bucket may be one
// of those in itself; [DB.Check] tells.
func (b *Bucket) Buckets() iter.Seq2[*Bucket, error] { return b.buckets((*Page).IsBucket) }

// buckets yields the buckets that those elements hold for which is says so.
func (b *Bucket) buckets(is func(*Page, int) bool) iter.Seq2[*Bucket, error] {
	return func(yield func(*Bucket, error) bool) {
		for p, err := range b.Leaves(nil) {
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			for i := range p.Len() {
				if is(p, i) && !yield(b.bucketAt(p, i)) {
					return
				}
			}
		}
	}
}

// Bucket returns the bucket of that name, or nil if there is none. Where part of the root bucket is
// corrupt and the rest doesn't have it, that is the error.
func (db *DB) Bucket(name string) (*Bucket, error) {
	var errs []error
	for b, err := range db.Buckets() {
		if err != nil {
			errs = append(errs, err)
		} else if b.Name == name {
			return b, nil
		}
	}
	return nil, errors.Join(errs...)
}

// bucketAt returns the bucket that element i of a page of the bucket holds.
func (b *Bucket) bucketAt(p *Page, i int) (*Bucket, error) {
	name, v, is := leafElement(p.b, i)
	off := p.Off + int64(pageHeaderSize+i*leafElementLen)
	corrupt := func(format string, args ...any) error {
		err := &ElementError{i, off - p.Off, fmt.Errorf(format, args...)}
		return &CorruptError{Page: p.ID, Off: off, Err: err}
	}
	switch {
	case !is:
		return nil, corrupt("key %.40q with a value, want a bucket", name)
	case len(v) < bucketHeaderSize:
		return nil, corrupt("bucket %.40q of %d bytes, want %d", name, len(v), bucketHeaderSize)
	}
	le := binary.LittleEndian
	sub := &Bucket{Name: string(name), Root: le.Uint64(v), Sequence: le.Uint64(v[8:]),
		Depth: b.Depth + 1, db: b.db}
	switch high := b.db.meta.HighWater; {
	case sub.Root == 1 || sub.Root >= high: // or it is no bucket at all
		return nil, corrupt("bucket %.40q at page %d, want one from 2 to %d", name, sub.Root, high-1)
	case sub.Root != 0:
		return sub, nil
	}
	in := bytes.Clone(v[bucketHeaderSize:])
	if len(in) < pageHeaderSize {
		return nil, corrupt("bucket %.40q: an inline page of %d bytes, want %d",
			name, len(in), pageHeaderSize)
	}
	h := parseHeader(in)
	if h.flags != flagLeaf {
		return nil, corrupt("bucket %.40q: an inline page that is %s, want a leaf", name, h.kind())
	}
	if err := validate(in, h); err != nil {
		return nil, corrupt("bucket %.40q: %w", name, err)
	}
	sub.inline = Page{ID: p.ID, Off: p.Off, kind: flagLeaf, count: int(h.count),
		size: int64(len(in)), b: in}
	return sub, nil
}

// Page reads a page of the bucket, which a walk has met, into p, whose memory it uses again. The error is
// a *CorruptError, or that of the reader.
func (b *Bucket) Page(id uint64, p *Page) error {
	if b.Root == 0 {
		*p = b.inline
		return nil
	}
	return b.db.read(id, p, nil)
}

// Get returns the value of a key, or nil if the bucket doesn't have it, or has a bucket there.
func (b *Bucket) Get(key []byte) ([]byte, error) {
	for p, err := range b.Leaves(key) {
		if err != nil {
			return nil, err
		}
		i := sort.Search(p.Len(), func(i int) bool {
			k, _ := p.Element(i)
			return bytes.Compare(k, key) >= 0
		})
		if i < p.Len() {
			if k, v := p.Element(i); bytes.Equal(k, key) && !p.IsBucket(i) {
				return bytes.Clone(v), nil
			}
		}
		return nil, nil
	}
	return nil, nil
}

// All yields the keys and values of the bucket in the order of the keys, those from a key on. They
// alias a buffer. At a page that is corrupt it yields the error, and goes on behind it.
func (b *Bucket) All(from []byte) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for p, err := range b.Leaves(from) {
			if err != nil {
				if !yield(Item{}, err) {
					return
				}
				continue
			}
			for i := range p.Len() {
				k, v := p.Element(i)
				if bytes.Compare(k, from) >= 0 && !yield(Item{k, v, p.IsBucket(i)}, nil) {
					return
				}
			}
		}
	}
}

// Item is a key with its value.
type Item struct {
	Key, Value []byte
	Bucket     bool // the value is that of a bucket: where its pages are, or its only page
}
