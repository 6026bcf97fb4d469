package database

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
)

var (
	// ErrCompacted is returned for a revision that was compacted away.
	ErrCompacted = errors.New("revision was compacted")

	// ErrFuture is returned for a revision that the database doesn't have yet.
	ErrFuture = errors.New("revision is not there yet")
)

// ErrDamaged is returned when something can't be told because part of the database can't be read. It is
// joined with what was found first.
var ErrDamaged = errors.New("the database is damaged")

// HashKV is the hash over the history of the keys up to a revision, by which etcd compares its members:
// that of `etcdctl endpoint hashkv`.
type HashKV struct {
	Hash      uint32
	Revision  int64 // up to which
	Compacted int64 // what was compacted when it was taken
}

// HashKV computes the hash up to a revision; 0 for the newest. The error is ErrCompacted or ErrFuture if
// there is no such revision, and ErrDamaged if not everything could be read.
func (db *DB) HashKV(ctx context.Context, revision int64, progress func(int64)) (*HashKV, error) {
	at, err := db.at(ctx, revision)
	if err != nil {
		return nil, err
	}
	h := newHistory(at.revision)
	if at.compacted > 0 { // else nothing that is there is left out
		if err := db.follow(ctx, h, progress); err != nil {
			return nil, err
		}
	}
	sum, err := db.hashKV(ctx, at, h.kept, progress)
	if err != nil {
		return nil, err
	}
	return &HashKV{sum, at.revision, at.compacted}, nil
}

// follow follows all records.
func (db *DB) follow(ctx context.Context, h *history, progress func(int64)) error {
	for batch := range db.digests(reading{ctx: ctx, progress: progress}) {
		h.table.touch(batch)
		for i := range batch {
			if err := batch[i].err; err != nil {
				return damaged(err)
			}
			h.add(&batch[i])
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return h.finish(ctx, db)
}

// moment is a revision, and what was compacted.
type moment struct{ revision, compacted int64 }

// at checks that a revision is there; 0 is the newest.
func (db *DB) at(ctx context.Context, revision int64) (moment, error) {
	m, err := db.Meta()
	if err != nil {
		return moment{}, damaged(err)
	}
	last, err := db.lastRevision(ctx)
	if err != nil {
		return moment{}, damaged(err)
	}
	now := max(last.Main, m.Compacted, 1)
	switch {
	case revision == 0:
		revision = now
	case revision < m.Compacted:
		return moment{}, fmt.Errorf("%w: %d, the oldest is %d", ErrCompacted, revision, m.Compacted)
	case revision > now:
		return moment{}, fmt.Errorf("%w: %d, the newest is %d", ErrFuture, revision, now)
	}
	return moment{revision, m.Compacted}, nil
}

// Now returns the current revision, and the one up to which compaction was asked for. Little of the
// database is read.
func (db *DB) Now(ctx context.Context) (revision, compacted int64, err error) {
	at, err := db.at(ctx, 0)
	return at.revision, at.compacted, err
}

// hashKV hashes name and records of bucket key up to a moment. What was compacted, or will be since
// that was asked for, is left out: kept are the others.
func (db *DB) hashKV(ctx context.Context, at moment, kept bitset, progress func(int64)) (uint32, error) {
	sum := crc32.Update(0, castagnoli, []byte(bucketKey))
	skip := at.compacted > 0 && !kept.empty()
	b, err := db.bolt.Bucket(bucketKey)
	if err != nil || b == nil {
		return sum, err
	}
	ordinal := int64(-1)
	for p, err := range db.leaves(ctx, b, nil, progress) {
		if err != nil {
			return 0, damaged(err)
		}
		for i := range p.Len() {
			k, v := p.Element(i)
			r, tombstone, err := ParseRevision(k)
			if err != nil {
				return 0, damaged(&RecordError{p.ID, p.Off, i, err})
			}
			ordinal++
			switch {
			case r.Main > at.revision:
				return sum, nil
			case r.Main <= at.compacted && skip && !kept.has(ordinal):
			case r.Main == at.compacted && tombstone: // some releases leave it, some don't
			default:
				sum = crc32.Update(crc32.Update(sum, castagnoli, k), castagnoli, v)
			}
		}
	}
	return sum, nil
}

// damaged says that an error keeps something from being told.
func damaged(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// kvSum collects what [DB.hashKV] computes while records are read, before it is known which of them
// will be kept: their checksums are joined at the end.
type kvSum struct {
	at      moment
	pending []recordSum // of the records up to the compacted revision, by their ordinal
	rest    uint32      // of the others
	size    int64
	full    bool // there were too many pending ones
}

type recordSum struct {
	crc  uint32
	size uint32
	drop bool // whatever is kept
}

// maxPending bounds how many records are pending: 12 bytes each.
const maxPending = 8 << 20

func (s *kvSum) add(d *digest) {
	switch {
	case d.Revision.Main > s.at.compacted:
		s.rest, s.size = joinCRC(s.rest, d.crc, int64(d.size)), s.size+int64(d.size)
	case len(s.pending) == maxPending:
		s.full = true
	default:
		drop := d.Revision.Main == s.at.compacted && d.Tombstone
		s.pending = append(s.pending, recordSum{d.crc, d.size, drop})
	}
}

// sum returns the hash; kept are the records that a compaction would leave.
func (s *kvSum) sum(kept bitset) uint32 {
	sum := crc32.Update(0, castagnoli, []byte(bucketKey))
	all := kept.empty()
	for i, r := range s.pending {
		if !r.drop && (all || kept.has(int64(i))) {
			sum = joinCRC(sum, r.crc, int64(r.size))
		}
	}
	return joinCRC(sum, s.rest, s.size)
}

// sums are the hashes over all buckets. They are one until bucket meta, which comes late.
type sums struct {
	status  uint32 // of everything
	state34 uint32 // without consistent index
	state35 uint32 // without consistent index and term
	state36 uint32 // without consistent index, term and storage version
	split   bool
}

// name adds the name of a bucket, whose items follow.
func (s *sums) name(name string) {
	if name == bucketMeta && !s.split {
		s.state34, s.state35, s.state36, s.split = s.status, s.status, s.status, true
	}
	s.update([]byte(name), nil, 0)
}

// leftOut says which items of bucket meta are left out of the hash of a state, and since when.
var leftOut = map[string]int{metaConsistentIndex: since34, metaTerm: since35, metaStorageVersion: since36}

const since34, since35, since36 = 3, 2, 1

// item adds an item of a bucket.
func (s *sums) item(bucket string, k, v []byte) {
	since := 0
	if bucket == bucketMeta {
		since = leftOut[string(k)]
	}
	s.update(k, v, since)
}

// record adds a record of bucket key, which comes before bucket meta, or else is one of a bucket that
// no etcd has.
func (s *sums) record(d *digest) {
	for i, sum := range [...]*uint32{&s.status, &s.state36, &s.state35, &s.state34} {
		if i == 0 || s.split {
			*sum = joinCRC(*sum, d.crc, int64(d.size))
		}
	}
}

// update adds an item to all sums but those that leave it out.
func (s *sums) update(k, v []byte, since int) {
	for i, sum := range [...]*uint32{&s.status, &s.state36, &s.state35, &s.state34} {
		if i == 0 || s.split && i > since {
			*sum = crc32.Update(crc32.Update(*sum, castagnoli, k), castagnoli, v)
		}
	}
}

// done returns the sums, also of a database without bucket meta.
func (s sums) done() sums {
	if !s.split {
		s.state34, s.state35, s.state36 = s.status, s.status, s.status
	}
	return s
}
