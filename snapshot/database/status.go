package database

import (
	"context"
	"errors"
	"slices"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// Status is what a database holds, in numbers.
type Status struct {
	// The file.
	PageSize  int64
	Size      int64 // of all pages that were ever used, as etcd reports it
	InUse     int64 // of those in use
	Free      int64 // of those that are free
	TxID      uint64
	HasBucket map[string]bool // by the names of etcd's buckets
	Unknown   []string        // buckets that etcd doesn't have; at most maxListed
	// BucketsLost says that the list of buckets can't be read, or not all of it.
	BucketsLost bool

	// The keys.
	Last      Revision // of the last record of bucket key
	Revision  int64    // the store's current revision: Last, or what was compacted if that is above it
	Revisions int64    // records of bucket key
	Deletions int64    // of those
	Live      int64    // keys that there are at the newest revision
	Leased    int64    // of those
	Items     int64    // items of all buckets
	KeyBytes  int64    // keys and values of bucket key's records

	Meta
	Members Members
	Auth    Auth
	Leases  []Lease
	Alarms  []Alarm

	// Hashes are nil if the database is damaged.
	Hashes *Hashes

	// Damaged are the pages and records that could not be read, at most 100, and DamagedMore counts
	// the others. What they held is missing from all of the above.
	Damaged     []error
	DamagedMore int64

	markers int64
}

// Hashes are those with which etcd's tools tell databases apart.
type Hashes struct {
	Status  uint32 // of `snapshot status`: over everything
	State34 uint32 // of etcd-dump-db hash, and the Hash call, of 3.4: without the consistent index
	State35 uint32 // of 3.5: without the term either
	State36 uint32 // of 3.6 and 3.7: without the storage version either
	KV      HashKV // of `endpoint hashkv`, at the current revision
}

// TotalKey returns what `etcdutl snapshot status` of 3.6 and later counts as keys: the live ones, and
// the marks that restores have left.
func (s *Status) TotalKey() int64 { return s.Live + s.markers }

// Status reads the whole database, and counts. Progress is told the bytes done; it may be nil.
//
// The error is about the file, not about damage, which the status tells.
func (db *DB) Status(ctx context.Context, progress func(int64)) (*Status, error) {
	m := db.bolt.Meta()
	s := &statusPass{db: db, ctx: ctx, progress: progress, history: newHistory(0)}
	s.PageSize, s.TxID, s.HasBucket = m.PageSize, m.TxID, map[string]bool{}
	s.Size = int64(m.HighWater) * m.PageSize
	if err := s.readSmall(); err != nil {
		return nil, err
	}
	s.kv.at = moment{compacted: s.Compacted}
	if err := s.readBuckets(); err != nil {
		return nil, err
	}
	if err := s.finish(); err != nil {
		return nil, err
	}
	if err := db.unchanged(); err != nil {
		return nil, err
	}
	return &s.Status, nil
}

// metaPages is how many pages a database has besides trees and freelist.
const metaPages = 2

// statusPass is the pass over all pages that a status takes.
type statusPass struct {
	Status
	db       *DB
	ctx      context.Context
	progress func(int64)
	history  *history
	sums     sums
	kv       kvSum
	done     int64
}

// damaged notes damage. What has been met before, by who looked for another bucket, counts once.
func (s *statusPass) damaged(err error) {
	if slices.ContainsFunc(s.Damaged, func(e error) bool { return e.Error() == err.Error() }) {
		return
	}
	if len(s.Damaged) < maxErrors {
		s.Damaged = append(s.Damaged, err)
		return
	}
	s.DamagedMore++
}

func (s *statusPass) readBuckets() error {
	for p, err := range s.db.bolt.RootBucket().Leaves(nil) {
		if err == nil {
			s.done += p.Used()
		} else {
			s.BucketsLost = true
		}
	}
	for b, err := range s.db.bolt.Buckets() {
		if err == nil {
			err = s.readBucket(b)
		}
		if fatal := s.take(err); fatal != nil {
			return fatal
		}
	}
	return nil
}

// take notes damage, and returns any other error.
func (s *statusPass) take(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, s.take(e))
		}
		return errors.Join(errs...)
	}
	if err == nil || !IsDamage(err) {
		return err
	}
	s.damaged(err)
	return nil
}

