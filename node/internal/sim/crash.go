package sim

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/snapshot/bolt"
)

// privateDir is the mode of a member's folders.
const privateDir = 0o700

// crash takes the disk away from who uses it, and returns in root what is left of it. Whoever calls it has seen
// to it that nobody does anything meanwhile: see synctest.Wait. Those who wait for the disk go on last.
func (d *disk) crash(root string, c faultfs.Crash) (*disk, error) {
	defer close(d.gone)
	d.mu.Lock()
	defer d.mu.Unlock()
	snap := filepath.Join("member", "snap")
	if err := os.MkdirAll(filepath.Join(root, snap), privateDir); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(filepath.Join(d.root, snap))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, f := range files {
		if slices.Contains(d.fresh, f.Name()) && c.Keep < 1 && c.Rand.IntN(2) == 0 {
			continue
		}
		name := filepath.Join(snap, f.Name())
		if err := copyDatabase(filepath.Join(d.root, name), filepath.Join(root, name)); err != nil {
			return nil, err
		}
	}
	return newDisk(root, d.mem.Crash(c), d.dice.Uint64()), nil
}

// copyDatabase copies a database as of its last commit, without the room behind what is in use: bbolt maps all of a file
// into memory, which takes longer than the rest of a start.
func copyDatabase(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // opened for reading
	info, err := in.Stat()
	if err != nil {
		return err
	}
	used := info.Size()
	if db, err := bolt.Open(in, used); err == nil {
		used = min(used, int64(db.Meta().HighWater)*db.Meta().PageSize)
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, io.NewSectionReader(in, 0, used))
	return err
}
