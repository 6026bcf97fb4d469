package node

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/snapshot"
)

// purgeInterval is how often superfluous files are looked for; it is etcd's.
const purgeInterval = 30 * time.Second

// purge removes segments and snapshot files that nothing needs, all but the last few.
func (n *Node) purge() {
	tick := time.NewTicker(purgeInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-n.ctx.Done():
			return
		}
		if err := errors.Join(n.purgeLog(), n.purgeSnapshots()); err != nil {
			n.log.Warn("old files stay", "error", err)
		}
	}
}

func (n *Node) purgeLog() error {
	if n.cfg.MaxSegments < 0 {
		return nil
	}
	removed, err := n.wal.Purge(n.cfg.MaxSegments)
	for _, name := range removed {
		n.log.Info("removed a segment of the log", "name", name.String())
	}
	return err
}

// purgeSnapshots removes .snap files beyond the newest few, and databases that leaders sent and that are
// not the present one any more.
func (n *Node) purgeSnapshots() error {
	dir := vfs.DirFS(n.cfg.fs, n.cfg.snapDir())
	var old []string
	ids, err := snapshot.List(dir, ".")
	if err != nil {
		return err
	}
	if keep := n.cfg.MaxSnapshots; keep >= 0 && len(ids) > keep {
		for _, id := range slices.Backward(ids[keep:]) {
			old = append(old, snapshot.FileName(id))
		}
	}
	received, err := snapshot.ListDB(dir, ".")
	if err != nil {
		return err
	}
	for _, index := range received {
		if index < n.standing.applied.Load() {
			old = append(old, snapshot.DBFileName(index))
		}
	}
	for _, name := range old {
		if err := n.cfg.fs.Remove(filepath.Join(n.cfg.snapDir(), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
