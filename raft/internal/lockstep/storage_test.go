package lockstep

import (
	"errors"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
	refraft "go.etcd.io/raft/v3"
	refpb "go.etcd.io/raft/v3/raftpb"
)

// ourStorage is a MemoryStorage whose application keeps the membership as of the applied index, and
// whose snapshots take time.
type ourStorage struct {
	*raft.MemoryStorage
	conf raftpb.ConfState
	busy bool
	// fails, if not nil, decides whether a call fails. There is no counterpart: the reference
	// panics.
	fails func() bool
}

var errDisk = errors.New("the disk is on fire")

func (s *ourStorage) failing() bool { return s.fails != nil && s.fails() }

func (s *ourStorage) InitialState() (raftpb.HardState, raftpb.ConfState, error) {
	hs, _, err := s.MemoryStorage.InitialState()
	if s.failing() {
		err = errDisk
	}
	return hs, s.conf, err
}

func (s *ourStorage) Snapshot() (raftpb.Snapshot, error) {
	switch {
	case s.busy:
		return raftpb.Snapshot{}, raft.ErrSnapshotTemporarilyUnavailable
	case s.failing():
		return raftpb.Snapshot{}, errDisk
	}
	return s.MemoryStorage.Snapshot()
}

func (s *ourStorage) Entries(lo, hi, maxSize uint64) ([]raftpb.Entry, error) {
	if s.failing() {
		return nil, errDisk
	}
	return s.MemoryStorage.Entries(lo, hi, maxSize)
}

func (s *ourStorage) Term(index uint64) (uint64, error) {
	if s.failing() {
		return 0, errDisk
	}
	return s.MemoryStorage.Term(index)
}

func (s *ourStorage) FirstIndex() (uint64, error) {
	if s.failing() {
		return 0, errDisk
	}
	return s.MemoryStorage.FirstIndex()
}

func (s *ourStorage) LastIndex() (uint64, error) {
	if s.failing() {
		return 0, errDisk
	}
	return s.MemoryStorage.LastIndex()
}

// refStorage is the same for the reference.
type refStorage struct {
	*refraft.MemoryStorage
	conf *refpb.ConfState
	busy bool
}

func (s *refStorage) InitialState() (*refpb.HardState, *refpb.ConfState, error) {
	hs, _, err := s.MemoryStorage.InitialState()
	return hs, s.conf, err
}

func (s *refStorage) Snapshot() (*refpb.Snapshot, error) {
	if s.busy {
		return nil, refraft.ErrSnapshotTemporarilyUnavailable
	}
	return s.MemoryStorage.Snapshot()
}
