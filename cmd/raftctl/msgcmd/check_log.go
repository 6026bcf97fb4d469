package msgcmd

import (
	"context"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// memberLog is the log of a member, open for reading.
type memberLog struct {
	log  *wal.Log
	view *wal.View
	dir  string
	// members is the earliest membership that it tells, after the entry at membersAt; nil: none.
	members   *raftpb.ConfState
	membersAt uint64
}

// memberLogs are the logs that --data-dir names.
type memberLogs []*memberLog

// openLogs opens the logs of data directories.
func openLogs(ctx context.Context, a *ui.App, dirs []string) (all memberLogs, err error) {
	for _, dir := range dirs {
		if err := all.open(ctx, a, dir); err != nil {
			_ = all.Close() // opened for reading
			return nil, fmt.Errorf("--data-dir %s: %w", ui.Quote(dir), err)
		}
	}
	return all, nil
}

func (l *memberLogs) open(ctx context.Context, a *ui.App, dir string) error {
	m, err := datadir.FindPath(dir, datadir.Options{Dir: a.Dir})
	if err != nil {
		return err
	}
	log, err := wal.OpenMember(m)
	if err != nil {
		return err
	}
	x := &memberLog{log: log, dir: dir}
	*l = append(*l, x)
	if x.view, err = log.View(ctx); err != nil {
		return err
	}
	x.members, x.membersAt, err = x.membership()
	return err
}

// membership returns the earliest membership that the log tells, after the entry at an index: that of its first
// snapshot, or what the entries make that it begins with. It is nil where the log tells none.
func (x *memberLog) membership() (cs *raftpb.ConfState, at uint64, err error) {
	for i := range x.view.Snapshots {
		s := &x.view.Snapshots[i]
		if s.Valid && s.ConfState != nil && (cs == nil || s.Index < at) {
			cs, at = s.ConfState, s.Index
		}
	}
	if x.view.Base.Index > 0 || x.view.First.Index != 1 {
		return cs, at, nil
	}
	var members decode.Members
	var request decode.Request
	for e, err := range x.view.Entries(1) {
		if err != nil {
			return nil, 0, err
		}
		if e.Type == raftpb.EntryNormal || decode.Payload(&request, e.Entry) != nil {
			break
		}
		_, _ = members.Apply(e.Index, &request) // verify tells what is wrong with it
	}
	first, ok := members.ConfState()
	if !ok || len(first.Voters) == 0 {
		return cs, at, nil
	}
	return &first, members.Index(), nil
}

// unite tells who is of one cluster by the logs.
func (l memberLogs) unite(c *stream.Clusters) {
	for _, x := range l {
		if x.members != nil {
			c.Unite(append(slices.Concat(x.members.Voters, x.members.Learners), x.view.Metadata.NodeID)...)
		}
	}
}

// options returns what the logs of a cluster's members tell the check: the earliest membership that one knows.
func (l memberLogs) options(c *stream.Clusters, number int) (o check.Options) {
	for _, x := range l {
		if n, ok := c.Of(x.view.Metadata.NodeID); !ok || n != number {
			continue
		}
		if x.members != nil && (o.Members == nil || x.membersAt < o.MembersAt) {
			o.Members, o.MembersAt = x.members, x.membersAt
		}
		o.Logs = append(o.Logs, check.Log{
			Member: x.view.Metadata.NodeID, Source: x.dir, Snapshot: x.view.Base, Last: x.view.Last, Commit: x.view.State.Commit,
			Entry: x.entry,
		})
	}
	return o
}

// entry returns an entry of the log.
func (x *memberLog) entry(index uint64) (e raftpb.Entry, ok bool) {
	if index < x.view.First.Index || index > x.view.Last.Index {
		return e, false
	}
	pos, err := x.view.Locate(index)
	if err != nil {
		return e, false
	}
	rec, err := x.log.ReadAt(pos)
	if err != nil || e.Unmarshal(rec.Data) != nil {
		return e, false
	}
	return e, true
}

// Close closes the logs.
func (l memberLogs) Close() error {
	for _, x := range l {
		_ = x.log.Close() // opened for reading
	}
	return nil
}
