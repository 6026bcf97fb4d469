package node

import (
	"context"
	stderrors "errors"
	"sync"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/etcdserver/errors"

	"github.com/raftctl/raftctl/node/kv"
)

// spaceAlarm raises the alarm for lack of space, one for all the requests that lack it at a time.
type spaceAlarm struct {
	mu     sync.Mutex
	raised chan struct{} // closed when the alarm that is being raised has its answer; nil: none is
}

// noSpace is called by the applier when a request was taken although it exceeds the quota. The alarm lets
// no more in.
func (n *Node) noSpace() {
	if !n.applier.running || hasAlarm(n.store, etcdserverpb.AlarmType_NOSPACE) {
		return
	}
	n.space.mu.Lock()
	defer n.space.mu.Unlock()
	if n.space.raised != nil {
		return
	}
	n.log.Warn("the database exceeds its quota: raise an alarm", "quota", n.cfg.QuotaBytes)
	raised := make(chan struct{})
	n.space.raised = raised
	n.running.Go(func() {
		n.raiseAlarm(n.ctx, n.standing.id, etcdserverpb.AlarmType_NOSPACE)
		n.space.mu.Lock()
		defer n.space.mu.Unlock()
		n.space.raised = nil
		close(raised)
	})
}

// alarmed waits, after a request that lacked space, until the alarm is raised: who is refused then finds
// the alarm.
func (n *Node) alarmed(ctx context.Context, r kv.Result) kv.Result {
	if !stderrors.Is(r.Err, errors.ErrNoSpace) {
		return r
	}
	n.space.mu.Lock()
	raised := n.space.raised
	n.space.mu.Unlock()
	if raised == nil {
		return r
	}
	select {
	case <-raised:
	case <-ctx.Done():
	case <-n.ctx.Done():
	}
	return r
}

func hasAlarm(s *kv.Store, kind etcdserverpb.AlarmType) bool {
	for _, a := range s.Alarms() {
		if a.Alarm == kind {
			return true
		}
	}
	return false
}

// raiseAlarm raises an alarm about a member, 0 for the whole cluster.
func (n *Node) raiseAlarm(ctx context.Context, about uint64, kind etcdserverpb.AlarmType) {
	r, err := n.Propose(ctx, &etcdserverpb.InternalRaftRequest{
		Alarm: &etcdserverpb.AlarmRequest{
			MemberID: about, Action: etcdserverpb.AlarmRequest_ACTIVATE, Alarm: kind,
		},
	})
	if err = stderrors.Join(err, r.Err); err != nil && n.ctx.Err() == nil {
		n.log.Warn("an alarm wasn't raised", "alarm", kind, "about", hex(about), "error", err)
	}
}
