package recording

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// Options are the choices of a writer. The zero value is good.
type Options struct {
	// Flavor is the encoding of messages.
	Flavor raftpb.Flavor
	// SegmentSize is the size in bytes from which on a segment is followed by a new one; [wal.SegmentSize] by
	// default, and at most.
	SegmentSize int64
	// Keep is how many segments are kept: when one more is begun the oldest is removed. 0 keeps all.
	Keep int
	// FS is the file system; the machine's by default.
	FS vfs.FS
}

func (o Options) withDefaults() Options {
	if o.SegmentSize <= 0 || o.SegmentSize > wal.SegmentSize {
		o.SegmentSize = wal.SegmentSize
	}
	if o.FS == nil {
		o.FS = vfs.OS
	}
	return o
}

// Writer writes a recording. Its methods may be called from several goroutines. The first error of a write is
// final: from then on each call returns it.
type Writer struct {
	dir  string
	opts Options
	log  *wal.Writer

	mu  sync.Mutex
	buf []byte
}

// Create makes a new recording in dir, which must not exist yet or be empty; the folder above it must exist. Its
// files can be read by their owner alone: messages hold what clients wrote.
func Create(dir string, m Metadata, o Options) (*Writer, error) {
	o = o.withDefaults()
	log, err := wal.Create(o.FS, dir, wal.CreateOptions{RawMetadata: m.appendTo(nil), WriterOptions: walOptions()})
	if err != nil {
		return nil, err
	}
	return &Writer{dir: dir, opts: o, log: log}, nil
}

// Resume opens the recording in dir to go on with it. An incomplete write at its end, as a crash leaves, is cut off.
// A gap tells that what was said meanwhile is missing. The recording must be of the member and the cluster that m
// tells; what it knows of the others stays as it is.
func Resume(dir string, m Metadata, o Options) (*Writer, error) {
	o = o.withDefaults()
	log, found, err := wal.OpenForAppend(o.FS, dir, wal.AppendOptions{
		CutTorn: true, NoEntries: true, WriterOptions: walOptions(),
	})
	if err != nil {
		return nil, err
	}
	w := &Writer{dir: dir, opts: o, log: log}
	if err := w.resume(found, &m); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, err), log.Close())
	}
	return w, nil
}

func (w *Writer) resume(found *wal.Recovered, m *Metadata) error {
	var had Metadata
	if err := had.unmarshal(found.RawMetadata); err != nil {
		return err
	}
	if had.Recorder != m.Recorder || had.Cluster != m.Cluster {
		return fmt.Errorf("recorded by member %x of cluster %x, want member %x of cluster %x",
			had.Recorder, had.Cluster, m.Recorder, m.Cluster)
	}
	if err := w.purge(); err != nil {
		return err
	}
	return w.Append(&stream.Event{
		Kind: stream.KindGap, Time: time.Now(),
		Gap: &stream.Gap{Bytes: -1, Reason: "nothing was recorded up to here"},
	})
}

// Continue resumes the recording in dir, or creates it if there is none, with all folders above it. One that is
// damaged, as a crash of the machine may leave it, is put aside and a new one begun: aside is then where it lies.
func Continue(dir string, m Metadata, o Options) (w *Writer, aside string, err error) {
	o = o.withDefaults()
	dir = filepath.Clean(dir)
	entries, err := o.FS.ReadDir(dir)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, "", err
	case len(entries) == 0:
		if err := o.FS.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
			return nil, "", err
		}
		w, err = Create(dir, m, o)
		return w, "", err
	}
	w, err = Resume(dir, m, o)
	if !damaged(err) {
		return w, "", err
	}
	aside = dir + ".before-" + m.Start.UTC().Format("20060102T150405.000Z")
	if err := o.FS.Rename(dir, aside); err != nil {
		return nil, "", err
	}
	w, err = Create(dir, m, o)
	return w, aside, err
}

// damaged reports whether a recording can't be gone on with because of what its bytes are.
func damaged(err error) bool {
	_, loss := errors.AsType[*wal.LossError](err)
	_, corrupt := errors.AsType[*wal.CorruptError](err)
	return loss || corrupt
}

// walOptions are those of the log below: a recording is not worth waiting for the disk.
func walOptions() wal.WriterOptions { return wal.WriterOptions{Dialect: Dialect, NoSync: true} }

// Append adds an event. It is on its way to the disk after the next Flush, and safe there after Sync. Append copies
// what it needs of e. An event that lacks what its kind calls for is refused.
func (w *Writer) Append(e *stream.Event) error {
	if err := (&slots{event: *e}).whole(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = appendEvent(w.buf[:0], e, w.opts.Flavor)
	if err := w.log.AppendRecord(KindEvent, w.buf); err != nil {
		return err
	}
	if cap(w.buf) > maxKept {
		w.buf = nil
	}
	if w.log.Size() >= w.opts.SegmentSize {
		return w.roll()
	}
	return nil
}

// roll begins the next segment, and removes the oldest if there are too many.
func (w *Writer) roll() error {
	if err := w.log.Roll(); err != nil {
		return err
	}
	return w.purge()
}

func (w *Writer) purge() error {
	if err := w.log.ReleaseTo(math.MaxUint64); err != nil {
		return err
	}
	if w.opts.Keep <= 0 {
		return nil
	}
	_, err := w.log.Purge(w.opts.Keep)
	return err
}

// maxKept is the size in bytes above which a buffer is not used again.
const maxKept = 1 << 20

// Flush hands what was appended to the system: it then outlives the process.
func (w *Writer) Flush() error { return w.log.Flush() }

// Sync returns when all that was appended is safe on the disk.
func (w *Writer) Sync() error { return w.log.Sync() }

// Close makes everything durable, and gives back the space that was kept for more.
func (w *Writer) Close() error {
	size := w.log.Size()
	if err := w.log.Close(); err != nil {
		return err
	}
	name, err := w.last()
	if err != nil {
		return err
	}
	f, err := w.opts.FS.OpenFile(filepath.Join(w.dir, name), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

// last returns the name of the last segment.
func (w *Writer) last() (name string, err error) {
	entries, err := w.opts.FS.ReadDir(w.dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries { // in the order of their names
		if strings.HasSuffix(e.Name(), Suffix) {
			name = e.Name()
		}
	}
	return name, nil
}
