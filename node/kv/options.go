package kv

import (
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/etcd/server/v3/etcdserver/apply"

	"github.com/raftctl/raftctl/raftpb"
)

// Options describe a store. The zero value replays a log.
type Options struct {
	Member, Cluster uint64 // IDs of the member that this is, and of its cluster
	MaxLearners     int    // 0 stands for etcd's default, 1

	QuotaBytes         int64         // 0 stands for etcd's default, 2 GiB; below 0 there is none
	MinLeaseTTL        int64         // seconds; 0 stands for 2, which etcd's default election timeout gives
	CheckpointInterval time.Duration // of leases, while this member leads; 0 stands for etcd's default
	CheckpointPersist  bool          // keep what checkpoints say also in a cluster of 3.5; later ones always do

	AuthToken  string        // "simple", which "" stands for, or "jwt,…" as etcd's flag has it
	TokenTTL   time.Duration // of simple tokens; 0 stands for etcd's default, 5 minutes
	BcryptCost int           // of passwords that the log has in plain text; 0 stands for etcd's default, 10

	BatchInterval time.Duration // after which a transaction of the database ends; 0 stands for 100 ms
	BatchLimit    int           // of changes in a transaction; 0 stands for 10,000
	// How many keys a compaction drops at a time, and the pause between; 0 stands for 1,000 and 10 ms.
	CompactionBatch int
	CompactionPause time.Duration

	NoSync bool // for a database that can be made again: a crash may leave it damaged

	// LockTimeout is how long Open waits for another process to let go of the database; 0 stands for a
	// second.
	LockTimeout time.Duration

	// KeepMembers passes over what entries say about members and versions: the store is to become that of
	// another cluster.
	KeepMembers bool

	// WaitCompaction makes Apply return when a compaction is done, and not while it runs on. A replay
	// wants that: its database is then the same each time.
	WaitCompaction bool

	// ConfChange is told of a change of the membership before it is in the database, and returns the
	// membership that Raft has after it. A change with NodeID None was refused. If it is nil, or returns
	// a membership without voters, that is computed from the members in the database.
	ConfChange func(raftpb.ConfChange) (raftpb.ConfState, error)

	Waiters     Waiters                            // nil: nobody waits for results
	AppliedWait func(index uint64) <-chan struct{} // for tokens: closed when the index is applied; nil: always
	Status      apply.RaftStatusGetter             // nil: this member leads itself, as in a replay

	// ForceSnapshot is called when an entry lowers the cluster's version, after which etcd takes a
	// snapshot so that earlier releases needn't read the entries before.
	ForceSnapshot func()

	// NoSpace is called by Apply when a request was refused for lack of space, whoever waits for it. What
	// exceeds the quota first was applied nevertheless: only an alarm, which the callee raises, makes
	// every member refuse what follows.
	NoSpace func()

	// Fatal is called once, on any goroutine, when the database can't be written any more: the store is
	// then of no use, and calls to it may never return. Nil: only the calls that fail tell.
	Fatal func(error)

	Logger *zap.Logger // of etcd's libraries; nil: nothing is logged
}

func (o *Options) setDefaults() {
	if o.MaxLearners == 0 {
		o.MaxLearners = membership.DefaultMaxLearners
	}
	if o.MinLeaseTTL == 0 {
		o.MinLeaseTTL = 2
	}
	if o.AuthToken == "" {
		o.AuthToken = "simple"
	}
	if o.TokenTTL == 0 {
		o.TokenTTL = 5 * time.Minute
	}
	if o.BcryptCost == 0 {
		o.BcryptCost = 10
	}
	if o.LockTimeout == 0 {
		o.LockTimeout = time.Second
	}
	if o.AppliedWait == nil {
		applied := make(chan struct{})
		close(applied)
		o.AppliedWait = func(uint64) <-chan struct{} { return applied }
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
}

// Waiters are the callers on this member that wait for the results of their requests.
type Waiters interface {
	// Waiting reports whether somebody waits for a request. Reads in the log are done only then.
	Waiting(id uint64) bool
	// Done hands over the result.
	Done(id uint64, r Result)
}

// Result is what became of an entry.
type Result struct {
	Resp proto.Message // of a request
	Err  error         // why it was refused; the same on each member

	Compacted <-chan struct{} // of a compaction: closed when it is done

	// ConfChange is the change that an entry asked for, nil if it asked for none. Its NodeID is None if
	// it was refused, and Err says why.
	ConfChange  *raftpb.ConfChange
	RemovedSelf bool // it removed this member
}
