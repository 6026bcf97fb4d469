package change

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/vfs"
)

// walk visits a folder and all that lies in it; a folder comes behind what it holds.
func walk(fsys vfs.FS, name string, visit func(path string, info fs.FileInfo) error) error {
	info, err := fsys.Stat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		entries, err := fsys.ReadDir(name)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := walk(fsys, filepath.Join(name, e.Name()), visit); err != nil {
				return err
			}
		}
	}
	return visit(name, info)
}

// syncAny makes a file durable, or which files a folder holds.
func syncAny(fsys vfs.FS, name string, info fs.FileInfo) error {
	if info.IsDir() {
		return fsys.SyncDir(name)
	}
	f, err := fsys.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// exists reports whether there is something of a name.
func exists(fsys vfs.FS, name string) (bool, error) {
	_, err := fsys.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// unused returns the name itself, or with a number behind it, so that nothing is called so.
func unused(fsys vfs.FS, name string) (string, error) {
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s-%d", name, n)
		}
		if is, err := exists(fsys, try); err != nil || !is {
			return try, err
		}
	}
}

// swapIn gives the folder that lies at from the name at, and what was called so the name kept. Where the
// system can't exchange names, there is a moment in which nothing is called at; a failure doesn't leave that.
func swapIn(fsys vfs.FS, from, at, kept string) error {
	is, err := exists(fsys, at)
	if err != nil {
		return err
	}
	if is {
		err = vfs.Exchange(fsys, from, at)
	}
	switch {
	case !is:
		err = fsys.Rename(from, at)
	case errors.Is(err, errors.ErrUnsupported):
		err = swapByRename(fsys, from, at, kept)
	case err == nil && from != kept:
		// The names are durable before the next step: whatever that leaves, one of the two is at its place.
		if err = syncParents(fsys, from, at); err == nil {
			err = fsys.Rename(from, kept)
		}
	}
	if err != nil {
		return err
	}
	return syncParents(fsys, from, at, kept)
}

func swapByRename(fsys vfs.FS, from, at, kept string) error {
	if err := fsys.Rename(at, kept); err != nil {
		return err
	}
	if err := fsys.Rename(from, at); err != nil {
		return errors.Join(err, fsys.Rename(kept, at))
	}
	return nil
}

// syncParents makes the names of files durable.
func syncParents(fsys vfs.FS, names ...string) error {
	done := map[string]bool{}
	for _, name := range names {
		dir := filepath.Dir(name)
		if done[dir] {
			continue
		}
		done[dir] = true
		if err := fsys.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}
