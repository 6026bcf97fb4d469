package node

import (
	"context"
	"encoding/json"
	stderrors "errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/etcd/server/v3/etcdserver/errors"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/lease/leasehttp"

	"github.com/raftctl/raftctl/raftpb"
)

// What only the leader can answer, others ask it on the peers' port.

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// RenewLease renews a lease, at the leader, and returns its time to live in seconds: -1 with lease.ErrLeaseNotFound.
// A leader that isn't one any more, and doesn't know it yet, has nothing to promise: the next one counts from when it
// was elected.
func (n *Node) RenewLease(ctx context.Context, id int64) (ttl int64, err error) {
	if n.surelyLeads(ctx) {
		if n.cfg.NoFastLeaseRenewal || n.store.Lessor().Lookup(lease.LeaseID(id)) == nil { // it may be on its way
			if err := n.waitApplied(ctx); err != nil {
				return 0, err
			}
		}
		ttl, err = n.store.Lessor().Renew(lease.LeaseID(id))
		switch {
		case err == nil:
			return ttl, nil
		case !stderrors.Is(err, lease.ErrNotPrimary):
			return -1, err
		}
	}
	err = n.askLeader(ctx, func(ctx context.Context, url string) (err error) {
		ttl, err = leasehttp.RenewHTTP(ctx, lease.LeaseID(id), url+leasehttp.LeasePrefix, n.transport.Client().Transport)
		return err
	})
	if stderrors.Is(err, lease.ErrLeaseNotFound) {
		return -1, err
	}
	return ttl, err
}

// LeaseTimeToLive asks the leader for the time that a lease has left.
func (n *Node) LeaseTimeToLive(
	ctx context.Context, r *etcdserverpb.LeaseTimeToLiveRequest,
) (answer *etcdserverpb.LeaseTimeToLiveResponse, err error) {
	if n.standing.leads() {
		return n.timeToLive(ctx, r)
	}
	err = n.askLeader(ctx, func(ctx context.Context, url string) error {
		found, err := leasehttp.TimeToLiveHTTP(ctx, lease.LeaseID(r.ID), r.Keys, url+leasehttp.LeaseInternalPrefix,
			n.transport.Client().Transport)
		if err == nil {
			answer = found.LeaseTimeToLiveResponse
		}
		return err
	})
	return answer, err
}

func (n *Node) timeToLive(
	ctx context.Context, r *etcdserverpb.LeaseTimeToLiveRequest,
) (*etcdserverpb.LeaseTimeToLiveResponse, error) {
	if err := n.waitApplied(ctx); err != nil {
		return nil, err
	}
	l := n.store.Lessor().Lookup(lease.LeaseID(r.ID))
	if l == nil {
		return nil, lease.ErrLeaseNotFound
	}
	answer := &etcdserverpb.LeaseTimeToLiveResponse{
		Header: &etcdserverpb.ResponseHeader{}, ID: r.ID, TTL: int64(l.Remaining().Seconds()), GrantedTTL: l.TTL(),
	}
	if r.Keys {
		for _, key := range l.Keys() {
			answer.Keys = append(answer.Keys, []byte(key))
		}
	}
	if n.store.Lessor().Lookup(l.ID) == nil { // it may have gone meanwhile
		return nil, lease.ErrLeaseNotFound
	}
	return answer, nil
}

// promoteByLeader passes the request to promote a learner on to the leader, with the caller's token.
func (n *Node) promoteByLeader(ctx context.Context, id uint64) (members []*membership.Member, err error) {
	err = n.askLeader(ctx, func(ctx context.Context, url string) error {
		members, err = n.askPromotion(ctx, url+"/members/promote/"+strconv.FormatUint(id, 10))
		return err
	})
	return members, err
}

func (n *Node) askPromotion(ctx context.Context, url string) ([]*membership.Member, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return nil, err
	}
	if token := tokenOf(ctx); token != "" {
		req.Header.Set("Authorization", token)
	}
	a, err := ask(n.transport.Client(), req)
	if err != nil {
		return nil, err
	}
	switch text := string(a.body); a.status {
	case http.StatusOK:
		var members []*membership.Member
		return members, json.Unmarshal(a.body, &members)
	case http.StatusRequestTimeout:
		return nil, errors.ErrTimeout
	case http.StatusNotFound:
		return nil, membership.ErrIDNotFound
	case http.StatusPreconditionFailed:
		for _, err := range []error{errors.ErrLearnerNotReady, membership.ErrMemberNotLearner} {
			if strings.Contains(text, err.Error()) {
				return nil, err
			}
		}
		fallthrough
	default:
		return nil, fmt.Errorf("member promote: unknown error(%s)", a.body)
	}
}

// tokenOf returns the token with which a request of a client came.
func tokenOf(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	for _, name := range []string{rpctypes.TokenFieldNameGRPC, rpctypes.TokenFieldNameSwagger} {
		if tokens := md.Get(name); len(tokens) > 0 {
			return tokens[0]
		}
	}
	return ""
}

// askLeader asks the leader at each of its URLs until one answers, and whoever is leader then until the
// time is up. An error that the leader's answer says is final.
func (n *Node) askLeader(ctx context.Context, ask func(ctx context.Context, url string) error) error {
	ctx, cancel := context.WithTimeout(ctx, n.RequestTimeout())
	defer cancel()
	for {
		for _, url := range n.leaderURLs() {
			err := ask(ctx, url)
			if err == nil || isAnswer(err) {
				return err
			}
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-n.ctx.Done():
			return errors.ErrStopped
		case <-ctx.Done():
			switch {
			case !n.HasLeader():
				return errors.ErrNoLeader
			case stderrors.Is(ctx.Err(), context.Canceled):
				return errors.ErrCanceled
			}
			return errors.ErrTimeout
		}
	}
}

// isAnswer reports whether an error is what the leader said.
func isAnswer(err error) bool {
	for _, said := range []error{
		lease.ErrLeaseNotFound, errors.ErrLearnerNotReady, membership.ErrMemberNotLearner, membership.ErrIDNotFound,
	} {
		if stderrors.Is(err, said) {
			return true
		}
	}
	return false
}

// leaderURLs returns where another member that leads is found; nothing while there is none.
func (n *Node) leaderURLs() []string {
	lead := n.standing.lead.Load()
	if lead == raftpb.None || lead == n.standing.id {
		return nil
	}
	if m := n.store.Cluster().Member(typesID(lead)); m != nil {
		return m.PeerURLs
	}
	return nil
}
