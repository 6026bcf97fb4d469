package node

import (
	"context"
	"sync"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/lease"
)

// maxRevokes is how many expired leases are revoked at once; it is etcd's.
const maxRevokes = 16

// revokeExpired revokes leases that have expired by this member's clock, while it leads. Those that can't be
// revoked come again.
func (n *Node) revokeExpired() {
	if n.cfg.LeaseCheckpoints {
		n.store.Lessor().SetCheckpointer(n.checkpointLeases)
	}
	for {
		select {
		case leases := <-n.store.Lessor().ExpiredLeasesC():
			if !n.surelyLeads(n.ctx) {
				n.log.Warn("expired leases stay: this member doesn't lead any more", "leases", len(leases))
				continue
			}
			n.revoke(leases)
		case <-n.ctx.Done():
			return
		}
	}
}

// surelyLeads reports whether this member leads, by what a majority says: one that hung for a while still
// believes what was true before.
func (n *Node) surelyLeads(ctx context.Context) bool {
	return n.standing.leads() && n.Read(ctx) == nil && n.standing.leads()
}

// revoke proposes that leases end, and returns when all have their answers.
func (n *Node) revoke(leases []*lease.Lease) {
	var all sync.WaitGroup
	defer all.Wait()
	places := make(chan struct{}, maxRevokes)
	for _, l := range leases {
		select {
		case places <- struct{}{}:
		case <-n.ctx.Done():
			return
		}
		all.Go(func() {
			if err := n.revokeOne(l.ID); err != nil && n.ctx.Err() == nil {
				n.log.Warn("an expired lease stays", "lease", hex(uint64(l.ID)), "error", err)
			}
			<-places
		})
	}
}

// revokeOne revokes a lease as root, who may.
func (n *Node) revokeOne(id lease.LeaseID) error {
	r, err := n.Propose(n.store.Auth().WithRoot(n.ctx), &etcdserverpb.InternalRaftRequest{
		LeaseRevoke: &etcdserverpb.LeaseRevokeRequest{ID: int64(id)},
	})
	if err != nil {
		return err
	}
	if r.Err == nil {
		n.metrics.leasesExpired.Inc()
	}
	return r.Err
}

// checkpointLeases has all members note how long leases have left, so that the next leader doesn't begin
// anew with them.
func (n *Node) checkpointLeases(ctx context.Context, cp *etcdserverpb.LeaseCheckpointRequest) error {
	if !n.surelyLeads(ctx) {
		return lease.ErrNotPrimary
	}
	_, err := n.Propose(ctx, &etcdserverpb.InternalRaftRequest{LeaseCheckpoint: cp})
	return err
}
