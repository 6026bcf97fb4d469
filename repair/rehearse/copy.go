package rehearse

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/node/kv"
)

// The folders of the copy.
const (
	walName  = "wal"
	snapName = "snap"
)

// copyFiles copies the log and the database.
func (m *member) copyFiles(ctx context.Context) error {
	files := map[string]string{filepath.Join(m.SnapDir, kv.FileName): filepath.Join(m.Scratch, snapName, kv.FileName)}
	entries, err := m.FS.ReadDir(m.WALDir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), datadir.SegmentSuffix) {
			files[filepath.Join(m.WALDir, e.Name())] = filepath.Join(m.Scratch, walName, e.Name())
		}
	}
	for _, dir := range []string{walName, snapName} {
		if err := m.FS.MkdirAll(filepath.Join(m.Scratch, dir), 0o700); err != nil {
			return err
		}
	}
	p := &progress{ctx: ctx, tell: m.Progress}
	for from := range files {
		info, err := m.FS.Stat(from)
		if err != nil {
			return err
		}
		p.total += info.Size()
	}
	for from, to := range files {
		if err := copyFile(m.FS, from, to, p); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies a file without holes being kept or anything being synced: the copy is for one look.
func copyFile(fsys vfs.FS, from, to string, p *progress) (err error) {
	in, err := fsys.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // opened for reading
	out, err := fsys.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.MultiWriter(out, p), in)
	return errors.Join(err, out.Close())
}

// progress counts what is written, and ends it when the context does.
type progress struct {
	ctx         context.Context
	tell        func(stage Stage, done, total int64)
	done, total int64
}

// Write implements io.Writer.
func (p *progress) Write(b []byte) (int, error) {
	p.done += int64(len(b))
	if p.tell != nil {
		p.tell(StageCopy, p.done, p.total)
	}
	return len(b), p.ctx.Err()
}
