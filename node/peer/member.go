package peer

import (
	"context"
	"log/slog"
	"net/url"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// line is what all channels to a member share.
type line struct {
	t       *Etcd
	id      uint64 // of the member
	log     *slog.Logger
	urls    *urls
	status  *status
	reports *reports
	counts  *counts
}

// remote is one whose URLs are known, and perhaps no more: messages go to it by POST.
type remote struct {
	*line
	ctx      context.Context // ends when it is removed
	cancel   context.CancelFunc
	pipeline *pipeline
}

// startRemote is called with mu held.
func (t *Etcd) startRemote(id uint64, list []url.URL) *remote {
	log, counts := t.log.With("peer-id", hex(id)), t.newCounts(id)
	r := &remote{line: &line{
		t: t, id: id, log: log, urls: &urls{list: list}, status: &status{log: log, counts: counts},
		reports: newReports(id, t.cfg.Handler), counts: counts,
	}}
	r.ctx, r.cancel = context.WithCancel(t.ctx)
	r.pipeline = newPipeline(r.line)
	t.running.Go(func() { r.reports.run(r.ctx) })
	for range pipelineWorkers {
		t.running.Go(func() { r.pipeline.run(r.ctx) })
	}
	return r
}

// member is another member of the cluster.
type member struct {
	*remote
	appends  *streamWriter
	general  *streamWriter
	snapshot snapshotSender

	received  *queue // what came over streams, but for proposals
	proposals *queue // what came of these: they may have to wait for a leader
	full      seldom
}

// startMember makes a member of r, of whose messages none gets lost. It is called with mu held.
func (t *Etcd) startMember(r *remote) *member {
	m := &member{
		remote: r, snapshot: snapshotSender{line: r.line},
		appends:  newStreamWriter(r.line, stream.ChannelAppend),
		general:  newStreamWriter(r.line, stream.ChannelMessage),
		received: newQueue(queueMessages), proposals: newQueue(queueMessages),
	}
	for _, run := range []func(context.Context){
		m.appends.run, m.general.run, m.probe,
		func(ctx context.Context) { m.process(ctx, m.received) },
		func(ctx context.Context) { m.process(ctx, m.proposals) },
		func(ctx context.Context) { m.listen(ctx, stream.ChannelAppend) },
		func(ctx context.Context) { m.listen(ctx, stream.ChannelMessage) },
	} {
		t.running.Go(func() { run(m.ctx) })
	}
	return m
}

// send puts a message on the channel that etcd would choose: appends on their stream, the rest on the
// general one, and by POST what has no stream, or is a snapshot.
func (m *member) send(msg *raftpb.Message) {
	if msg.Type == raftpb.MsgSnap {
		m.pipeline.send(msg)
		return
	}
	attached, ok := false, false
	if msg.Type == raftpb.MsgApp {
		attached, ok = m.appends.send(msg)
	}
	if !attached {
		attached, ok = m.general.send(msg)
	}
	switch {
	case !attached:
		m.pipeline.send(msg)
	case !ok:
		m.dropped("sending", msg)
	}
}

// deliver takes a message that came over a stream.
func (m *member) deliver(msg *raftpb.Message) {
	if raftpb.IsLocalMsg(msg.Type) {
		m.log.Warn("a message that no member sends", "type", msg.Type)
		return
	}
	q := m.received
	if msg.Type == raftpb.MsgProp {
		q = m.proposals
	}
	if q.push(msg) {
		return
	}
	m.counts.receiveFailures.Inc()
	if m.full.now() {
		m.log.Warn("dropped a message that came: the queue is full", "type", msg.Type)
	}
}

// process hands over what waits in q.
func (m *member) process(ctx context.Context, q *queue) {
	var msg raftpb.Message
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.ready:
		}
		if !q.pop(&msg) {
			continue
		}
		if err := m.t.cfg.Handler.Process(ctx, msg); err != nil && ctx.Err() == nil {
			m.log.Warn("could not process a message", "type", msg.Type, "error", err)
		}
	}
}

// dropped tells of a message that found a full queue.
func (l *line) dropped(queue string, m *raftpb.Message) {
	l.reports.unreachable()
	l.counts.sendFailures.Inc()
	if m.Type == raftpb.MsgSnap {
		l.reports.noSnapshot()
	}
	l.log.Debug("dropped a message: the queue is full", "queue", queue, "type", m.Type)
}
