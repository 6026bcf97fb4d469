package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/raftctl/raftctl/internal/archive"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/snapshot/bolt"
)

// Options adjusts Open.
type Options struct {
	// Progress is told how many bytes were unpacked or copied, and of how many; 0 if that isn't known.
	Progress func(done, total int64)

	// Damaged says that neither meta page need be intact: then [DB.Scan] still finds what there is, and
	// nothing else does.
	Damaged bool
}

// DB is a database that is open for reading. It may be used concurrently.
type DB struct {
	bolt    *bolt.DB
	r       io.ReaderAt
	size    int64 // of the database, without what follows it
	name    string
	origin  Origin
	closers []io.Closer
}

// Origin says how a database was found.
type Origin struct {
	Size       int64  // of the file as it lies, in bytes
	Compressed bool   // it was unpacked into a temporary file
	Copied     string // why a copy is read, and not the file itself; empty if the file is
	HasTrailer bool   // the file goes on with a sha256 of the database
}

var (
	// ErrNotBolt is returned for a file that is no bbolt database.
	ErrNotBolt = bolt.ErrNotBolt

	// ErrEmpty is returned for a file without a byte.
	ErrEmpty = errors.New("empty file")

	// ErrChanged is returned when a database was written to while it was read in its place, by a process
	// whose lock can't be seen, as from within a container: what was found proves nothing.
	ErrChanged = errors.New("written to while it was read, by a process whose lock can't be seen; " +
		"stop that, or save the database through it")
)

// Open opens a database: a member's member/snap/db, or a file of snapshot save, which may be compressed
// with zstd, s2, gzip or framed snappy. What it is is told by its content. The caller closes it.
//
// A compressed file is unpacked into a temporary file, and one that a running process holds is copied
// into one, as it was at one moment; both take its size in the temporary folder. Nothing but the
// pages that say where the others are is read otherwise.
//
// The error is ErrEmpty, ErrNotBolt, or a *bolt.CorruptError if neither meta page is intact. It begins with
// the name of the file, and unwraps to what is wrong with it.
func Open(ctx context.Context, fsys fs.FS, name string, o Options) (*DB, error) {
	db := &DB{name: path.Base(name)}
	if err := db.open(ctx, fsys, name, &o); err != nil {
		_ = db.Close() // opened for reading
		return nil, fmt.Errorf("%s: %w", db.name, err)
	}
	return db, nil
}

// OpenAt opens the database that r holds in its first size bytes, which have no trailer. The name is for
// errors. It needs no Close.
func OpenAt(r io.ReaderAt, size int64, name string) (*DB, error) {
	b, err := bolt.Open(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &DB{bolt: b, r: r, size: size, name: name, origin: Origin{Size: size}}, nil
}

func (db *DB) open(ctx context.Context, fsys fs.FS, name string, o *Options) error {
	if err := db.load(ctx, fsys, name, o); err != nil {
		return err
	}
	open := bolt.Open
	if o.Damaged {
		open = bolt.OpenDamaged
	}
	var err error
	db.bolt, err = open(db.r, db.size)
	return err
}

// load finds the bytes of the database.
func (db *DB) load(ctx context.Context, fsys fs.FS, name string, o *Options) error {
	f, info, err := vfs.OpenRegular(fsys, name)
	if err != nil {
		return err
	}
	db.closers = append(db.closers, f)
	if info.Size() == 0 {
		return ErrEmpty
	}
	db.origin.Size = info.Size()
	at, ok := f.(io.ReaderAt)
	if !ok {
		return errors.New("can't be read at an offset")
	}
	head := make([]byte, min(archive.SniffSize, info.Size()))
	if _, err := at.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return bare(err)
	}
	if archive.Is(head) {
		return db.unpack(f, o)
	}
	if db.r, db.size, err = db.unheld(ctx, f, at, info.Size(), o); err != nil {
		return err
	}
	db.cutTrailer()
	return nil
}

// unpack unpacks a compressed database. The archive closes f.
func (db *DB) unpack(f fs.File, o *Options) error {
	counted := &countedFile{File: f, total: db.origin.Size, progress: o.Progress}
	a, err := archive.Open(counted, db.name, archive.Options{})
	if err != nil {
		return err
	}
	db.closers = nil // f is the archive's now
	db.closers = append(db.closers, a)
	only, ok := a.Only()
	if !ok {
		return errors.New("an archive of files, want a database; name the one in it")
	}
	in, err := a.Open(only)
	if err != nil {
		return bare(err)
	}
	db.closers = append(db.closers, in)
	info, err := in.Stat()
	if err != nil {
		return bare(err)
	}
	db.origin.Compressed = true
	db.r, db.size = in.(io.ReaderAt), info.Size()
	db.cutTrailer()
	return nil
}

// countedFile tells how much of a file was read.
type countedFile struct {
	fs.File
	done, total int64
	progress    func(done, total int64)
}

func (f *countedFile) Read(b []byte) (int, error) {
	n, err := f.File.Read(b)
	f.done += int64(n)
	if f.progress != nil {
		f.progress(f.done, f.total)
	}
	return n, err
}

// unheld returns the database in f as it is at one moment: f itself, or a copy if a process holds it.
func (db *DB) unheld(
	ctx context.Context, f fs.File, at io.ReaderAt, size int64, o *Options,
) (io.ReaderAt, int64, error) {
	hold, err := vfs.Held(f)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, 0, err
	}
	if !hold.Held {
		return at, size, nil
	}
	db.origin.Copied = "a running process holds it"
	if hold.PID != 0 {
		db.origin.Copied = fmt.Sprintf("process %d holds it", hold.PID)
	}
	c, err := copyHeld(ctx, f, at, o)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", db.origin.Copied, err)
	}
	db.closers = append(db.closers, c)
	return c.file, c.size, nil
}

// cutTrailer leaves out the sha256 that snapshot save appends: etcd takes a file for one that has it
// by its size.
func (db *DB) cutTrailer() {
	if db.size%sector == trailerSize {
		db.size -= trailerSize
		db.origin.HasTrailer = true
	}
}

// Close closes the files.
func (db *DB) Close() error {
	var errs []error
	for i := len(db.closers) - 1; i >= 0; i-- {
		errs = append(errs, db.closers[i].Close())
	}
	db.closers = nil
	return errors.Join(errs...)
}

// unchanged returns ErrChanged if the database isn't any more what it was when it was opened.
func (db *DB) unchanged() error {
	now, err := bolt.Open(db.r, db.size)
	if err != nil || now.Meta() != db.bolt.Meta() {
		return fmt.Errorf("%s: %w", db.name, ErrChanged)
	}
	return nil
}

// Origin says how the database was found.
func (db *DB) Origin() Origin { return db.origin }

// Size returns the size of the database in bytes, without the trailer.
func (db *DB) Size() int64 { return db.size }

// Name returns the name of the file, without its folder.
func (db *DB) Name() string { return db.name }

// Bolt returns the container.
func (db *DB) Bolt() *bolt.DB { return db.bolt }

// bare strips operation and path from an error that is about to be told with the path.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
