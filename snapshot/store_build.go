package snapshot

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
)

// storeVersion is that of the format, which has never changed.
const storeVersion = 2

// NewStore returns the store of a cluster without keys of v2 clients, as etcd 3.6 and 3.7 make it
// for every snapshot, and the restore of each release up to 3.7: as if the members had been added
// to an empty store, then those removed that were, then the version set. A server of 3.4 and 3.5
// writes the store that it has, of the same form; its indexes tell of a longer history.
//
// It differs from what etcd makes in the order of the members, which is by ID here and random
// there, and for a member with a name and no client URLs, whose name etcd 3.6 and 3.7 leave out.
func NewStore(m Membership) (*Store, error) {
	s := &Store{Root: &Node{Path: "/", Dir: true}, version: storeVersion}
	for _, name := range []string{clusterName, keysName} {
		s.Root.Children = append(s.Root.Children, &Node{Name: name, Path: "/" + name, Dir: true})
	}
	b := &builder{store: s}
	if err := b.membership(m); err != nil {
		return nil, err
	}
	s.watcher = history(b.events)
	s.stats = fmt.Sprintf(stats, 1, b.sets, b.creates) // etcd looks for members first, and finds none
	return s, nil
}

// SetMembership replaces the membership in the store and leaves the keys of v2 clients as they are.
// The history of events is emptied: what is in it ends at another index, and etcd 3.4 and 3.5 look
// an event up by counting from the first.
func (s *Store) SetMembership(m Membership) error {
	if s.Root == nil {
		built, err := NewStore(m)
		if err == nil {
			*s = *built
		}
		return err
	}
	old := s.Root.Children
	top := slices.DeleteFunc(slices.Clone(old), func(n *Node) bool { return n.Name == clusterName })
	top = append(top, &Node{Name: clusterName, Path: "/" + clusterName, Dir: true})
	s.Root.Children = sortNodes(top)
	b := &builder{store: s, before: s.CurrentIndex}
	if err := b.membership(m); err != nil {
		s.Root.Children, s.CurrentIndex = old, b.before
		return err
	}
	s.watcher = history(nil)
	return nil
}

// builder makes changes to a store as etcd does, one index after the other.
type builder struct {
	store         *Store
	before        uint64 // CurrentIndex before the first change
	events        []event
	creates, sets int
}

// event is an event of the history.
type event struct {
	Action string    `json:"action"`
	Node   eventNode `json:"node"`
}

type eventNode struct {
	Key      string `json:"key"`
	Value    string `json:"value"`
	Modified uint64 `json:"modifiedIndex"`
	Created  uint64 `json:"createdIndex"`
}

func (b *builder) membership(m Membership) error {
	members := slices.SortedFunc(slices.Values(m.Members),
		func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	for i := range members {
		if err := b.member(&members[i]); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(slices.Values(m.Removed)) {
		if err := b.create("", removedName, formatID(id)); err != nil {
			return err
		}
	}
	if m.Version != "" {
		b.set(m.Version, versionName)
	}
	return nil
}

func (b *builder) member(m *Member) error {
	value, err := json.Marshal(raftAttributes{m.PeerURLs, m.Learner})
	if err != nil {
		return err // never: strings and a bool
	}
	id := formatID(m.ID)
	if err := b.create(string(value), membersName, id, raftName); err != nil {
		return err
	}
	if m.Name == "" && m.ClientURLs == nil {
		return nil
	}
	if value, err = json.Marshal(attributes{m.Name, m.ClientURLs}); err != nil {
		return err
	}
	b.set(string(value), membersName, id, attributesName)
	return nil
}

// formatID spells an ID as etcd does, without leading zeros.
func formatID(id uint64) string { return strconv.FormatUint(id, 16) }

func (b *builder) create(value string, names ...string) error {
	if b.store.Root.Child(clusterName).Child(names...) != nil {
		return fmt.Errorf("v2 store: /%s/%s is there twice", clusterName, path.Join(names...))
	}
	b.creates++
	b.change("create", value, names)
	return nil
}

func (b *builder) set(value string, names ...string) {
	b.sets++
	b.change("set", value, names)
}

// change makes a key, and the directories that lead to it.
func (b *builder) change(action, value string, names []string) {
	b.store.CurrentIndex++
	index := b.store.CurrentIndex
	n := b.store.Root.Child(clusterName)
	for _, name := range names {
		child := n.Child(name)
		if child == nil {
			child = &Node{Name: name, Path: path.Join(n.Path, name), Created: index, Modified: index}
			n.Children, n.Dir = sortNodes(append(n.Children, child)), true
		}
		n = child
	}
	n.Value = value
	b.events = append(b.events, event{action, eventNode{n.Path, value, index, index}})
}
