package outlook

import (
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/snapshot"
)

// store is the v2 store in a .snap file, so far as it bears on what etcd does.
type store struct {
	version string // of the cluster; empty if none is set
	custom  string // a key of v2 clients; empty if there are none that 3.6 minds
}

// errStore is returned for a .snap file that is intact and whose v2 store can't be read. etcd 3.4
// to 3.6 end on it when they start from it.
var errStore = errors.New("the v2 store in it can't be read")

// parseStore reads the data of a .snap file. That of a release which no longer writes it is empty.
func parseStore(data []byte) (store, error) {
	s, err := snapshot.ParseStore(data)
	if err != nil {
		return store{}, fmt.Errorf("%w: %w", errStore, err)
	}
	var out store
	if n := s.Root.Child("0", "version"); n != nil {
		out.version = n.Value
	}
	if s.Root != nil {
		out.custom = customKey(s.Root)
	}
	return out, nil
}

// customKey returns a key that 3.6 refuses to start with: any below a top directory but etcd's own,
// 0, and below 2, which holds users and roles, any in a directory in it.
func customKey(root *snapshot.Node) string {
	for _, top := range root.Children {
		if top.Name == "0" || len(top.Children) == 0 {
			continue
		}
		if top.Name != "2" {
			return anyKey(top)
		}
		for _, c := range top.Children {
			if len(c.Children) > 0 {
				return anyKey(c)
			}
		}
	}
	return ""
}

// anyKey returns the path of a child, or else of the node.
func anyKey(n *snapshot.Node) string {
	for _, c := range n.Children {
		if c.Path != "" {
			return c.Path
		}
	}
	return n.Path
}
