package faultfs

import (
	"io/fs"
	"maps"
	"slices"
	"time"
)

// node is a file or a folder, twice: as the running processes see it, and as the disk holds it.
type node struct {
	name string // as it was created, for FileInfo
	mode fs.FileMode

	data    []byte // a file's bytes
	disk    []byte // those that are safe
	pending []change
	used    int64 // disk space that the file takes
	owner   *file // the open file that holds the lock

	kids     map[string]*node // a folder's contents
	diskKids map[string]*node
}

// change is one change of a file that was not synced yet.
type change struct {
	resize bool
	size   int64 // new size of the file, if it is a resize
	off    int64
	data   []byte
}

func newDir(name string, mode fs.FileMode) *node {
	return &node{
		name: name, mode: mode | fs.ModeDir,
		kids: map[string]*node{}, diskKids: map[string]*node{},
	}
}

func newFile(name string, mode fs.FileMode) *node { return &node{name: name, mode: mode} }

func (n *node) isDir() bool { return n.mode.IsDir() }

func (n *node) write(off int64, b []byte) {
	n.data = writeAt(n.data, off, b)
	n.pending = append(n.pending, change{off: off, data: slices.Clone(b)})
}

func (n *node) resize(size int64) {
	n.data = resized(n.data, size)
	n.pending = append(n.pending, change{resize: true, size: size})
}

// sync moves the pending changes to the disk.
func (n *node) sync() {
	for _, c := range n.pending {
		n.disk = c.apply(n.disk)
	}
	n.pending = nil
}

func (c change) apply(b []byte) []byte {
	if c.resize {
		return resized(b, c.size)
	}
	return writeAt(b, c.off, c.data)
}

func writeAt(dst []byte, off int64, b []byte) []byte {
	if end := off + int64(len(b)); end > int64(len(dst)) {
		dst = resized(dst, end)
	}
	copy(dst[off:], b)
	return dst
}

func resized(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		clear(b[size:])
		return b[:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

// survivor returns the node as a crash leaves it, with everything in it.
func (n *node) survivor(c Crash) *node {
	s := &node{name: n.name, mode: n.mode}
	if n.isDir() {
		s.kids = map[string]*node{}
		for _, name := range slices.Sorted(maps.Keys(n.diskKids)) {
			s.kids[name] = n.diskKids[name].survivor(c)
		}
		s.diskKids = maps.Clone(s.kids)
		return s
	}
	s.disk = slices.Clone(n.disk)
	for _, p := range n.pending {
		var whole bool
		if s.disk, whole = c.keep(s.disk, p); !whole && c.InOrder {
			break
		}
	}
	s.data = slices.Clone(s.disk)
	s.used = int64(len(s.data))
	return s
}

type info struct {
	name string
	size int64
	mode fs.FileMode
	node *node
}

func (n *node) info(name string) info { return info{name, int64(len(n.data)), n.mode, n} }

func (i info) Name() string               { return i.name }
func (i info) Size() int64                { return i.size }
func (i info) Mode() fs.FileMode          { return i.mode }
func (i info) ModTime() time.Time         { return time.Time{} }
func (i info) IsDir() bool                { return i.mode.IsDir() }
func (i info) Sys() any                   { return i.node } // tells which file it is
func (i info) Type() fs.FileMode          { return i.mode.Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }
