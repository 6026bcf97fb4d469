package node

import (
	"context"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/membershippb"
)

// publish tells the cluster this member's name and where clients find it, until that is applied. A member that
// joins may find that the leader's snapshot says so already: what it proposed is in there, and nobody answers it.
func (n *Node) publish() {
	before := n.isPublished()
	for n.ctx.Err() == nil {
		err := n.publishOnce()
		if err == nil || !before && n.isPublished() {
			close(n.ready)
			return
		}
		if n.pause(n.cfg.Tick, nil) {
			n.log.Warn("the cluster doesn't know of this member's clients yet", "error", err)
		}
	}
}

func (n *Node) publishOnce() error {
	ctx, cancel := context.WithTimeout(n.ctx, time.Second+2*n.cfg.ElectionTimeout)
	defer cancel()
	_, err := n.Propose(ctx, &etcdserverpb.InternalRaftRequest{
		ClusterMemberAttrSet: &membershippb.ClusterMemberAttrSetRequest{
			Member_ID:        n.standing.id,
			MemberAttributes: &membershippb.Attributes{Name: n.cfg.Name, ClientUrls: n.cfg.AdvertiseClientURLs},
		},
	})
	return err
}

// isPublished reports whether the members say what there is to tell.
func (n *Node) isPublished() bool {
	m := n.store.Cluster().Member(typesID(n.standing.id))
	return m != nil && m.Name == n.cfg.Name && slices.Equal(m.ClientURLs, n.cfg.AdvertiseClientURLs)
}
