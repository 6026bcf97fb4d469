package database

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Member is a member of the cluster, as the database has it.
type Member struct {
	ID         uint64
	Name       string // empty until the member has started
	PeerURLs   []string
	ClientURLs []string
	Learner    bool
}

// Members are those of a cluster, and those that were.
type Members struct {
	Members []Member // by ascending ID
	Removed []uint64 // ascending; their IDs can never be used again
}

// Knows reports whether a member is one of them, or was.
func (m *Members) Knows(id uint64) bool {
	return slices.ContainsFunc(m.Members, func(x Member) bool { return x.ID == id }) || slices.Contains(m.Removed, id)
}

// maxListed bounds how many members, users, roles and alarms of a database are listed.
const maxListed = 10_000

var errTooMany = fmt.Errorf("more than %d", maxListed)

// Members reads the buckets members and members_removed. The error joins all items that can't be read;
// the others are there all the same.
func (db *DB) Members() (*Members, error) {
	m := new(Members)
	err := errors.Join(db.readItems(bucketMembers, m.add), db.readItems(bucketRemoved, m.addRemoved))
	slices.SortFunc(m.Members, func(a, b Member) int { return compareID(a.ID, b.ID) })
	slices.Sort(m.Removed)
	return m, err
}

func (m *Members) add(key string, value []byte) error {
	id, err := parseMemberID(key)
	if err != nil {
		return err
	}
	var j struct {
		ID         uint64   `json:"id"`
		PeerURLs   []string `json:"peerURLs"`
		IsLearner  bool     `json:"isLearner"`
		Name       string   `json:"name"`
		ClientURLs []string `json:"clientURLs"`
	}
	if err := json.Unmarshal(value, &j); err != nil {
		return err
	}
	if j.ID != id {
		return fmt.Errorf("it describes member %x", j.ID)
	}
	if len(m.Members) == maxListed {
		return errTooMany
	}
	m.Members = append(m.Members, Member{id, j.Name, j.PeerURLs, j.ClientURLs, j.IsLearner})
	return nil
}

func (m *Members) addRemoved(key string, _ []byte) error {
	id, err := parseMemberID(key)
	if err == nil && len(m.Removed) == maxListed {
		err = errTooMany
	}
	if err != nil {
		return err
	}
	m.Removed = append(m.Removed, id)
	return nil
}

// parseMemberID reads a member's ID as etcd spells it: in hex, without leading zeros.
func parseMemberID(key string) (uint64, error) {
	id, err := strconv.ParseUint(key, 16, 64)
	if err != nil || strconv.FormatUint(id, 16) != key {
		return 0, errors.New("want a member's ID, in lower-case hex without leading zeros")
	}
	return id, nil
}

func compareID(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
