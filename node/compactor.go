package node

import (
	"cmp"
	"context"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3compactor"
)

// makeCompactor makes what compacts the keys by itself, if that is asked for. It waits until the member
// leads.
func (n *Node) makeCompactor() (err error) {
	c := &n.cfg
	if c.AutoCompactionRetention == 0 {
		return nil
	}
	mode := cmp.Or(c.AutoCompactionMode, v3compactor.ModePeriodic)
	n.compactor, err = v3compactor.New(zapLogger(n.log), mode, c.AutoCompactionRetention, n.store.KV(), compactable{n})
	return err
}

// compactWhileLeading has the keys compacted while this member leads: once in the cluster, that is.
func (n *Node) compactWhileLeading() {
	if n.compactor == nil {
		return
	}
	n.compactor.Pause()
	n.compactor.Run()
	defer n.compactor.Stop()
	for {
		changed := n.LeaderChanged()
		if n.standing.leads() {
			n.compactor.Resume()
		} else {
			n.compactor.Pause()
		}
		select {
		case <-changed:
		case <-n.ctx.Done():
			return
		}
	}
}

// compactable has the cluster compact.
type compactable struct{ n *Node }

// Compact implements v3compactor.Compactable.
func (c compactable) Compact(
	ctx context.Context, r *etcdserverpb.CompactionRequest,
) (*etcdserverpb.CompactionResponse, error) {
	began := time.Now()
	got, err := c.n.Propose(ctx, &etcdserverpb.InternalRaftRequest{Compaction: r})
	if err != nil {
		return nil, err
	}
	if got.Err != nil {
		return nil, got.Err
	}
	c.n.log.Info("compacted", "revision", r.Revision, "took", time.Since(began))
	return &etcdserverpb.CompactionResponse{Header: &etcdserverpb.ResponseHeader{}}, nil
}
