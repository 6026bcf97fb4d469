package sim

import (
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// checkChange checks that a member which acts upon a change of another one's membership would know of it after a crash
// at this moment: its log, as far as it is synced, has the change, and says that it is committed. Else it might
// campaign, then, in a membership that is no more.
func (l *life) checkChange(id uint64) {
	n := l.running()
	if n == nil {
		return
	}
	index := n.Status().Applied + 1 // of the change, unless it is a snapshot that tells
	var isChange bool
	var commit uint64
	log, err := wal.Open(vfs.DirFS(l.disk.mem.Crash(faultfs.Crash{}), "/member/wal"), ".")
	if err != nil {
		l.seat.w.fail("%s: %v", l.seat.name, err)
		return
	}
	defer func() { _ = log.Close() }() // it was only read
	for rec, err := range log.Records(wal.Recover) {
		if err != nil {
			break
		}
		var e raftpb.Entry
		var cc raftpb.ConfChange
		var state raftpb.HardState
		switch {
		case rec.Kind == wal.KindState && state.Unmarshal(rec.Data) == nil:
			commit = state.Commit
		case rec.Kind == wal.KindEntry && e.Unmarshal(rec.Data) == nil && e.Index == index:
			isChange = e.Type == raftpb.EntryConfChange && cc.Unmarshal(e.Data) == nil && cc.NodeID == id
		}
	}
	if isChange && commit < index {
		l.seat.w.fail("%s acts upon the change of member %x in entry %d, and on disk %d is committed", l.seat.name, id,
			index, commit)
	}
}
