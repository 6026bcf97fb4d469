package snapshot

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// Store is the v2 store of etcd, which a snapshot holds as JSON. The zero value is that of a
// release which writes none.
type Store struct {
	Root         *Node  // nil if there is no store
	CurrentIndex uint64 // the index of its last change: its own count, not the log's

	version int64  // of the format; etcd writes 2
	watcher string // the history of events, as JSON
	stats   string // the statistics, as JSON
}

// Node is a key or a directory of the store.
type Node struct {
	Name     string // the last part of Path
	Path     string // from the root; as the file says, which is not checked against where it lies
	Value    string // of a key
	Created  uint64 // the store's index at which it was made
	Modified uint64 // the store's index at which it was last set
	Expires  time.Time
	Dir      bool
	Children []*Node // of a directory, in ascending order of Name, each name once
}

// Child returns the node that a path of names leads to; nil if there is none, or n is nil.
func (n *Node) Child(names ...string) *Node {
	for _, name := range names {
		if n == nil {
			return nil
		}
		i, ok := slices.BinarySearchFunc(n.Children, name,
			func(c *Node, name string) int { return strings.Compare(c.Name, name) })
		if !ok {
			return nil
		}
		n = n.Children[i]
	}
	return n
}

// All yields the nodes below n, each directory ahead of what lies in it. It yields none if n is
// nil.
func (n *Node) All() iter.Seq[*Node] {
	return func(yield func(*Node) bool) { n.walk(yield) }
}

func (n *Node) walk(yield func(*Node) bool) bool {
	if n == nil {
		return true
	}
	for _, c := range n.Children {
		if !yield(c) || !c.walk(yield) {
			return false
		}
	}
	return true
}

// The top directories of the store, and what etcd keeps in its own.
const (
	clusterName = "0" // the membership
	keysName    = "1" // the keys of v2 clients
	authName    = "2" // their users and roles

	membersName    = "members"
	removedName    = "removed_members"
	versionName    = "version"
	raftName       = "raftAttributes"
	attributesName = "attributes"
)

// Key is a key or a directory of a v2 client.
type Key struct {
	Path     string // as clients name it: /foo for what lies in the store as /1/foo
	Value    string
	Dir      bool
	Created  uint64 // the store's index at which it was made
	Modified uint64 // the store's index at which it was last set

	// Expires is when it goes, if it isn't set again; zero for what stays. Clients are told the time
	// to live that is left until then.
	Expires time.Time
}

// Keys yields the keys and directories of v2 clients, each directory ahead of what lies in it.
func (s *Store) Keys() iter.Seq[Key] {
	return func(yield func(Key) bool) {
		for n := range s.Root.Child(keysName).All() {
			k := Key{Path: strings.TrimPrefix(n.Path, "/"+keysName), Value: n.Value, Dir: n.Dir,
				Created: n.Created, Modified: n.Modified, Expires: n.Expires}
			if !yield(k) {
				return
			}
		}
	}
}

// Auth says what there is for the authentication of v2 clients. It lies below /2 in the store.
type Auth struct {
	Enabled bool
	Users   []string // sorted
	Roles   []string // sorted; guest and root may be among them
}

// Auth returns the users and roles of v2 clients; ok is false if there never were any. A server
// keeps the directories of users and roles when the last of them has gone.
func (s *Store) Auth() (a Auth, ok bool) {
	top := s.Root.Child(authName)
	if top == nil {
		return Auth{}, false
	}
	if n := top.Child("enabled"); n != nil {
		a.Enabled = n.Value == "true"
	}
	return Auth{a.Enabled, names(top.Child("users")), names(top.Child("roles"))}, true
}

func names(dir *Node) []string {
	if dir == nil {
		return nil
	}
	var list []string
	for _, c := range dir.Children {
		list = append(list, c.Name)
	}
	return list
}

// StoreError says that the data of a snapshot is no v2 store that etcd can read. Releases up to 3.6
// end on such data when they start from it.
type StoreError struct {
	Off int64 // where, in bytes from the start of the data
	Err error // what was found, and what was expected
}

// Error formats the error as "v2 store: offset 12: found 'x', want a string".
func (e *StoreError) Error() string { return fmt.Sprintf("v2 store: offset %d: %v", e.Off, e.Err) }

// Unwrap returns Err.
func (e *StoreError) Unwrap() error { return e.Err }
