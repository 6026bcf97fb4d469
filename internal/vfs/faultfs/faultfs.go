package faultfs

import (
	"cmp"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/raftctl/raftctl/internal/vfs"
)

var _ vfs.FS = (*FS)(nil)

// FS is a file system in memory. Its methods may be called from several goroutines.
type FS struct {
	mu    sync.Mutex
	root  *node
	names []rename // changes of names that no SyncDir has made durable, in order
	n     int      // operations so far
	watch func(Op) error
	space int64 // bytes left on the disk
}

// rename is one change of names: an entry that appears, one that goes, or both.
type rename struct{ entries []entry }

type entry struct {
	dir  *node
	name string
	node *node // nil if the entry goes
}

func (r rename) apply() {
	for _, e := range r.entries {
		set(e.dir.diskKids, e.name, e.node)
	}
}

func (r rename) touches(dir *node) bool {
	return slices.ContainsFunc(r.entries, func(e entry) bool { return e.dir == dir })
}

func set(kids map[string]*node, name string, n *node) {
	if n == nil {
		delete(kids, name)
		return
	}
	kids[name] = n
}

// New returns an empty file system with room for everything.
func New() *FS { return &FS{root: newDir("/", 0o777), space: roomy} }

// roomy is more bytes than any test writes.
const roomy = 1 << 50

// Watch sets a function that is called ahead of every operation, one at a time. An error that it
// returns becomes the operation's. It must not use the file system. Nil removes it.
func (f *FS) Watch(watch func(Op) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watch = watch
}

// FailAt makes operation number i (see [Op]) fail with ErrInjected; it may be called again for
// another one.
func (f *FS) FailAt(i int) {
	f.Watch(func(op Op) error {
		if op.N == i {
			return ErrInjected
		}
		return nil
	})
}

// Ops returns how many operations were done so far.
func (f *FS) Ops() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// SetSpace sets how many bytes are left on the disk.
func (f *FS) SetSpace(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.space = n
}

// Locked returns the paths of the files that are locked, sorted.
func (f *FS) Locked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var locked []string
	var walk func(dir *node, at string)
	walk = func(dir *node, at string) {
		for name, n := range dir.kids {
			if n.isDir() {
				walk(n, path.Join(at, name))
			} else if n.owner != nil {
				locked = append(locked, path.Join(at, name))
			}
		}
	}
	walk(f.root, "")
	slices.Sort(locked)
	return locked
}

// begin counts an operation and asks whether it fails. The caller holds mu.
func (f *FS) begin(k Kind, name string) error {
	op := Op{N: f.n, Kind: k, Name: name}
	f.n++
	if f.watch == nil {
		return nil
	}
	if err := f.watch(op); err != nil {
		return &fs.PathError{Op: string(k), Path: name, Err: err}
	}
	return nil
}

// find returns the node of a path, and the folder that it lies or would lie in. Node is nil if
// there is none.
func (f *FS) find(k Kind, name string) (dir *node, base string, n *node, err error) {
	clean := strings.Trim(path.Clean(filepath.ToSlash(name)), "/")
	if clean == "." || clean == "" {
		return nil, "", f.root, nil
	}
	n = f.root
	for part := range strings.SplitSeq(clean, "/") {
		if n == nil || !n.isDir() {
			return nil, "", nil, &fs.PathError{Op: string(k), Path: name, Err: syscall.ENOENT}
		}
		dir, base, n = n, part, n.kids[part]
	}
	return dir, base, n, nil
}

// existing is find for what must be there.
func (f *FS) existing(k Kind, name string) (dir *node, base string, n *node, err error) {
	dir, base, n, err = f.find(k, name)
	if err == nil && n == nil {
		err = &fs.PathError{Op: string(k), Path: name, Err: syscall.ENOENT}
	}
	return dir, base, n, err
}

// change does a change of names, and remembers it until it is synced.
func (f *FS) change(entries ...entry) {
	for _, e := range entries {
		set(e.dir.kids, e.name, e.node)
	}
	f.names = append(f.names, rename{entries})
}

// Open implements [vfs.FS].
func (f *FS) Open(name string) (vfs.File, error) { return f.OpenFile(name, os.O_RDONLY, 0) }

// OpenFile implements [vfs.FS].
func (f *FS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(OpOpen, name); err != nil {
		return nil, err
	}
	dir, base, n, err := f.find(OpOpen, name)
	if err == nil {
		err = openError(n, flag)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if n == nil {
		n = newFile(base, perm)
		f.change(entry{dir, base, n})
	}
	if flag&os.O_TRUNC != 0 && len(n.data) > 0 {
		n.resize(0)
	}
	return &file{fs: f, node: n, name: name, writable: flag&(os.O_WRONLY|os.O_RDWR) != 0}, nil
}

func openError(n *node, flag int) error {
	writes := flag&(os.O_WRONLY|os.O_RDWR) != 0
	switch {
	case n == nil && flag&os.O_CREATE == 0:
		return syscall.ENOENT
	case n != nil && flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return syscall.EEXIST
	case n != nil && n.isDir() && writes:
		return syscall.EISDIR
	}
	return nil
}

// Stat implements [vfs.FS].
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(OpStat, name); err != nil {
		return nil, err
	}
	_, base, n, err := f.existing(OpStat, name)
	if err != nil {
		return nil, err
	}
	return n.info(cmp.Or(base, ".")), nil
}

// ReadDir implements [vfs.FS].
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(OpReadDir, name); err != nil {
		return nil, err
	}
	_, _, n, err := f.existing(OpReadDir, name)
	if err != nil {
		return nil, err
	}
	var list []fs.DirEntry
	for _, base := range slices.Sorted(maps.Keys(n.kids)) {
		list = append(list, n.kids[base].info(base))
	}
	return list, nil
}
