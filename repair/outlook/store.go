package outlook

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// store is the v2 store in a .snap file, so far as it bears on what etcd does.
type store struct {
	version string // of the cluster; empty if none is set
	custom  string // a key of v2 clients; empty if there are none that 3.6 minds
}

// errStore is returned for a .snap file that is intact and whose v2 store can't be read. etcd 3.4
// to 3.6 end on it when they start from it.
var errStore = errors.New("the v2 store in it can't be read")

// storeNode is a node of the v2 store, as etcd writes it into a .snap file.
type storeNode struct {
	Path     string
	Value    string
	Children map[string]*storeNode
}

func (n *storeNode) child(names ...string) *storeNode {
	for _, name := range names {
		if n == nil {
			return nil
		}
		n = n.Children[name]
	}
	return n
}

// parseStore reads the data of a .snap file. That of a release which no longer writes it is empty.
func parseStore(data []byte) (s store, err error) {
	if len(data) == 0 {
		return s, nil
	}
	var file struct{ Root *storeNode }
	if err := json.Unmarshal(data, &file); err != nil {
		return s, fmt.Errorf("%w: %w", errStore, err)
	}
	if n := file.Root.child("0", "version"); n != nil {
		s.version = n.Value
	}
	if file.Root != nil {
		s.custom = file.Root.customKey()
	}
	return s, nil
}

// customKey returns a key that 3.6 refuses to start with: any below a top directory but etcd's own,
// 0, and below 2, which holds users and roles, any in a directory in it.
func (n *storeNode) customKey() string {
	names := make([]string, 0, len(n.Children))
	for name := range n.Children {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		child := n.Children[name]
		if child == nil || name == "0" || len(child.Children) == 0 {
			continue
		}
		if name != "2" {
			return child.anyKey()
		}
		for _, c := range child.Children {
			if c != nil && len(c.Children) > 0 {
				return c.anyKey()
			}
		}
	}
	return ""
}

// anyKey returns the path of the node, or of a child.
func (n *storeNode) anyKey() string {
	for _, c := range n.Children {
		if c != nil && c.Path != "" {
			return c.Path
		}
	}
	return n.Path
}
