package repair

import (
	"context"
	"errors"
	"io/fs"

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

	donorDir string // that their relative paths start from

	source *wal.Log // as it lies
	laid   *overlay // over it
	sums   sums
	lowest uint64 // of the indexes of entries that were written anew
}

const (
	dirMode  fs.FileMode = 0o700 // as etcd makes them: they hold secrets
	fileMode fs.FileMode = 0o600
)

// write makes the log, synced.
func (w *logWriter) write(ctx context.Context) error {
	r := w.plan.Changes.Rewrite
	if r == nil || r.From != (Place{}) {
		if err := w.copySegments(ctx, r); err != nil {
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
	rewriter := newRewriter(r, w.log, w.view, w.donors)
	err = wal.Copy(writer, rewriter.records(ctx))
	w.lowest = rewriter.lowest
	return errors.Join(err, writer.Close())
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
