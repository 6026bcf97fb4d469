package kv

import (
	"sync/atomic"

	"go.etcd.io/etcd/client/pkg/v3/types"
)

// ownStatus tells etcd's applier how the member stands, where no Raft does.
type ownStatus struct {
	member              types.ID
	index, term         atomic.Uint64
	forceSnapshotCalled func()
}

// MemberID implements apply.RaftStatusGetter.
func (s *ownStatus) MemberID() types.ID { return s.member }

// Leader implements apply.RaftStatusGetter.
func (s *ownStatus) Leader() types.ID { return s.member }

// CommittedIndex implements apply.RaftStatusGetter.
func (s *ownStatus) CommittedIndex() uint64 { return s.index.Load() }

// AppliedIndex implements apply.RaftStatusGetter.
func (s *ownStatus) AppliedIndex() uint64 { return s.index.Load() }

// Term implements apply.RaftStatusGetter.
func (s *ownStatus) Term() uint64 { return s.term.Load() }

// ForceSnapshot implements apply.SnapshotServer.
func (s *ownStatus) ForceSnapshot() {
	if s.forceSnapshotCalled != nil {
		s.forceSnapshotCalled()
	}
}
