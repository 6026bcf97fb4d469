package stat

import (
	"bytes"
	"time"

	"github.com/raftctl/raftctl/raftpb"
)

// unanswered is how long a heartbeat is waited for.
const unanswered = 5 * time.Second

// replicaKey is a leader in a term, and one of its followers, as one source shows them: each has its own clock, and the
// same messages may be in several.
type replicaKey struct {
	source                 string
	term, leader, follower uint64
}

// replica is what a leader sent to a follower and waits for.
type replica struct {
	sent, acked uint64
	appends     []appended
	beats       []beat
	// conns are the connections of the last heartbeat, of the last answer to one, and of the last entries: what was under
	// way on another one may be lost.
	conns     [3]uint64
	snapshot  int64 // the number of the last snapshot sent, 0 for none
	snapIndex uint64
}

// appended is a MsgApp that was sent.
type appended struct {
	last uint64
	at   time.Time
}

// beat is a heartbeat that was sent.
type beat struct {
	context []byte
	at      time.Time
}

// replicate takes what leaders send to followers, and their answers.
func (g *Gatherer) replicate(m *moment) {
	switch m.msg.Type {
	case raftpb.MsgApp, raftpb.MsgHeartbeat, raftpb.MsgSnap:
		if r := g.replica(replicaKey{m.Pos.Source, m.msg.Term, m.from, m.to}); r != nil {
			r.send(g, m)
		}
	case raftpb.MsgAppResp, raftpb.MsgHeartbeatResp:
		if r := g.replicas[replicaKey{m.Pos.Source, m.msg.Term, m.to, m.from}]; r != nil {
			r.answer(g, m)
		}
	}
}

// replica returns what is followed of a leader and a member, nil where there are too many.
func (g *Gatherer) replica(key replicaKey) *replica {
	r := g.replicas[key]
	if r != nil {
		return r
	}
	if len(g.replicas) >= maxFollowed {
		for old := range g.replicas {
			if old.term < key.term {
				delete(g.replicas, old)
			}
		}
	}
	if len(g.replicas) >= maxFollowed {
		g.s.Dropped++
		return nil
	}
	r = &replica{}
	g.replicas[key] = r
	return r
}

func (r *replica) send(g *Gatherer, m *moment) {
	switch msg := m.msg; msg.Type {
	case raftpb.MsgHeartbeat:
		if m.Conn != r.conns[0] {
			r.conns[0], r.beats = m.Conn, r.beats[:0]
		}
		r.beats = append(r.beats, beat{bytes.Clone(msg.Context), m.Time})
		if len(r.beats) > maxWaiting {
			r.beats = append(r.beats[:0], r.beats[maxWaiting/2:]...)
		}
	case raftpb.MsgApp:
		r.append(g, m)
	case raftpb.MsgSnap:
		g.sendSnapshot(r, m)
	}
}

func (r *replica) append(g *Gatherer, m *moment) {
	msg := m.msg
	f := g.follower(m.to)
	if r.sent > 0 && msg.Index < r.sent {
		f.Probes++
	}
	if len(msg.Entries) == 0 {
		return
	}
	if m.Conn != r.conns[2] {
		r.conns[2], r.appends = m.Conn, r.appends[:0]
	}
	last := msg.Index + uint64(len(msg.Entries))
	if last <= r.sent {
		return // sent again: it is waited for already
	}
	r.sent = last
	if r.acked > 0 {
		f.MaxBehind = max(f.MaxBehind, r.sent-min(r.sent, r.acked))
	}
	if len(r.appends) == maxWaiting {
		g.s.Dropped++
		r.appends = append(r.appends[:0], r.appends[maxWaiting/2:]...)
	}
	r.appends = append(r.appends, appended{last, m.Time})
}

func (r *replica) answer(g *Gatherer, m *moment) {
	f := g.follower(m.from)
	msg := m.msg
	switch {
	case msg.Type == raftpb.MsgHeartbeatResp:
		r.answerBeat(g, m)
	case msg.Reject:
		f.Rejections++
	case msg.Index > 0:
		r.acked = max(r.acked, msg.Index)
		n := 0
		for n < len(r.appends) && r.appends[n].last <= msg.Index {
			took := m.Time.Sub(r.appends[n].at)
			f.Append.Add(took)
			g.latencies[KindAppend].Add(took)
			n++
		}
		r.appends = append(r.appends[:0], r.appends[n:]...)
		if r.snapshot > 0 && msg.Index >= r.snapIndex {
			g.endSnapshot(r, m)
		}
	}
}

// answerBeat takes the answer to a heartbeat: the oldest that waits and has the same context.
func (r *replica) answerBeat(g *Gatherer, m *moment) {
	if n := len(r.beats); m.Conn != r.conns[1] && n > 0 {
		r.conns[1], r.beats = m.Conn, append(r.beats[:0], r.beats[n-1])
	}
	for i := range r.beats {
		b := &r.beats[i]
		took := m.Time.Sub(b.at)
		if took > unanswered || !bytes.Equal(b.context, m.msg.Context) {
			continue
		}
		g.follower(m.from).Heartbeat.Add(took)
		g.latencies[KindHeartbeat].Add(took)
		r.beats = append(r.beats[:0], r.beats[i+1:]...)
		return
	}
}

// sendSnapshot lists a snapshot.
func (g *Gatherer) sendSnapshot(r *replica, m *moment) {
	if m.msg.Snapshot == nil {
		return
	}
	g.follower(m.to).Snapshots++
	g.s.SnapshotsSeen++
	id := m.msg.Snapshot.Metadata.ID()
	r.snapshot, r.snapIndex = g.s.SnapshotsSeen, id.Index
	g.s.Snapshots = append(g.s.Snapshots, Snapshot{Time: m.Time, From: m.from, To: m.to, ID: id, Bytes: m.Size})
	if len(g.s.Snapshots) > maxSnapshots {
		g.s.Snapshots = append(g.s.Snapshots[:0], g.s.Snapshots[1:]...)
	}
}

// endSnapshot notes that the last snapshot that was sent is acknowledged.
func (g *Gatherer) endSnapshot(r *replica, m *moment) {
	i := len(g.s.Snapshots) - 1 - int(g.s.SnapshotsSeen-r.snapshot)
	r.snapshot = 0
	if i < 0 {
		return
	}
	x := &g.s.Snapshots[i]
	x.Took = m.Time.Sub(x.Time)
	g.latencies[KindSnapshot].Add(x.Took)
}
