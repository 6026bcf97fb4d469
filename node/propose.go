package node

import (
	"context"
	stderrors "errors"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/auth"
	"go.etcd.io/etcd/server/v3/etcdserver/errors"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
)

// maxGap is how far applying may lag behind what is committed before no proposals are taken; it is etcd's.
const maxGap = 5000

var errNoRequest = stderrors.New("a request that asks for nothing")

// Propose has the cluster apply a request, and returns what became of it on this member. It fills in the
// request's header: an ID and, unless a user is named there, the user and auth revision of the Caller, whose
// error it returns. Result.Err is the refusal of the state machine; err says that it isn't known whether the
// request was or will be applied (ErrTimeout and its like), or that it was not taken (ErrTooManyRequests,
// ErrRequestTooLarge, ErrStopped).
func (n *Node) Propose(ctx context.Context, r *etcdserverpb.InternalRaftRequest) (result kv.Result, err error) {
	if n.standing.committed.Load() > n.standing.applied.Load()+maxGap {
		return kv.Result{}, errors.ErrTooManyRequests
	}
	kind := requestKind(r)
	if kind == "" {
		return kv.Result{}, errNoRequest // every member would end on it
	}
	if err := n.fillHeader(ctx, r); err != nil {
		return kv.Result{}, err
	}
	defer func(begun time.Time) { n.CountRequest(kind, begun, err) }(time.Now())
	data, err := proto.Marshal(r)
	if err != nil {
		return kv.Result{}, err
	}
	if len(data) > int(n.cfg.MaxRequestBytes) {
		return kv.Result{}, errors.ErrRequestTooLarge
	}
	ctx, cancel := context.WithTimeout(ctx, n.RequestTimeout())
	defer cancel()
	id := r.GetHeader().GetID()
	if r.GetID() != 0 {
		id = r.GetID()
	}
	p := &proposal{ctx: ctx, data: data}
	result, err = n.await(ctx, id, func(dropped chan<- error) error {
		p.dropped = dropped
		return n.loop.proposals.put(ctx, p, int64(len(data))+minMessageBytes)
	})
	if stderrors.Is(err, errors.ErrTimeout) && !p.taken.Load() {
		return result, context.DeadlineExceeded // as etcd: all the time there was no leader to take it to
	}
	return result, err
}

func (n *Node) fillHeader(ctx context.Context, r *etcdserverpb.InternalRaftRequest) error {
	if r.Header == nil {
		r.Header = &etcdserverpb.RequestHeader{}
	}
	r.Header.ID = n.ids.Next()
	if r.Authenticate != nil || r.Header.Username != "" {
		return nil // the first has no user yet
	}
	who, err := n.Caller(ctx)
	if err != nil || who == nil {
		return err
	}
	r.Header.Username, r.Header.AuthRevision = who.Username, who.Revision
	return nil
}

// Caller returns who makes a request: by the token in the context or, if clients are known by certificates,
// by that. It is nil if the context names nobody.
func (n *Node) Caller(ctx context.Context) (*auth.AuthInfo, error) {
	who, err := n.store.Auth().AuthInfoFromCtx(ctx)
	if who != nil || err != nil || !n.cfg.ClientCertAuth {
		return who, err
	}
	if p, ok := peer.FromContext(ctx); ok {
		if _, ok := p.AuthInfo.(credentials.TLSInfo); ok { // the library takes it for granted
			return n.store.Auth().AuthInfoFromTLS(ctx), nil
		}
	}
	return nil, nil
}

// await hands a proposal on, and waits for its result.
func (n *Node) await(
	ctx context.Context, id uint64, hand func(dropped chan<- error) error,
) (r kv.Result, err error) {
	n.metrics.pending.Inc()
	defer func() {
		n.metrics.pending.Dec()
		if err != nil {
			n.metrics.failed.Inc()
		}
	}()
	began, dropped := time.Now(), make(chan error, 1)
	result := n.waiters.wait(id)
	defer n.waiters.leave(id)
	if err := hand(dropped); err != nil {
		return kv.Result{}, n.ended(ctx, began, err)
	}
	select {
	case r := <-result:
		return n.alarmed(ctx, r), nil
	case err := <-dropped:
		return kv.Result{}, err
	case <-ctx.Done():
		return kv.Result{}, n.ended(ctx, began, nil)
	case <-n.ctx.Done():
		return kv.Result{}, errors.ErrStopped
	}
}

// ended tells why a proposal that began at some time has no result, as far as it can be told.
func (n *Node) ended(ctx context.Context, began time.Time, err error) error {
	switch {
	case n.ctx.Err() != nil:
		return errors.ErrStopped
	case ctx.Err() == nil:
		return err
	case stderrors.Is(ctx.Err(), context.Canceled):
		return errors.ErrCanceled
	}
	elected := n.standing.leaderSince()
	lost := elected.Add(-2 * n.cfg.ElectionTimeout)
	if began.After(lost) && began.Before(elected) {
		return errors.ErrTimeoutDueToLeaderFail
	}
	if lead := n.standing.lead.Load(); lead != raftpb.None && !n.connectedSince(lead, began) {
		return errors.ErrTimeoutDueToConnectionLost
	}
	return errors.ErrTimeout
}

// connectedSince reports whether a leader could hear of a proposal that began at some time, and the
// followers of it if this member leads.
func (n *Node) connectedSince(lead uint64, began time.Time) bool {
	since := func(id uint64) bool {
		t := n.transport.ActiveSince(id)
		return !t.IsZero() && t.Before(began)
	}
	if lead != n.standing.id {
		return since(lead)
	}
	connected, members := 1, n.store.Cluster().VotingMemberIDs()
	for _, id := range members {
		if uint64(id) != lead && since(uint64(id)) {
			connected++
		}
	}
	return connected > len(members)/2
}
