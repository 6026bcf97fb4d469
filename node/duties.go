package node

// duties are what a member does by itself, beside serving; each is a goroutine that ends when the member
// stops.
func (n *Node) duties() []func() {
	return []func(){
		n.purge, n.publish, n.revokeExpired,
		n.keepClusterVersion, n.keepStorageVersion, n.endDowngrade,
		n.checkPeriodically, n.checkCompactions, n.compactWhileLeading,
		n.countOpenFiles, n.recorder.run,
	}
}
