package restore

import (
	"cmp"
	"crypto/sha1"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/types"
)

// Cluster is who the members of the new cluster are. Its ID, and theirs, are those that every tool of
// etcd makes of the same flags: so the members can be restored one by one, on several machines.
type Cluster struct {
	ID      uint64
	Token   string
	Members []Member // by ascending ID
}

// Member is one of them.
type Member struct {
	ID       uint64
	Name     string
	PeerURLs []string // sorted
}

// ParseCluster reads --initial-cluster, "name=url,name=url": a name that stands there twice has two
// URLs. The checks are etcd's: a scheme of http, https, unix or unixs, a host and a port, no path, and no
// URL twice.
func ParseCluster(initial, token string) (*Cluster, error) {
	urls, err := types.NewURLsMap(initial)
	if err != nil {
		return nil, err
	}
	if len(urls) == 0 {
		return nil, errors.New("no members, want name=url,name=url")
	}
	c := &Cluster{Token: token}
	owner := map[string]string{}
	for name, list := range urls {
		m := Member{Name: name, PeerURLs: list.StringSlice()}
		slices.Sort(m.PeerURLs)
		for _, u := range m.PeerURLs {
			if other, twice := owner[u]; twice {
				return nil, fmt.Errorf("%s is the URL of %s", u, twoNames(other, name))
			}
			owner[u] = name
		}
		m.ID = memberID(m.PeerURLs, token)
		c.Members = append(c.Members, m)
	}
	slices.SortFunc(c.Members, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	c.ID = ClusterID(c.ids())
	return c, c.checkIDs()
}

func twoNames(a, b string) string {
	if a == b {
		return a + " twice"
	}
	return min(a, b) + ", and of " + max(a, b)
}

// checkIDs refuses what one case in many billions brings.
func (c *Cluster) checkIDs() error {
	for i, m := range c.Members {
		if m.ID == 0 || i > 0 && m.ID == c.Members[i-1].ID {
			return fmt.Errorf("member %s gets the ID %x, which etcd can't use; take another token", m.Name, m.ID)
		}
	}
	return nil
}

// idOf returns the first 8 bytes of a SHA-1, which is what etcd takes for an ID.
func idOf(b []byte) uint64 {
	sum := sha1.Sum(b)
	return binary.BigEndian.Uint64(sum[:])
}

// memberID is made of the URLs and the token. The name is not in it.
func memberID(sorted []string, token string) uint64 {
	return idOf([]byte(strings.Join(sorted, "") + token))
}

// ClusterID returns the ID of the cluster that begins with members of these IDs, in ascending order.
func ClusterID(ids []uint64) uint64 {
	var b []byte
	for _, id := range ids {
		b = binary.BigEndian.AppendUint64(b, id)
	}
	return idOf(b)
}

// Member returns the member of a name, or nil.
func (c *Cluster) Member(name string) *Member {
	for i := range c.Members {
		if c.Members[i].Name == name {
			return &c.Members[i]
		}
	}
	return nil
}

// Initial returns the cluster as --initial-cluster has it, by the members' names.
func (c *Cluster) Initial() string {
	var list []string
	for _, m := range c.Members {
		for _, u := range m.PeerURLs {
			list = append(list, m.Name+"="+u)
		}
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}

func (c *Cluster) ids() []uint64 {
	ids := make([]uint64, len(c.Members))
	for i, m := range c.Members {
		ids[i] = m.ID
	}
	return ids
}

// json returns the member as etcd writes it into the log and the database.
func (m *Member) json() []byte {
	b, err := json.Marshal(struct {
		ID       uint64   `json:"id"`
		PeerURLs []string `json:"peerURLs"`
		Name     string   `json:"name,omitempty"`
	}{m.ID, m.PeerURLs, m.Name})
	if err != nil {
		panic(err) // strings and a number: our own bug
	}
	return b
}

// ByName returns the members by their names.
func (c *Cluster) ByName() []Member {
	return slices.SortedFunc(slices.Values(c.Members), func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
}
