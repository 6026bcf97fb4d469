package node

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/wal"
)

// The folders of a member, below its data directory.

func (c *Config) memberDir() string { return filepath.Join(c.DataDir, "member") }
func (c *Config) snapDir() string   { return filepath.Join(c.memberDir(), "snap") }

func (c *Config) walDir() string {
	if c.WALDir != "" {
		return c.WALDir
	}
	return filepath.Join(c.memberDir(), "wal")
}

// hasLog reports whether there is a log, whatever its state.
func (c *Config) hasLog() (bool, error) {
	last, err := c.lastSegment()
	return last != "", err
}

// lastSegment returns the file of the log's last segment, "" if there is none.
func (c *Config) lastSegment() (last string, err error) {
	entries, err := fs.ReadDir(vfs.DirFS(c.fs, c.walDir()), ".")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	for _, e := range entries {
		if _, ok := wal.ParseSegmentName(e.Name()); ok {
			last = filepath.Join(c.walDir(), e.Name()) // by name, which is by their order
		}
	}
	return last, err
}
