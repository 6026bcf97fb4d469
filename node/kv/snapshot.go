package kv

import (
	"io"
	"slices"

	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/schema"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
)

// Snapshot is the database as of one entry. It stays so while entries are applied: whoever has it closes
// it, for the room in the database is not used again until then.
type Snapshot struct {
	ID   raftpb.EntryID // the last entry in it
	Size int64          // bytes of what WriteTo writes

	snap backend.Snapshot
}

// Snapshot takes a snapshot of what was applied. It is called between two calls of Apply.
func (s *Store) Snapshot() (*Snapshot, error) {
	var snap *Snapshot
	err := s.failure.guard(func() error {
		s.kv.Commit()
		b := s.backend.Snapshot()
		snap = &Snapshot{s.Applied(), b.Size(), b}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return snap, nil
}

// WriteTo writes the database, a bbolt file, in one go.
func (s *Snapshot) WriteTo(w io.Writer) (int64, error) { return s.snap.WriteTo(w) }

// Close lets go of the snapshot.
func (s *Snapshot) Close() error { return s.snap.Close() }

// Membership returns the members, those that were removed and the version of the cluster, as a .snap file
// has them.
func (s *Store) Membership() (snapshot.Membership, error) {
	var m snapshot.Membership
	err := s.failure.guard(func() error {
		m = s.membership()
		return nil
	})
	return m, err
}

func (s *Store) membership() (m snapshot.Membership) {
	for _, x := range s.cluster.Members() {
		m.Members = append(m.Members, snapshot.Member{ID: uint64(x.ID), Name: x.Name, PeerURLs: x.PeerURLs,
			ClientURLs: x.ClientURLs, Learner: x.IsLearner})
	}
	_, removed := schema.NewMembershipBackend(s.lg, s.database()).MustReadMembersFromBackend()
	for id := range removed {
		m.Removed = append(m.Removed, uint64(id))
	}
	slices.Sort(m.Removed)
	if v := s.cluster.Version(); v != nil {
		m.Version = v.String()
	}
	return m
}
