package rehearse

import (
	"context"
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
	total, before := int64(0), int64(0)
	for from := range files {
		info, err := m.FS.Stat(from)
		if err != nil {
			return err
		}
		total += info.Size()
	}
	for from, to := range files {
		size := int64(0)
		if err := vfs.CopyFile(m.FS, from, to, func(done, n int64) error {
			if size = n; m.Progress != nil {
				m.Progress(StageCopy, before+done, total)
			}
			return ctx.Err()
		}); err != nil {
			return err
		}
		before += size
	}
	return nil
}
