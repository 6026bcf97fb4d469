package restore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/snapshot/bolt"
	"github.com/raftctl/raftctl/snapshot/database"
)

// Base is the database that is restored. It is only read. Close closes it.
type Base struct {
	Path     string // as it was given
	Size     int64  // of the database, in bytes
	FileSize int64
	Packed   bool   // the file is compressed
	Copied   string // why a copy is read; empty if the file is
	Sum      SumState

	Meta       database.Meta
	Revision   int64             // the store's current one
	LastKey    database.Revision // the last record of bucket key, from which a bump counts
	Members    database.Members
	Alarms     []database.Alarm
	Leases     int
	Release    Release // that wrote it, as far as the database tells; 4 for those before 3.5
	FromMember bool    // it is a member's own database, which never has a sum

	db *database.DB
}

// SumState says what is known of the sha256 behind a database.
type SumState string

// The states. A sum is compared while the database is copied.
const (
	SumPending SumState = "pending" // there, and will be compared
	SumOK      SumState = "ok"
	SumSkipped SumState = "skipped" // there, and not compared
	SumMissing SumState = "missing"
)

// BaseOptions adjusts OpenBase.
type BaseOptions struct {
	// Member says that the file is a member's own database: it has no sum, and needs none.
	Member bool

	// SkipHash takes a file without a sum, and doesn't compare one that is there.
	SkipHash bool

	// Progress is told how many bytes were unpacked or copied, of how many; it may be nil.
	Progress func(done, total int64)
}

// OpenBase opens a database to restore: a file of snapshot save, which may be compressed, or a member's
// database. A file without a sum is refused unless SkipHash is set.
func OpenBase(ctx context.Context, fsys fs.FS, name string, o BaseOptions) (*Base, error) {
	db, err := database.Open(ctx, fsys, name, database.Options{Progress: o.Progress})
	if err != nil {
		return nil, damage(err)
	}
	b := &Base{Path: name, Size: db.Size(), FileSize: db.Origin().Size, Packed: db.Origin().Compressed,
		Copied: db.Origin().Copied, FromMember: o.Member, db: db}
	if err := b.read(ctx, &o); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return b, nil
}

// Auth returns users and roles: see [database.DB.Auth].
func (b *Base) Auth() (*database.Auth, error) { return b.db.Auth() }

// Since yields the changes of keys from a revision on: see [database.DB.Since].
func (b *Base) Since(ctx context.Context, revision int64) iter.Seq2[*database.Change, error] {
	return b.db.Since(ctx, revision)
}

// Close closes the file.
func (b *Base) Close() error { return b.db.Close() }

func (b *Base) read(ctx context.Context, o *BaseOptions) error {
	if err := b.checkWhole(); err != nil {
		return err
	}
	switch has := b.db.Origin().HasTrailer; {
	case !has && !o.Member && !o.SkipHash:
		return refusef("%s: no sha256 behind the database: it is no file of 'snapshot save', or not all of one; "+
			"--skip-hash-check restores it all the same, after a check of its pages", b.db.Name())
	case !has:
		b.Sum = SumMissing
	case o.SkipHash:
		b.Sum = SumSkipped
	default:
		b.Sum = SumPending
	}
	return b.readState(ctx)
}

// checkWhole refuses a file that ends before the pages that it had.
func (b *Base) checkWhole() error {
	m := b.db.Bolt().Meta()
	if whole := b.Size / m.PageSize; uint64(whole) < m.HighWater {
		return damagef("%s: %d bytes, want %d pages of %d: its end is missing",
			b.db.Name(), b.Size, m.HighWater, m.PageSize)
	}
	return nil
}

func (b *Base) readState(ctx context.Context) error {
	meta, metaErr := b.db.Meta()
	members, membersErr := b.db.Members()
	alarms, alarmsErr := b.db.Alarms()
	leases, leasesErr := b.db.Leases()
	b.Meta, b.Members, b.Alarms, b.Leases = *meta, *members, alarms, len(leases)
	revision, _, revisionErr := b.db.Now(ctx)
	last, lastErr := b.lastKey()
	b.Revision, b.LastKey = revision, last
	err := errors.Join(metaErr, membersErr, alarmsErr, leasesErr, revisionErr, lastErr)
	if err != nil {
		return damage(fmt.Errorf("%s: %w", b.db.Name(), err))
	}
	return b.readRelease()
}

// readRelease tells the release that wrote the database: by its storage version, which 3.6 and later
// have, or by the term, which 3.5 and later have.
func (b *Base) readRelease() (err error) {
	switch {
	case b.Meta.StorageVersion != "":
		b.Release, err = releaseOf(b.Meta.StorageVersion)
	case b.Meta.Term != 0:
		b.Release = Release35
	default:
		b.Release = Release35 - 1
	}
	if err != nil {
		return damagef("%s: storage version: %w", b.db.Name(), err)
	}
	if b.Release > newest() {
		return refusef("%s: storage version %s, want %v at most: it was written by a release that raftctl "+
			"doesn't know, with what it may hold", b.db.Name(), b.Meta.StorageVersion, newest())
	}
	return nil
}

// lastKey returns the last record of bucket key; the zero revision if there is none.
func (b *Base) lastKey() (r database.Revision, err error) {
	bucket, err := b.db.Bolt().Bucket(bucketKey)
	if err != nil || bucket == nil {
		return r, err
	}
	return lastRevision(bucket)
}

// lastRevision reads the last page of a bucket.
func lastRevision(bucket *bolt.Bucket) (r database.Revision, err error) {
	for p, err := range bucket.Leaves([]byte{0xff}) {
		if err != nil {
			return r, err
		}
		if p.Len() > 0 {
			k, _ := p.Element(p.Len() - 1)
			r, _, err = database.ParseRevision(k)
		}
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

// verify reads all of the database and returns a *DamageError if something is wrong with it.
func (b *Base) verify(ctx context.Context, progress func(int64)) error {
	r, err := b.db.Verify(ctx, database.VerifyOptions{SkipTrailer: true, Progress: progress})
	if err != nil {
		return err
	}
	if r.Verdict == verdict.OK {
		return nil
	}
	is := func(f database.Finding) bool {
		return f.Severity == verdict.Error || f.Class == database.ClassUnchecked
	}
	first := slices.IndexFunc(r.Findings, is)
	return damagef("%s: %s; 'raftctl snapshot verify' tells all, --skip-verify restores it all the same",
		b.db.Name(), r.Findings[first].String())
}
