package restore

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/wal"
)

// spare is disk space for what is small: .snap file, folders, the new pages of the database.
const spare = 1 << 20

// need returns how many bytes the data directory of a member takes, and its log where that lies elsewhere.
func (p *Plan) need(m *Planned) (data, log int64) {
	data = p.Base.Size + p.o.ReplayBytes + spare
	if m.WalDir == "" {
		return data + wal.SegmentSize, 0
	}
	return data, wal.SegmentSize
}

// checkSpace refuses a restore for which a disk has no room. Where that can't be asked, it is left to the
// writing. The data directories of several members lie on one disk.
func (p *Plan) checkSpace() error {
	var all, logs int64
	for i := range p.Members {
		data, log := p.need(&p.Members[i])
		all, logs = all+data, logs+log
	}
	if p.o.Rehearse { // a copy of one at a time
		all += p.Base.Size + p.o.ReplayBytes + wal.SegmentSize
	}
	p.Need = all + logs
	if err := p.checkRoom(p.Members[0].DataDir, all); err != nil || logs == 0 {
		return err
	}
	return p.checkRoom(p.Members[0].WalDir, logs)
}

// checkRoom refuses it for a disk, which is that of the nearest folder that exists.
func (p *Plan) checkRoom(dir string, need int64) error {
	for {
		_, err := p.o.FS.Stat(dir)
		if err == nil {
			break
		}
		up := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || up == dir {
			return err
		}
		dir = up
	}
	free, err := vfs.FreeSpace(p.o.FS, dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return err
	case free < need:
		return fmt.Errorf("%s: %w: about %d bytes are needed, and %d are free", dir, syscall.ENOSPC, need, free)
	}
	return nil
}
