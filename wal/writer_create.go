package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/internal/vfs"
)

const dirMode = 0o700

// ErrExist is returned when a log is to be created where there is one, or something else.
var ErrExist = fs.ErrExist

// CreateOptions describe a new log.
type CreateOptions struct {
	Metadata Metadata

	// RawMetadata, if not nil, is used in place of Metadata's encoding: for a log that is made from
	// another one and shall keep fields that this package doesn't know.
	RawMetadata []byte

	// First is the name of the first segment. Other than zero it stands for a log whose first
	// segments are gone; CRC is then the checksum that they end with, and the snapshot record at
	// index 0, with which a whole log begins, is left out.
	First SegmentName
	CRC   uint32

	WriterOptions
}

// Create makes a new log in dir, which must not exist yet or be empty; the folder above it must
// exist. It appears under its name only when it is complete and durable: until then it lies in
// dir + ".tmp". A nil fsys is the machine's file system.
func Create(fsys vfs.FS, dir string, opts CreateOptions) (*Writer, error) {
	fsys, dir = orMachine(fsys), filepath.Clean(dir)
	d := opts.Dialect.orEtcd()
	if err := d.checkVacant(fsys, dir); err != nil {
		return nil, err
	}
	tmp := dir + ".tmp"
	if err := d.removeUnfinished(fsys, tmp); err != nil {
		return nil, err
	}
	w := newWriter(fsys, dir, opts.WriterOptions)
	w.enc.start(w.gather, &opts)
	if err := w.createIn(tmp, opts.First); err != nil {
		return nil, errors.Join(err, w.locks.close(), fsys.RemoveAll(tmp))
	}
	if err := w.publish(tmp, opts.First); err != nil {
		return nil, errors.Join(err, w.locks.close())
	}
	return w, nil
}

func orMachine(fsys vfs.FS) vfs.FS {
	if fsys == nil {
		return vfs.OS
	}
	return fsys
}

// newWriter returns a writer without a segment to write to.
func newWriter(fsys vfs.FS, dir string, opts WriterOptions) *Writer {
	opts = opts.withDefaults()
	w := &Writer{
		fsys: fsys, dir: dir, opts: opts, flush: newTurn(),
		enc:   encoder{kinds: opts.Dialect, flavor: opts.Flavor, limit: opts.segmentSize},
		spare: preparer{fsys: fsys, dir: dir, size: opts.segmentSize, inline: opts.inline},
	}
	w.gather = w.fresh()
	return w
}

// path returns the path of a segment.
func (w *Writer) path(name SegmentName) string {
	return filepath.Join(w.dir, w.opts.Dialect.FileName(name))
}

// start appends the records that a log begins with.
func (e *encoder) start(b *batch, opts *CreateOptions) {
	e.metadata = slices.Clone(opts.RawMetadata)
	if e.metadata == nil {
		e.metadata = opts.Metadata.AppendTo(nil)
	}
	e.seq, e.crc = opts.First.Seq, opts.CRC
	e.head(b)
	if opts.First == (SegmentName{}) {
		for _, r := range e.kinds.begin {
			e.frame(b, r.kind, r.data)
		}
	} else {
		e.last = max(opts.First.Index, 1) - 1
	}
	e.flushed.sync()
}

// createIn makes the first segment in a temporary folder, and makes it durable.
func (w *Writer) createIn(tmp string, name SegmentName) error {
	if err := w.fsys.MkdirAll(tmp, dirMode); err != nil {
		return err
	}
	path := filepath.Join(tmp, w.opts.Dialect.FileName(name))
	f, err := openLocked(w.fsys, path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	w.locks.add(name, f)
	if err := f.Allocate(w.opts.segmentSize); err != nil {
		return err
	}
	w.tail = tail{file: f, allocated: w.opts.segmentSize, onSync: w.opts.OnSync}
	if err := w.tail.write(w.gather.buf); err != nil {
		return err
	}
	w.gather.buf = w.gather.buf[:0]
	if err := w.tail.sync(); err != nil {
		return err
	}
	return w.fsys.SyncDir(tmp)
}

// publish gives the finished folder its name.
func (w *Writer) publish(tmp string, name SegmentName) error {
	if err := w.fsys.Remove(w.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, w.fsys.RemoveAll(tmp))
	}
	if err := w.fsys.Rename(tmp, w.dir); err != nil {
		if err := w.publishClosed(tmp, name, err); err != nil {
			return errors.Join(err, w.fsys.RemoveAll(tmp))
		}
	}
	if err := w.fsys.SyncDir(filepath.Dir(w.dir)); err != nil {
		return errors.Join(err, w.fsys.RemoveAll(w.dir)) // nothing was ever in it
	}
	return nil
}

// publishClosed is for systems that can't rename a folder while a file in it is open.
func (w *Writer) publishClosed(tmp string, name SegmentName, first error) error {
	if err := w.locks.close(); err != nil {
		return err
	}
	if err := w.fsys.Rename(tmp, w.dir); err != nil {
		return first
	}
	f, err := openLocked(w.fsys, w.path(name), os.O_RDWR)
	if err != nil {
		return errors.Join(err, w.fsys.RemoveAll(w.dir)) // nothing was ever in it
	}
	w.locks.add(name, f)
	w.tail.file = f
	return nil
}

// checkVacant returns an error unless dir doesn't exist or is empty. etcd would delete what lies in
// it, segments excepted.
func (d *Dialect) checkVacant(fsys vfs.FS, dir string) error {
	entries, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return nil
	}
	i := max(0, slices.IndexFunc(entries, func(e fs.DirEntry) bool {
		return strings.HasSuffix(e.Name(), d.suffix)
	}))
	return &fs.PathError{Op: "create log", Path: dir,
		Err: fmt.Errorf("%w: it holds %s", ErrExist, entries[i].Name())}
}

// removeUnfinished removes what an earlier Create left behind, and nothing else.
func (d *Dialect) removeUnfinished(fsys vfs.FS, tmp string) error {
	entries, err := fsys.ReadDir(tmp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, ok := d.ParseFileName(e.Name()); !ok {
			return &fs.PathError{Op: "create log", Path: tmp,
				Err: fmt.Errorf("%w: it holds %s", ErrExist, e.Name())}
		}
		f, err := openLocked(fsys, filepath.Join(tmp, e.Name()), os.O_RDWR)
		if err != nil {
			return err // another process is creating the log
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return fsys.RemoveAll(tmp)
}

// segmentNames returns the names of the segments in dir, in order.
func (d *Dialect) segmentNames(fsys vfs.FS, dir string) ([]SegmentName, error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []SegmentName
	for _, e := range entries { // sorted by name, which is their order
		if name, ok := d.readFileName(e.Name()); ok {
			if want := d.FileName(name); e.Name() != want {
				return nil, &fs.PathError{Op: "list segments", Path: filepath.Join(dir, e.Name()),
					Err: fmt.Errorf("etcd reads this name as that of segment %d; rename it to %s first",
						name.Seq, want)}
			}
			names = append(names, name)
		}
	}
	return names, nil
}
