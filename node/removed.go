package node

import (
	"fmt"
	"time"
)

// removedDelay is how long a member goes on that was removed, so that the others hear how far it has come;
// it is etcd's.
const removedDelay = time.Second

// isRemoved reports whether this member was removed from the cluster.
func (n *Node) isRemoved() bool { return n.store.Cluster().IsIDRemoved(typesID(n.standing.id)) }

// endIfRemoved ends the member, a little later, if it was removed.
func (n *Node) endIfRemoved() {
	if !n.isRemoved() {
		return
	}
	n.running.Go(func() {
		if n.pause(removedDelay, nil) {
			n.fail(n.removedError(""))
		}
	})
}

// removedError says that the member was removed, and what can be done.
func (n *Node) removedError(as string) error {
	return &HelpError{
		Err: fmt.Errorf("member %s: %w%s", hex(n.standing.id), ErrRemoved, as),
		Help: fmt.Sprintf("add it again as a new member with an empty directory; %[1]s stays as it is, "+
			"and raftctl snapshot restore --from-member %[1]s makes a cluster of its own of it", n.cfg.DataDir),
	}
}
