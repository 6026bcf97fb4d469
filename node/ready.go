package node

import (
	"slices"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// handOn hands on what the core has to say, until it says no more.
func (l *loop) handOn() error {
	for l.core.HasReady() {
		rd, err := l.core.Ready()
		if err != nil {
			return err
		}
		l.noteStanding()
		if n := len(rd.ReadStates); n > 0 {
			l.n.reads.answer(rd.ReadStates)
		}
		l.dispatch(&rd)
	}
	return nil
}

// noteStanding tells everybody where the member stands.
func (l *loop) noteStanding() {
	st, led := l.core.BasicStatus(), l.n.standing.leads()
	l.n.metrics.committed.Set(float64(st.HardState.Commit))
	if !l.n.standing.set(&st) {
		return
	}
	leads := l.n.standing.leads()
	l.n.metrics.leaderChanged(st.SoftState.Lead, l.n.standing.id)
	l.n.log.Info("leader changed", "leader", hex(st.SoftState.Lead), "term", st.HardState.Term)
	if led && !leads {
		l.n.store.Lessor().Demote()
	}
}

// dispatch gives each message to whom it is for. A request for votes waits for the disk with what is
// written by the same Ready: a crash must not make the member forget that it campaigned.
func (l *loop) dispatch(rd *raft.Ready) {
	var send, votes []raftpb.Message
	var store *raftpb.Message
	for i := range rd.Messages {
		switch m := &rd.Messages[i]; {
		case m.To == raft.LocalAppendThread:
			store = m
		case m.To == raft.LocalApplyThread:
			l.n.applier.work.add(job{apply: m.Entries, replies: m.Responses}, entriesBytes(m.Entries))
		case m.Type == raftpb.MsgVote:
			votes = append(votes, *m)
		default:
			send = append(send, *m)
		}
	}
	l.n.send(send)
	if store == nil && len(votes) > 0 {
		store = &raftpb.Message{Type: raftpb.MsgStorageAppend}
	}
	if store != nil {
		m := *store
		m.Responses = append(slices.Clip(m.Responses), votes...)
		l.n.appender.work.add(m, minMessageBytes+entriesBytes(m.Entries))
	}
}

func entriesBytes(entries []raftpb.Entry) (n int64) {
	for i := range entries {
		n += int64(len(entries[i].Data)) + minMessageBytes
	}
	return n
}

// send sends messages to other members, and has snapshots made for those that need one. Messages to members
// that were removed are dropped.
func (n *Node) send(messages []raftpb.Message) {
	var out []raftpb.Message
	for i := range messages {
		m := &messages[i]
		switch {
		case n.store.Cluster().IsIDRemoved(typesID(m.To)):
		case m.Type == raftpb.MsgSnap:
			n.applier.work.add(job{snapshotFor: m}, minMessageBytes)
		default:
			out = append(out, *m)
		}
	}
	if len(out) > 0 {
		n.transport.Send(out)
	}
}
