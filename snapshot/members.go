package snapshot

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// Member is a member of the cluster, as the store lists it.
type Member struct {
	ID         uint64
	Name       string   // empty until the member has published it
	PeerURLs   []string // where the other members reach it
	ClientURLs []string // where clients do; nil until the member has published them
	Learner    bool
}

// Membership is what etcd itself keeps in the store.
type Membership struct {
	Members []Member // by ID
	Removed []uint64 // the IDs of members that were removed and can't come back, ascending

	// Version is that of the cluster, such as 3.5.0; empty if none is set: by a restore, by etcd 2.0,
	// and in a cluster's first moments.
	Version string
}

// raftAttributes and attributes are the values of a member's two keys.
type raftAttributes struct {
	PeerURLs  []string `json:"peerURLs"`
	IsLearner bool     `json:"isLearner,omitempty"`
}

type attributes struct {
	Name       string   `json:"name,omitempty"`
	ClientURLs []string `json:"clientURLs,omitempty"`
}

// Membership returns the members of the cluster. The error is for a member that etcd could not
// read: releases up to 3.5 end on it, later ones have the membership from their database.
func (s *Store) Membership() (Membership, error) {
	var m Membership
	top := s.Root.Child(clusterName)
	if n := top.Child(versionName); n != nil {
		m.Version = n.Value
	}
	if dir := top.Child(membersName); dir != nil {
		for _, n := range dir.Children {
			member, err := readMember(n)
			if err != nil {
				return Membership{}, fmt.Errorf("v2 store: %s: %w", n.Path, err)
			}
			m.Members = append(m.Members, member)
		}
	}
	if dir := top.Child(removedName); dir != nil {
		for _, n := range dir.Children {
			id, err := parseID(n.Name)
			if err != nil {
				return Membership{}, fmt.Errorf("v2 store: %s: %w", n.Path, err)
			}
			m.Removed = append(m.Removed, id)
		}
	}
	slices.SortFunc(m.Members, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	slices.Sort(m.Removed)
	return m, nil
}

// parseID reads an ID as etcd writes it: hex digits, as many as it takes.
func parseID(name string) (uint64, error) {
	id, err := strconv.ParseUint(name, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("name %q, want a member's ID", name)
	}
	return id, nil
}

// readMember reads a member's directory. It has no attributes until the member has published them.
func readMember(n *Node) (Member, error) {
	id, err := parseID(n.Name)
	if err != nil {
		return Member{}, err
	}
	for _, c := range n.Children {
		if c.Name != raftName && c.Name != attributesName {
			return Member{}, fmt.Errorf("unknown key %q", c.Name)
		}
	}
	var r raftAttributes
	if err := readValue(n.Child(raftName), &r); err != nil {
		return Member{}, fmt.Errorf("%s: %w", raftName, err)
	}
	var a attributes
	if c := n.Child(attributesName); c != nil {
		if err := readValue(c, &a); err != nil {
			return Member{}, fmt.Errorf("%s: %w", attributesName, err)
		}
	}
	return Member{id, a.Name, r.PeerURLs, a.ClientURLs, r.IsLearner}, nil
}

func readValue(n *Node, to any) error {
	if n == nil {
		return fmt.Errorf("no such key")
	}
	return json.Unmarshal([]byte(n.Value), to)
}
