package faultfs

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Rename implements [vfs.FS].
func (f *FS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(OpRename, from); err != nil {
		return err
	}
	fromDir, fromBase, n, err := f.existing(OpRename, from)
	if err != nil {
		return err
	}
	toDir, toBase, old, err := f.find(OpRename, to)
	if err != nil {
		return err
	}
	if old != nil && (old.isDir() != n.isDir() || len(old.kids) > 0) {
		return &fs.PathError{Op: "rename", Path: to, Err: syscall.ENOTEMPTY}
	}
	f.change(entry{fromDir, fromBase, nil}, entry{toDir, toBase, n})
	return nil
}

// Exchange implements [vfs.Exchange]. A crash leaves it done or not.
func (f *FS) Exchange(a, b string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(OpExchange, a); err != nil {
		return err
	}
	dirA, baseA, nodeA, err := f.existing(OpExchange, a)
	if err != nil {
		return err
	}
	dirB, baseB, nodeB, err := f.existing(OpExchange, b)
	if err != nil {
		return err
	}
	f.change(entry{dirA, baseA, nodeB}, entry{dirB, baseB, nodeA})
	return nil
}

// Adopt implements [vfs.Adopt]. There are no owners.
func (f *FS) Adopt(name string, _ fs.FileInfo, perm fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(OpAdopt, name); err != nil {
		return err
	}
	_, _, n, err := f.existing(OpAdopt, name)
	if err == nil {
		n.mode = n.mode&^fs.ModePerm | perm.Perm()
	}
	return err
}

// Remove implements [vfs.FS].
func (f *FS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(OpRemove, name); err != nil {
		return err
	}
	dir, base, n, err := f.existing(OpRemove, name)
	if err != nil {
		return err
	}
	if len(n.kids) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: syscall.ENOTEMPTY}
	}
	f.space += n.used
	f.change(entry{dir, base, nil})
	return nil
}

// RemoveAll implements [vfs.FS]. A crash leaves all of it or nothing.
func (f *FS) RemoveAll(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(OpRemoveAll, name); err != nil {
		return err
	}
	if dir, base, n, err := f.find(OpRemoveAll, name); err == nil && n != nil {
		f.change(entry{dir, base, nil})
	}
	return nil
}

// MkdirAll implements [vfs.FS].
func (f *FS) MkdirAll(name string, perm fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(OpMkdir, name); err != nil {
		return err
	}
	n := f.root
	for part := range strings.SplitSeq(strings.Trim(path.Clean(filepath.ToSlash(name)), "/"), "/") {
		kid := n.kids[part]
		if kid != nil && !kid.isDir() {
			return &fs.PathError{Op: "mkdir", Path: name, Err: syscall.ENOTDIR}
		}
		if kid == nil {
			kid = newDir(part, perm)
			f.change(entry{n, part, kid})
		}
		n = kid
	}
	return nil
}

// SyncDir implements [vfs.FS].
func (f *FS) SyncDir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(OpSyncDir, name); err != nil {
		return err
	}
	_, _, n, err := f.existing(OpSyncDir, name)
	if err != nil {
		return err
	}
	f.names = flush(f.names, n)
	return nil
}

// flush applies the changes of names that touch a folder, and what came before these with the same names: a
// name never gets back an older meaning. It returns the others.
func flush(changes []rename, dir *node) (left []rename) {
	type place struct {
		dir  *node
		name string
	}
	places := map[place]bool{}
	flushed := make([]bool, len(changes))
	for i := len(changes) - 1; i >= 0; i-- {
		r := changes[i]
		flushed[i] = r.touches(dir) || slices.ContainsFunc(r.entries, func(e entry) bool { return places[place{e.dir, e.name}] })
		for _, e := range r.entries {
			places[place{e.dir, e.name}] = places[place{e.dir, e.name}] || flushed[i]
		}
	}
	for i, r := range changes {
		if flushed[i] {
			r.apply()
		} else {
			left = append(left, r)
		}
	}
	return left
}
