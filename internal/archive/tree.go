package archive

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// data is the content of a file.
type data interface {
	io.ReaderAt
	io.ReadSeeker
}

// node is a file or a directory. It is its own description.
type node struct {
	name     string // path in the archive
	mode     fs.FileMode
	size     int64
	modTime  time.Time
	data     data // nil if it was not unpacked
	children map[string]*node
}

func newDir(name string) *node {
	const perm = 0o555
	return &node{name: name, mode: fs.ModeDir | perm, children: map[string]*node{}}
}

func (n *node) Name() string               { return path.Base(n.name) }
func (n *node) Size() int64                { return n.size }
func (n *node) Mode() fs.FileMode          { return n.mode }
func (n *node) Type() fs.FileMode          { return n.mode.Type() }
func (n *node) ModTime() time.Time         { return n.modTime }
func (n *node) IsDir() bool                { return n.mode.IsDir() }
func (n *node) Sys() any                   { return nil }
func (n *node) Info() (fs.FileInfo, error) { return n, nil }

// maxDepth bounds how many directories the names of an archive make.
const maxDepth = 64

var errDepth = errors.New("path is too deep")

// add puts a node into the tree, with the directories above it. A later entry of the same name
// replaces an earlier one, as it does when an archive is unpacked.
func (a *FS) add(n *node) error {
	parts := strings.Split(n.name, "/")
	if n.name == "" {
		return nil // the archive's own root
	}
	if len(parts) > maxDepth {
		return errDepth
	}
	dir := a.root
	for i, part := range parts[:len(parts)-1] {
		sub := dir.children[part]
		if sub == nil || !sub.IsDir() {
			sub = newDir(path.Join(parts[:i+1]...))
			dir.children[part] = sub
		}
		dir = sub
	}
	last := parts[len(parts)-1]
	if n.IsDir() {
		n.children = map[string]*node{}
		if old := dir.children[last]; old != nil && old.IsDir() {
			n.children = old.children
		}
	}
	dir.children[last] = n
	return nil
}

func (a *FS) lookup(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n := a.root
	if name == "." {
		return n, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if n = n.children[part]; n == nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
	}
	return n, nil
}

// Stat describes a file or directory.
func (a *FS) Stat(name string) (fs.FileInfo, error) {
	n, err := a.lookup("stat", name)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// ReadDir lists a directory in the order of its names.
func (a *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := a.lookup("readdir", name)
	if err != nil {
		return nil, err
	}
	if !n.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
	}
	return n.entries(), nil
}

func (n *node) entries() []fs.DirEntry {
	list := make([]fs.DirEntry, 0, len(n.children))
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		list = append(list, n.children[name])
	}
	return list
}

// Open opens a file or directory. A file can be read at any offset. The error is ErrNotKept if the
// file was not unpacked.
func (a *FS) Open(name string) (fs.File, error) {
	n, err := a.lookup("open", name)
	if err != nil {
		return nil, err
	}
	switch {
	case n.IsDir():
		return &openDir{node: n, rest: n.entries()}, nil
	case n.data == nil:
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrNotKept}
	}
	return &openFile{SectionReader: io.NewSectionReader(n.data, 0, n.size), node: n}, nil
}

type openFile struct {
	*io.SectionReader
	node *node
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.node, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	node *node
	rest []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.node, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.node.name, Err: errors.New("is a directory")}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF // all were listed
	}
	n = min(n, len(d.rest))
	list := d.rest[:n:n]
	d.rest = d.rest[n:]
	return list, nil
}
