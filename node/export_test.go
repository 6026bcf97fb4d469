package node

import "github.com/raftctl/raftctl/internal/vfs"

// On returns the configuration of a member on a file system that isn't the machine's.
func (c Config) On(fsys vfs.FS) Config {
	c.fs = fsys
	return c
}
