package node

import (
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// Status is where a member stands.
type Status struct {
	Term, Lead         uint64
	Committed, Applied uint64
	Role               raft.StateType
	Learner            bool
	Snapshots          int // being sent
}

// standing is where the member stands, for all goroutines to read.
type standing struct {
	id                             uint64
	term, lead, committed, applied atomic.Uint64
	role                           atomic.Uint32
	forced                         atomic.Bool // a snapshot is to be taken at once

	mu      sync.Mutex
	changed chan struct{} // closed when there is a new leader, or none
	elected time.Time     // when the present leader was first heard of
}

// set takes in what the loop knows, and reports whether there is another leader.
func (s *standing) set(st *raft.BasicStatus) (changed bool) {
	s.term.Store(st.HardState.Term)
	s.committed.Store(st.HardState.Commit)
	s.role.Store(uint32(st.SoftState.RaftState))
	if s.lead.Swap(st.SoftState.Lead) == st.SoftState.Lead {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.SoftState.Lead != raftpb.None {
		s.elected = time.Now()
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return true
}

func (s *standing) leads() bool { return s.lead.Load() == s.id }

func (s *standing) leaderChanged() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *standing) leaderSince() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.elected
}

// The methods by which etcd's applier asks.

// MemberID implements apply.RaftStatusGetter.
func (s *standing) MemberID() types.ID { return types.ID(s.id) }

// Leader implements apply.RaftStatusGetter.
func (s *standing) Leader() types.ID { return types.ID(s.lead.Load()) }

// CommittedIndex implements apply.RaftStatusGetter.
func (s *standing) CommittedIndex() uint64 { return s.committed.Load() }

// AppliedIndex implements apply.RaftStatusGetter.
func (s *standing) AppliedIndex() uint64 { return s.applied.Load() }

// Term implements apply.RaftStatusGetter.
func (s *standing) Term() uint64 { return s.term.Load() }
