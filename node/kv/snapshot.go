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
func (s *Store) Snapshot() (snap *Snapshot, err error) {
	err = s.failure.guard(func() error {
		s.kv.Commit()
		b := s.backend.Snapshot()
		snap = &Snapshot{s.applied, b.Size(), b}
		return nil
	})
	return snap, err
}

// WriteTo writes the database, a bbolt file, in one go.
func (s *Snapshot) WriteTo(w io.Writer) (int64, error) { return s.snap.WriteTo(w) }

// Close lets go of the snapshot.
func (s *Snapshot) Close() error { return s.snap.Close() }

// Membership returns the members, those that were removed and the version of the cluster, as a .snap file
// has them.
func (s *Store) Membership() snapshot.Membership {
	var m snapshot.Membership
	for _, x := range s.cluster.Members() {
		m.Members = append(m.Members, snapshot.Member{ID: uint64(x.ID), Name: x.Name, PeerURLs: x.PeerURLs,
			ClientURLs: x.ClientURLs, Learner: x.IsLearner})
	}
	_, removed := schema.NewMembershipBackend(s.lg, s.backend).MustReadMembersFromBackend()
	for id := range removed {
		m.Removed = append(m.Removed, uint64(id))
	}
	slices.Sort(m.Removed)
	if v := s.cluster.Version(); v != nil {
		m.Version = v.String()
	}
	return m
}
