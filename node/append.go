package node

import (
	"fmt"
	"path/filepath"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// appender writes the log. What waits while it writes goes into its next write, with one sync for all.
type appender struct {
	n    *Node
	work *queue[raftpb.Message] // MsgStorageAppend, in their order
	out  []raftpb.Message       // of answer: what it takes is used again
}

func newAppender(n *Node) *appender {
	return &appender{n: n, work: newQueue[raftpb.Message](0)}
}

func (a *appender) run() {
	for {
		select {
		case <-a.work.ready:
		case <-a.n.ctx.Done():
			return
		}
		for batch := a.work.take(); len(batch) > 0; {
			n, err := a.write(batch)
			if err != nil {
				a.n.fail(err)
				return
			}
			a.answer(batch[:n])
			batch = batch[n:]
		}
	}
}

// write makes the first messages of a batch durable, as many as one write can hold, and returns how many
// these are. One that overwrites entries of another begins a write of its own: an answer to the other
// speaks of them.
func (a *appender) write(batch []raftpb.Message) (n int, err error) {
	if batch[0].Snapshot != nil {
		return 1, a.install(&batch[0])
	}
	var state raftpb.HardState
	var entries []raftpb.Entry
	for ; n < len(batch) && batch[n].Snapshot == nil; n++ {
		m := &batch[n]
		if len(entries) > 0 && len(m.Entries) > 0 && m.Entries[0].Index != entries[len(entries)-1].Index+1 {
			break
		}
		entries = append(entries, m.Entries...)
		if s := stateOf(m); !s.IsEmpty() {
			state = s
		}
	}
	return n, a.store(state, entries)
}

func stateOf(m *raftpb.Message) raftpb.HardState {
	return raftpb.HardState{Term: m.Term, Vote: m.Vote, Commit: m.Commit}
}

// store writes to disk, and then to where the core reads.
func (a *appender) store(state raftpb.HardState, entries []raftpb.Entry) error {
	if err := a.n.wal.Append(state, entries); err != nil {
		return fmt.Errorf("%s: %w", a.n.cfg.walDir(), err)
	}
	if err := a.n.memory.Append(entries); err != nil {
		return err
	}
	if state.IsEmpty() {
		return nil
	}
	if err := a.n.memory.SetHardState(state); err != nil {
		return err
	}
	a.n.appended.Trigger(state.Commit)
	return nil
}

// answer delivers what waited for the disk. Of several acknowledgements to one member the last says it all.
func (a *appender) answer(batch []raftpb.Message) {
	out := a.out[:0]
	for i := range batch {
		if batch[i].Snapshot != nil {
			continue // answered when the state is in place: see install
		}
		for _, m := range batch[i].Responses {
			if k := len(out) - 1; k >= 0 && supersedes(&m, &out[k]) {
				out[k] = m
				continue
			}
			out = append(out, m)
		}
	}
	a.n.deliver(out)
	clear(out)
	a.out = out
}

// supersedes reports whether an acknowledgement says all that the one before it says.
func supersedes(m, before *raftpb.Message) bool {
	return m.Type == raftpb.MsgAppResp && before.Type == raftpb.MsgAppResp && m.To == before.To && m.Term == before.Term &&
		!m.Reject && !before.Reject && m.Index >= before.Index
}

// install stores a snapshot that the leader sent, whose database was saved when it came: the .snap file,
// the log's record of it, then the rest of the message. Then the applier puts the database in its place,
// and only then the core is answered.
func (a *appender) install(m *raftpb.Message) error {
	meta := m.Snapshot.Metadata
	if err := snapshot.Write(a.n.cfg.fs, a.n.cfg.snapDir(), m.Snapshot, a.n.cfg.flavor()); err != nil {
		return err
	}
	record := wal.Snapshot{Index: meta.Index, Term: meta.Term, ConfState: &meta.ConfState}
	if err := a.n.wal.SaveSnapshot(record); err != nil {
		return err
	}
	if err := a.n.wal.Append(stateOf(m), nil); err != nil {
		return err
	}
	if err := a.n.wal.Sync(); err != nil {
		return err
	}
	if err := a.n.memory.ApplySnapshot(raftpb.Snapshot{Metadata: meta}); err != nil {
		return err
	}
	if err := a.store(stateOf(m), m.Entries); err != nil {
		return err
	}
	done := make(chan struct{})
	a.n.applier.work.add(job{
		restore: &received{
			path: filepath.Join(a.n.cfg.snapDir(), snapshot.DBFileName(meta.Index)), meta: meta, done: done,
		},
		replies: m.Responses,
	}, minMessageBytes)
	select {
	case <-done:
	case <-a.n.ctx.Done():
	}
	return a.n.wal.ReleaseTo(meta.Index)
}

// received is a snapshot whose database waits to be put in its place.
type received struct {
	path string
	meta raftpb.SnapshotMetadata
	done chan struct{}
}

// deliver sends answers to whom they are for.
func (n *Node) deliver(replies []raftpb.Message) {
	var out []raftpb.Message
	for i := range replies {
		if replies[i].To == n.standing.id {
			n.loop.replies.add(replies[i], 0)
			continue
		}
		out = append(out, replies[i])
	}
	n.send(out)
}
