package node

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/pkg/v3/idutil"
	"go.etcd.io/etcd/pkg/v3/wait"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3compactor"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/node/peer"
	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// Node is a running member. Its methods may be called from several goroutines.
type Node struct {
	cfg     Config
	log     *slog.Logger
	cluster uint64 // the ID of the cluster

	wal       *wal.Writer
	memory    *memory
	store     *kv.Store
	transport peer.Transport
	listeners []net.Listener       // of the peers' ports
	recorder  *recorder            // nil: messages are not recorded
	strangers []*membership.Member // of a cluster that this member joins, before its log tells of them

	standing    standing
	appliedWait wait.WaitTime // for entries to be applied
	appended    wait.WaitTime // for the log to say that entries are committed
	waiters     *waiters
	space       spaceAlarm
	versions    *versions
	metrics     *metrics
	compactor   v3compactor.Compactor // nil: none is asked for
	ids         *idutil.Generator

	loop     *loop
	appender *appender
	applier  *applier
	reads    *reads

	ctx      context.Context // ends when the member begins to stop; its cause says why
	cancel   context.CancelCauseFunc
	running  sync.WaitGroup
	ready    chan struct{}
	done     chan struct{}
	closeErr error // of closing the files; read after done
}

// Ready is closed when the member has told the cluster its name and client URLs: it serves from then on.
func (n *Node) Ready() <-chan struct{} { return n.ready }

// Stopping is closed when the member begins to stop, for whatever reason.
func (n *Node) Stopping() <-chan struct{} { return n.ctx.Done() }

// Done is closed when nothing of the member runs any more; Err then tells why.
func (n *Node) Done() <-chan struct{} { return n.done }

// Err returns why the member stopped by itself: nil while it runs, and after Stop.
func (n *Node) Err() error {
	if err := context.Cause(n.ctx); err != errStop {
		return err
	}
	return nil
}

// Config returns what the member runs with, defaults filled in.
func (n *Node) Config() *Config { return &n.cfg }

// Store returns the state machine.
func (n *Node) Store() *kv.Store { return n.store }

// ID returns the member's ID.
func (n *Node) ID() uint64 { return n.standing.id }

// ClusterID returns the ID of the member's cluster.
func (n *Node) ClusterID() uint64 { return n.cluster }

// Status returns where the member stands. It waits for nothing.
func (n *Node) Status() Status {
	s := &n.standing
	learners := n.memory.applied.Load().ConfState.Learners
	return Status{
		Term: s.term.Load(), Lead: s.lead.Load(), Committed: s.committed.Load(), Applied: s.applied.Load(),
		Role: raft.StateType(s.role.Load()), Learner: slices.Contains(learners, s.id), Snapshots: int(n.memory.holds.Load()),
	}
}

// LeaderChanged returns a channel that is closed at the next change of leader, or loss of it.
func (n *Node) LeaderChanged() <-chan struct{} { return n.standing.leaderChanged() }

// HasLeader reports whether the member knows a leader.
func (n *Node) HasLeader() bool { return n.standing.lead.Load() != raftpb.None }

// AppliedWait returns a channel that is closed when the entry at index is applied.
func (n *Node) AppliedWait(index uint64) <-chan struct{} { return n.appliedWait.Wait(index) }

// Commit returns when all that was applied is in the database's file.
func (n *Node) Commit(ctx context.Context) error { return n.onApplier(ctx, n.store.Commit) }

// Snapshot takes a snapshot of what was applied. Whoever has it closes it.
func (n *Node) Snapshot(ctx context.Context) (*kv.Snapshot, error) {
	var (
		mu    sync.Mutex
		taken *kv.Snapshot
		gone  bool // who has asked
	)
	err := n.onApplier(ctx, func() error {
		s, err := n.store.Snapshot()
		mu.Lock()
		defer mu.Unlock()
		if gone && err == nil {
			return s.Close()
		}
		taken = s
		return err
	})
	mu.Lock()
	defer mu.Unlock()
	if err == nil {
		return taken, nil
	}
	gone = true
	if taken != nil {
		err = errors.Join(err, taken.Close())
	}
	return nil, err
}

// Defragment rewrites the database without the room that nothing uses; nothing is applied meanwhile.
func (n *Node) Defragment(ctx context.Context) error { return n.onApplier(ctx, n.store.Defrag) }

// RequestTimeout is how long etcd waits for a request to be committed and applied: 5 s and two election timeouts.
func (n *Node) RequestTimeout() time.Duration { return 5*time.Second + 2*n.cfg.ElectionTimeout }

func hex(id uint64) string { return strconv.FormatUint(id, 16) }

func typesID(id uint64) types.ID { return types.ID(id) }
