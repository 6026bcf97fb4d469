package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/node/peer"
	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
)

// handler takes what the transport brings from other members.
type handler struct{ n *Node }

var _ peer.Handler = handler{}

// Process implements peer.Handler.
func (h handler) Process(ctx context.Context, m raftpb.Message) error {
	switch {
	case h.IsRemoved(m.From):
		return peer.ErrRemoved
	case m.To != h.n.standing.id:
		return peer.ErrMismatch
	case m.Type == raftpb.MsgSnap && m.Snapshot != nil && !h.n.hasReceived(m.Snapshot.Metadata.Index):
		return fmt.Errorf("snapshot of entry %d comes without its database", m.Snapshot.Metadata.Index)
	case m.Type == raftpb.MsgApp, m.Type == raftpb.MsgProp:
		if err := h.n.checkEntries(m.Entries); err != nil {
			return err
		}
	}
	return h.n.loop.inbox.put(ctx, m, minMessageBytes+entriesBytes(m.Entries))
}

// checkEntries keeps out of the log what every member would end on when it is committed. No correct member sends it.
func (n *Node) checkEntries(entries []raftpb.Entry) error {
	for i := range entries {
		if err := kv.Check(&entries[i], n.cfg.As == "3.5"); err != nil {
			return err
		}
	}
	return nil
}

// hasReceived reports whether the database of a snapshot has come. Without it the snapshot is of no use.
func (n *Node) hasReceived(index uint64) bool {
	_, err := n.cfg.fs.Stat(filepath.Join(n.cfg.snapDir(), snapshot.DBFileName(index)))
	return err == nil
}

// SaveDatabase implements peer.Handler. The file has its name when all of it is on disk. A disk that can't take it ends the
// member: the leader would send it again for ever.
func (h handler) SaveDatabase(m *raftpb.Message, r io.Reader) error {
	dir := h.n.cfg.snapDir()
	f, err := os.CreateTemp(dir, "tmp")
	if err != nil {
		return h.diskFailed(err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // unless it was renamed
	_, err = io.Copy(onDisk{h, f}, r)
	if err == nil {
		err = h.diskFailed(f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	index, err := kv.AppliedIn(f.Name())
	if want := m.Snapshot.Metadata.Index; err == nil && index != want {
		err = fmt.Errorf("a database that has applied entry %d, want %d", index, want)
	}
	if err != nil {
		return err
	}
	if err := h.n.cfg.fs.Rename(f.Name(), filepath.Join(dir, snapshot.DBFileName(m.Snapshot.Metadata.Index))); err != nil {
		return h.diskFailed(err)
	}
	return h.diskFailed(h.n.cfg.fs.SyncDir(dir))
}

// diskFailed ends the member over an error of the disk.
func (h handler) diskFailed(err error) error {
	if err != nil {
		h.n.fail(err)
	}
	return err
}

// onDisk is a file that is written to; what can't be written ends the member, and what can't be read doesn't.
type onDisk struct {
	h    handler
	file *os.File
}

// Write implements io.Writer.
func (d onDisk) Write(p []byte) (int, error) {
	n, err := d.file.Write(p)
	return n, d.h.diskFailed(err)
}

// IsRemoved implements peer.Handler.
func (h handler) IsRemoved(id uint64) bool { return h.n.store.Cluster().IsIDRemoved(typesID(id)) }

// ReportUnreachable implements peer.Handler.
func (h handler) ReportUnreachable(id uint64) {
	h.n.loop.tell(func(core *raft.RawNode) error { return core.ReportUnreachable(id) })
}

// ReportSnapshot implements peer.Handler.
func (h handler) ReportSnapshot(id uint64, ok bool) {
	status := raft.SnapshotFailure
	if ok {
		status = raft.SnapshotFinish
	}
	h.n.loop.tell(func(core *raft.RawNode) error { return core.ReportSnapshot(id, status) })
	time.AfterFunc(catchUpTime, func() { h.n.memory.holds.Add(-1) })
}

// Removed implements peer.Handler.
func (h handler) Removed(by uint64) {
	h.n.fail(h.n.removedError(", as member " + hex(by) + " says"))
}
