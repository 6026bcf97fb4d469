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

	// CutTorn allows to cut off an incomplete last write: see Recovered.Torn. Without it, a log that
	// ends in one is refused. Damage with anything behind it that proves itself is no torn end, and
	// refused in any case, with a *LossError.
	CutTorn bool

	// CutAfter, if not zero, ends the log behind the record that ends there. What follows is cut off,
	// be it intact, committed or damaged: that is the caller's decision, and nothing here weighs it.
	// The error is ErrNotBoundary if no record ends there, or if what would be left of the segment is
	// less than its head. Later segments are removed first, the newest first of all, so that a crash
	// leaves a log that ends there or at some later record.
	CutAfter Position

	// NoEntries leaves Recovered.Entries empty: opening then takes constant memory, and gaps between
	// entries don't matter.
	NoEntries bool

	// Replay, if not nil, is called with every record that is read, in order, live or not. Its error
	// ends the opening. The record is valid until it returns.
	Replay func(*Record) error

	WriterOptions
}

var (
	// ErrSnapshotNotFound is returned when a log is opened at a snapshot that it has no record of.
	ErrSnapshotNotFound = errors.New("snapshot is not in the log")

	// ErrNotBoundary is returned when a log is to end at a place that is not the end of a record.
	ErrNotBoundary = errors.New("no record ends there")
)

// OpenForAppend opens a log to go on writing it, and returns what it holds. It takes the locks that
// etcd takes, and returns an error that is ErrLocked if another process holds one. It reads the log
// up to its end, and refuses any damage but, if allowed, a torn end. Until then nothing is changed. A
// nil fsys is the machine's file system.
func OpenForAppend(fsys vfs.FS, dir string, opts AppendOptions) (*Writer, *Recovered, error) {
	w := newWriter(orMachine(fsys), filepath.Clean(dir), opts.WriterOptions)
	recovered, err := w.open(&opts)
	if err != nil {
		return nil, nil, errors.Join(err, w.locks.close())
	}
	return w, recovered, nil
}

func (w *Writer) open(opts *AppendOptions) (*Recovered, error) {
	names, err := w.opts.Dialect.segmentNames(w.fsys, w.dir)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, &fs.PathError{Op: "open log", Path: w.dir, Err: ErrNoLog}
	}
	names = since(names, opts.At.Index)
	chosen := selection{FS: vfs.DirFS(w.fsys, w.dir)}
	for _, name := range names {
		f, err := openLocked(w.fsys, w.path(name), os.O_RDWR)
		if err != nil {
			return nil, err
		}
		w.locks.add(name, f)
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		chosen.entries = append(chosen.entries, fs.FileInfoToDirEntry(info))
	}
	r := replay{enc: &w.enc, opts: opts, at: opts.At.Index == 0}
	r.enc.last = max(names[0].Index, 1) - 1
	recovered, err := r.read(chosen)
	if err != nil {
		return nil, err
	}
	if err := w.resume(&r); err != nil {
		return nil, err
	}
	recovered.Torn, w.resumed = w.torn, true
	return recovered, nil
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
	part intactPart
	live liveEntries

	at       bool // the snapshot to start from was seen
	snapshot Snapshot
	flavor   raftpb.Flavor
	decided  bool // an entry told the flavour
}

func (r *replay) read(fsys fs.FS) (*Recovered, error) {
	log, err := r.enc.kinds.Open(fsys, ".")
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // it was only read
	log.still = true
	r.part = newIntactPart(log)
	r.live.after = r.opts.At.Index
	if err := r.records(log); err != nil {
		return nil, err
	}
	if err := r.mayCut(log); err != nil {
		return nil, err
	}
	switch {
	case r.cuts() && r.part.end != r.opts.CutAfter:
		return nil, r.notBoundary("the log ends before it")
	case !r.at:
		return nil, fmt.Errorf("%w: %v", ErrSnapshotNotFound, r.opts.At)
	}
	return r.recovered()
}

// cuts reports whether the caller says where the log is to end.
func (r *replay) cuts() bool { return r.opts.CutAfter != Position{} }

// records takes in the records up to the end, to damage, or to where the log is to be cut.
func (r *replay) records(log *Log) error {
	for rec, err := range log.Records(Recover) {
		if err != nil {
			return err
		}
		r.part.record(rec)
		if rec.Kind == KindDamage {
			return nil
		}
		if err := r.record(rec); err != nil {
			return err
		}
		if done, err := r.reached(); done || err != nil {
			return err
		}
	}
	return nil
}

// mayCut returns why what reading stopped at can't be cut off, or nil.
func (r *replay) mayCut(log *Log) error {
	damage := r.part.damage
	switch {
	case damage == nil:
		return nil
	case !r.opts.CutTorn || r.cuts():
		return damage.Err()
	case damage.Class == ClassTorn:
		return nil
	}
	view, err := log.View(context.Background())
	if err != nil {
		return errors.Join(damage.Err(), err)
	}
	return lossOf(view, damage, r.enc.last)
}

// reached reports whether the log is to be cut behind the record that was read last.
func (r *replay) reached() (bool, error) {
	end, cut := r.part.end, r.opts.CutAfter
	switch {
	case !r.cuts() || end.Segment != cut.Segment || end.Off < cut.Off:
		return false, nil
	case end.Off > cut.Off:
		return false, r.notBoundary(fmt.Sprintf("the record there ends at %d", end.Off))
	case r.part.records() < r.headSize():
		return false, r.notBoundary("a segment must keep its head")
	}
	return true, nil
}

// headSize is the number of records that the segment that is read can't do without.
func (r *replay) headSize() int64 {
	const head = 2 // crc and metadata
	if r.enc.seq == 0 {
		return head + int64(len(r.enc.kinds.begin))
	}
	return head
}

func (r *replay) notBoundary(why string) error {
	return fmt.Errorf("%v: %w: %s", r.opts.CutAfter, ErrNotBoundary, why)
}

func (r *replay) record(rec *Record) error {
	r.enc.crc = rec.CRC
	if name, ok := r.enc.kinds.ParseFileName(rec.Pos.Segment); ok {
		r.enc.seq = name.Seq
	}
	if err := r.enc.note(rec.Kind, rec.Data); err != nil {
		return &CorruptError{File: rec.Pos.Segment, Off: rec.Pos.Off, Err: err}
	}
	switch rec.Kind {
	case KindMetadata:
		r.enc.metadata = slices.Clone(rec.Data)
	case KindEntry:
		if err := r.entry(rec); err != nil {
			return err
		}
	case KindSnapshot:
		if err := r.noteSnapshot(rec); err != nil {
			return err
		}
	}
	if r.opts.Replay == nil {
		return nil
	}
	return r.opts.Replay(rec)
}

func (r *replay) entry(rec *Record) error {
	if f, ok := raftpb.DetectFlavor(rec.Data); ok {
		r.flavor, r.decided = f, true
	}
	if r.opts.NoEntries {
		return nil
	}
	return r.live.add(rec)
}

func (r *replay) noteSnapshot(rec *Record) error {
	var s Snapshot
	if err := s.Unmarshal(rec.Data); err != nil || s.Index != r.opts.At.Index || s.Index == 0 {
		return err
	}
	if s.Term != r.opts.At.Term {
		return fmt.Errorf("%v: snapshot at index %d has term %d, want %d: %w",
			rec.Pos, s.Index, s.Term, r.opts.At.Term, ErrSnapshotNotFound)
	}
	r.at, r.snapshot = true, s
	return nil
}