// IsDamage reports whether an error is about what a file holds, and not about reading it.
func IsDamage(err error) bool {
	if _, ok := errors.AsType[*bolt.CorruptError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*RecordError](err); ok {
		return true
	}
	_, ok := errors.AsType[*itemError](err)
	return ok || errors.Is(err, ErrNotBolt) || errors.Is(err, ErrEmpty)
}

func (s *statusPass) readBucket(b *bolt.Bucket) error {
	if isBucket(b.Name) {
		s.HasBucket[b.Name] = true
	} else if len(s.Unknown) < maxListed {
		s.Unknown = append(s.Unknown, b.Name)
	}
	s.sums.name(b.Name)
	start := s.done
	if b.Name == bucketKey {
		return s.readKeys(start)
	}
	for p, err := range s.db.leaves(s.ctx, b, nil, s.from(start)) {
		if err != nil {
			if fatal := s.take(err); fatal != nil {
				return fatal
			}
			continue
		}
		s.done += p.Used()
		for i := range p.Len() {
			k, v := p.Element(i)
			s.Items++
			s.sums.item(b.Name, k, v)
		}
	}
	return nil
}

// from returns a progress function of a part that begins at start.
func (s *statusPass) from(start int64) func(int64) {
	if s.progress == nil {
		return nil
	}
	return func(done int64) { s.progress(start + done) }
}

// readKeys reads bucket key.
func (s *statusPass) readKeys(start int64) error {
	for batch := range s.db.digests(reading{ctx: s.ctx, progress: s.from(start), sums: true}) {
		s.history.table.touch(batch)
		for i := range batch {
			if fatal := s.record(&batch[i]); fatal != nil {
				return fatal
			}
		}
	}
	return s.ctx.Err()
}

// record counts a record of bucket key.
func (s *statusPass) record(d *digest) error {
	s.done += d.used
	if d.err != nil {
		return s.take(d.err)
	}
	s.Items++
	s.Revisions++
	s.KeyBytes += int64(d.size)
	s.Last = d.Revision
	if d.Tombstone {
		s.Deletions++
	}
	s.sums.record(d)
	s.history.add(d)
	s.kv.add(d)
	return nil
}

// finish counts what takes all records, and perhaps another pass.
func (s *statusPass) finish() error {
	if err := s.history.finish(s.ctx, s.db); err != nil {
		return err
	}
	s.Live, s.Leased, s.markers = s.history.live, s.history.leased, s.history.markers
	s.Revision = max(s.Last.Main, s.Compacted, 1)
	s.InUse = s.done + metaPages*s.PageSize
	s.Free = max(s.Size-s.InUse, 0)
	if len(s.Damaged) > 0 {
		return nil
	}
	kv := HashKV{s.kv.sum(s.history.kept), s.Revision, s.Compacted}
	if s.kv.full {
		var err error
		at := moment{s.Revision, s.Compacted}
		if kv.Hash, err = s.db.hashKV(s.ctx, at, s.history.kept, nil); err != nil {
			return err
		}
	}
	sums := s.sums.done()
	s.Hashes = &Hashes{sums.status, sums.state34, sums.state35, sums.state36, kv}
	return nil
}

// readSmall reads the buckets that are small.
func (s *statusPass) readSmall() error {
	meta, metaErr := s.db.Meta()
	members, membersErr := s.db.Members()
	auth, authErr := s.db.Auth()
	leases, leaseErr := s.db.Leases()
	alarms, alarmErr := s.db.Alarms()
	s.Meta, s.Members, s.Auth, s.Leases, s.Alarms = *meta, *members, *auth, leases, alarms
	for _, err := range []error{metaErr, membersErr, authErr, leaseErr, alarmErr} {
		if fatal := s.take(err); fatal != nil {
			return fatal
		}
	}
	return nil
}

// lastRevision returns the last revision of bucket key; the zero one if it has none.
func (db *DB) lastRevision(ctx context.Context) (r Revision, err error) {
	b, err := db.bolt.Bucket(bucketKey)
	if err != nil || b == nil {
		return r, err
	}
	for p, err := range db.leaves(ctx, b, []byte{0xff}, nil) { // only the last page
		if err != nil {
			return r, err
		}
		if p.Len() == 0 {
			continue
		}
		k, _ := p.Element(p.Len() - 1)
		if r, _, err = ParseRevision(k); err != nil {
			return r, &RecordError{p.ID, p.Off, p.Len() - 1, err}
		}
	}
	return r, nil
}
