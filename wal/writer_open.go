package wal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
)

// AppendOptions say how a log is opened for appending.
type AppendOptions struct {
	// At is the snapshot from which the log is read. Segments that hold only older entries are not
	// read and not locked. Zero reads everything.
	At raftpb.EntryID

	// CutTorn allows to cut off an incomplete last write: see Writer.TornEnd. Without it, a log that
	// ends in one is refused. Damage with anything behind it that proves itself is no torn end, and
	// refused in any case, with a *LossError.
	CutTorn bool

	// Replay, if not nil, is called with every record that is read, in order. Its error ends the
	// opening. The record is valid until it returns.
	Replay func(*Record) error

	WriterOptions
}

// ErrSnapshotNotFound is returned when a log is opened at a snapshot that it has no record of.
var ErrSnapshotNotFound = errors.New("snapshot is not in the log")

// OpenForAppend opens a log to go on writing it. It takes the locks that etcd takes, and returns an
// error that is ErrLocked if another process holds one. It reads the log up to its end, and refuses
// any damage but, if allowed, a torn end. Until then nothing is changed. A nil fsys is the
// machine's file system.
func OpenForAppend(fsys vfs.FS, dir string, opts AppendOptions) (*Writer, error) {
	w := newWriter(orMachine(fsys), filepath.Clean(dir), opts.WriterOptions)
	if err := w.open(&opts); err != nil {
		return nil, errors.Join(err, w.locks.close())
	}
	return w, nil
}

func (w *Writer) open(opts *AppendOptions) error {
	names, err := w.opts.Dialect.segmentNames(w.fsys, w.dir)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return &fs.PathError{Op: "open log", Path: w.dir, Err: ErrNoLog}
	}
	names = since(names, opts.At.Index)
	chosen := selection{FS: vfs.DirFS(w.fsys, w.dir)}
	for _, name := range names {
		f, err := openLocked(w.fsys, w.path(name), os.O_RDWR)
		if err != nil {
			return err
		}
		w.locks.add(name, f)
		info, err := f.Stat()
		if err != nil {
			return err
		}
		chosen.entries = append(chosen.entries, fs.FileInfoToDirEntry(info))
	}
	r := replay{enc: &w.enc, opts: opts}
	r.start(names)
	if err := r.read(chosen); err != nil {
		return err
	}
	return w.resume(&r)
}

// since returns the segments from the one on that holds the entry after index.
func since(names []SegmentName, index uint64) []SegmentName {
	for i := len(names) - 1; i > 0; i-- {
		if names[i].Index <= index {
			return names[i:]
		}
	}
	return names
}

// selection shows only the segments that are locked, and no other file.
type selection struct {
	fs.FS
	entries []fs.DirEntry
}

// ReadDir implements [fs.ReadDirFS].
func (s selection) ReadDir(string) ([]fs.DirEntry, error) { return slices.Clone(s.entries), nil }

// replay reads a log to its end, and brings the encoder to where it was then.
type replay struct {
	enc  *encoder
	opts *AppendOptions

	end     Position // after the last record
	damage  *Finding // what the reading stopped at, perhaps a torn end
	at      bool     // the snapshot to start from was seen
	flavor  raftpb.Flavor
	decided bool // an entry told the flavour
}

func (r *replay) start(names []SegmentName) {
	r.enc.seq = names[len(names)-1].Seq
	r.enc.last = max(names[0].Index, 1) - 1
	r.at = r.opts.At.Index == 0
}

func (r *replay) read(fsys fs.FS) error {
	log, err := r.enc.kinds.Open(fsys, ".")
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // it was only read
	log.still = true
	for rec, err := range log.Records(Recover) {
		if err != nil {
			return err
		}
		if rec.Kind == KindDamage {
			damage := *rec.Damage
			r.damage = &damage
			break
		}
		if err := r.record(rec); err != nil {
			return err
		}
	}
	if r.damage != nil {
		if err := r.mayCut(log); err != nil {
			return err
		}
	}
	if !r.at {
		return fmt.Errorf("%w: %v", ErrSnapshotNotFound, r.opts.At)
	}
	return nil
}

// mayCut returns why what reading stopped at can't be cut off, or nil.
func (r *replay) mayCut(log *Log) error {
	switch {
	case !r.opts.CutTorn:
		return r.damage.Err()
	case r.damage.Class == ClassTorn:
		return nil
	}
	view, err := log.View(context.Background())
	if err != nil {
		return errors.Join(r.damage.Err(), err)
	}
	return lossOf(view, r.damage, r.enc.last)
}

func (r *replay) record(rec *Record) error {
	r.end = Position{Segment: rec.Pos.Segment, Off: rec.Pos.Off + rec.Len}
	r.enc.crc = rec.CRC
	if err := r.enc.note(rec.Kind, rec.Data); err != nil {
		return &CorruptError{File: rec.Pos.Segment, Off: rec.Pos.Off, Err: err}
	}
	switch rec.Kind {
	case KindMetadata:
		r.enc.metadata = slices.Clone(rec.Data)
	case KindEntry:
		if f, ok := raftpb.DetectFlavor(rec.Data); ok {
			r.flavor, r.decided = f, true
		}
	case KindSnapshot:
		if err := r.snapshot(rec); err != nil {
			return err
		}
	}
	if r.opts.Replay == nil {
		return nil
	}
	return r.opts.Replay(rec)
}

func (r *replay) snapshot(rec *Record) error {
	var s Snapshot
	if err := s.Unmarshal(rec.Data); err != nil || s.Index != r.opts.At.Index || s.Index == 0 {
		return err
	}
	if s.Term != r.opts.At.Term {
		return fmt.Errorf("%v: snapshot at index %d has term %d, want %d: %w",
			rec.Pos, s.Index, s.Term, r.opts.At.Term, ErrSnapshotNotFound)
	}
	r.at = true
	return nil
}

// resume makes the writer go on after the last record.
func (w *Writer) resume(r *replay) error {
	last := w.locks.held[len(w.locks.held)-1]
	if file := w.opts.Dialect.FileName(last.name); r.end.Segment != file {
		if r.damage != nil {
			return r.damage.Err()
		}
		return &CorruptError{File: file, Err: errors.New("no records")}
	}
	if r.decided {
		w.enc.flavor = r.flavor
	}
	info, err := last.file.Stat()
	if err != nil {
		return err
	}
	w.enc.flushed = flushModel{size: r.end.Off}
	w.tail = tail{file: last.file, off: r.end.Off, onSync: w.opts.OnSync}
	if r.damage != nil {
		if err := w.cutTorn(r); err != nil {
			return err
		}
	}
	if w.tail.allocated, err = reserve(last.file, max(info.Size(), w.opts.segmentSize)); err != nil {
		return err
	}
	return removeSpares(w.fsys, w.dir)
}
