package node

import (
	"cmp"
	"context"
	"encoding/json"
	"io/fs"

	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// privateDir is the mode of a member's folders.
const privateDir fs.FileMode = 0o700

// bootstrap makes the log of a member that has none: that of a new cluster, or an empty one of a member
// that a cluster has added. From then on it is a member as any other.
func (n *Node) bootstrap(ctx context.Context) error {
	if n.cfg.Join {
		return n.join(ctx)
	}
	n.cfg.As = cmp.Or(n.cfg.As, Releases[len(Releases)-1])
	cluster, err := n.cfg.initialCluster(ctx, zapLogger(n.log))
	if err != nil {
		return err
	}
	if err := n.refuseKnown(ctx, cluster); err != nil {
		return err
	}
	self := cluster.MemberByName(n.cfg.Name)
	whose := wal.Metadata{NodeID: uint64(self.ID), ClusterID: uint64(cluster.ID())}
	entries, err := firstEntries(cluster, n.cfg.flavor())
	if err != nil {
		return err
	}
	state := raftpb.HardState{Term: 1, Commit: uint64(len(entries))}
	n.log.Info("begin a new cluster", "cluster", cluster.ID().String(), "member", self.ID.String(), "members", len(entries))
	return n.createLog(whose, state, entries)
}

// createLog makes a log of a few entries beside its place, and puts it there when it is durable.
func (n *Node) createLog(whose wal.Metadata, state raftpb.HardState, entries []raftpb.Entry) error {
	for _, dir := range []string{n.cfg.snapDir(), n.cfg.walDir()} {
		if err := vfs.MakeDirs(n.cfg.fs, dir, privateDir); err != nil {
			return err
		}
	}
	making := n.cfg.walDir() + ".new"
	if err := n.cfg.fs.RemoveAll(making); err != nil { // of a start that was killed
		return err
	}
	w, err := wal.Create(n.cfg.fs, making, wal.CreateOptions{Metadata: whose, WriterOptions: n.writerOptions()})
	if err != nil {
		return err
	}
	if err := w.Append(state, entries); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := n.cfg.fs.Remove(n.cfg.walDir()); err != nil { // it is empty: see hasLog
		return err
	}
	if err := n.cfg.fs.Rename(making, n.cfg.walDir()); err != nil {
		return err
	}
	return n.cfg.fs.SyncDir(n.cfg.walParent())
}

// firstEntries are the changes of the membership that the log of a new cluster begins with, on each member
// the same ones.
func firstEntries(cluster *membership.RaftCluster, flavor raftpb.Flavor) ([]raftpb.Entry, error) {
	var entries []raftpb.Entry
	for i, id := range cluster.MemberIDs() { // ascending
		context, err := json.Marshal(cluster.Member(id))
		if err != nil {
			return nil, err
		}
		cc := raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: uint64(id), Context: context}
		entries = append(entries, raftpb.Entry{
			Type: raftpb.EntryConfChange, Term: 1, Index: uint64(i) + 1, Data: cc.Marshal(flavor),
		})
	}
	return entries, nil
}
