package repair

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/wal"
)

// logWriter makes the new log of a plan.
type logWriter struct {
	fs     vfs.FS
	plan   *Plan
	dir    string   // of the new log; it doesn't exist yet
	log    *wal.Log // the source, corrected
	view   *wal.View
	donors []*wal.View
	opened []*wal.Log // the donors
}

const (
	dirMode  fs.FileMode = 0o700 // as etcd makes them: they hold secrets
	fileMode fs.FileMode = 0o600
)

// write makes the log, synced.
func (w *logWriter) write(ctx context.Context) error {
	r := w.plan.Changes.Rewrite
	if r == nil || r.From != (Place{}) {
		if err := w.copy(ctx, r); err != nil {
			return err
		}
	}
	if r == nil {
		return w.fs.SyncDir(w.dir)
	}
	writer, err := w.open(r)
	if err != nil {
		return err
	}
	records := newRewriter(r, w.log, w.view, w.donors).records(ctx)
	return errors.Join(wal.Copy(writer, records), writer.Close())
}

// open opens the new log behind what was copied of it.
func (w *logWriter) open(r *Rewrite) (*wal.Writer, error) {
	if r.From != (Place{}) {
		writer, _, err := wal.OpenForAppend(w.fs, w.dir, wal.AppendOptions{NoEntries: true})
		return writer, err
	}
	metadata := []byte(r.Metadata)
	if len(metadata) == 0 {
		metadata = w.metadata()
	}
	if metadata == nil {
		return nil, errNoHead
	}
	o := wal.CreateOptions{RawMetadata: metadata}
	if r.Begin == nil {
		o.First = w.log.Segments()[0].Name
	}
	writer, err := wal.Create(w.fs, w.dir, o)
	if err != nil || r.Begin == nil {
		return writer, err
	}
	err = errors.Join(writer.AppendRecord(wal.KindSnapshot, r.Begin.Snapshot), writer.AppendRecord(wal.KindState, r.Begin.State))
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	return writer, nil
}

// metadata returns that of the source, as it lies there.
func (w *logWriter) metadata() []byte {
	if w.view.MetadataPos == (wal.Position{}) {
		return nil
	}
	rec, err := w.log.ReadAt(w.view.MetadataPos)
	if err != nil || rec.Kind != wal.KindMetadata {
		return nil
	}
	return rec.Data
}

// copy copies the segments, or those up to where the rest is written anew.
func (w *logWriter) copy(ctx context.Context, r *Rewrite) error {
	if err := w.fs.MkdirAll(w.dir, dirMode); err != nil {
		return err
	}
	for _, s := range w.log.Segments() {
		size := int64(-1)
		if r != nil && s.File == r.From.Segment {
			if size = r.From.Off; size == 0 {
				return nil
			}
		}
		if err := w.copySegment(ctx, s.File, size); err != nil {
			return fmt.Errorf("%s: %w", s.File, err)
		}
		if size >= 0 {
			return nil
		}
	}
	return nil
}

// copySegment copies the first bytes of a segment, corrected; all of them if size is negative.
func (w *logWriter) copySegment(ctx context.Context, file string, size int64) (err error) {
	in, err := w.log.FS().Open(path.Join(w.log.Dir(), file))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // opened for reading
	if size < 0 {
		info, err := in.Stat()
		if err != nil {
			return err
		}
		size = info.Size()
	}
	out, err := w.fs.OpenFile(filepath.Join(w.dir, file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	from, ok := in.(io.ReaderAt)
	if !ok {
		return errors.New("can't be read at an offset")
	}
	if _, err := io.CopyBuffer(out, &polled{ctx, io.NewSectionReader(from, 0, size)}, make([]byte, 1<<20)); err != nil {
		return err
	}
	return out.Sync()
}
