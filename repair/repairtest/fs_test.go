package repairtest

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/vfs"
)

// hastyFS saves nothing, and allocates little ahead: a log of the laboratory takes some KiB, and is gone
// soon.
type hastyFS struct{ vfs.FS }

type hastyFile struct{ vfs.File }

func (f hastyFS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	file, err := f.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return hastyFile{file}, nil
}

func (f hastyFS) SyncDir(string) error { return nil }

func (f hastyFile) Allocate(size int64) error { return f.File.Allocate(min(size, 64<<10)) }

func (f hastyFile) Sync() error { return nil }

// WriteAt leaves out the zeros that a writer puts ahead of its records.
func (f hastyFile) WriteAt(b []byte, off int64) (int, error) {
	if len(b) >= sectorSize && len(bytes.Trim(b[:sectorSize], "\x00")) == 0 && bytes.Equal(b[sectorSize:], b[:len(b)-sectorSize]) {
		return len(b), nil
	}
	return f.File.WriteAt(b, off)
}

// writeDir writes a data directory.
func writeDir(dir string, files map[string][]byte) error {
	for _, sub := range []string{walDir, snapDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// readDir reads a data directory.
func readDir(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		files[filepath.ToSlash(rel)] = b
		return err
	})
	return files, err
}

// differs tells the first file in which two directories differ; "" if there is none.
func differs(a, b map[string][]byte) string {
	for _, name := range sortedKeys(a) {
		if other, ok := b[name]; !ok || !bytes.Equal(a[name], other) {
			return fmt.Sprintf("%s, of %d bytes and %d", name, len(a[name]), len(other))
		}
	}
	for _, name := range sortedKeys(b) {
		if _, ok := a[name]; !ok {
			return name + " is new"
		}
	}
	return ""
}
