package peer

import (
	"context"
	"sync"
	"time"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// streamWriter writes messages to the connection that the member has dialled last.
type streamWriter struct {
	*line
	channel stream.Channel
	queue   *queue
	conns   chan *outgoing

	mu      sync.Mutex
	current *outgoing // nil: the member hasn't dialled
}

func newStreamWriter(l *line, c stream.Channel) *streamWriter {
	return &streamWriter{line: l, channel: c, queue: newQueue(queueMessages), conns: make(chan *outgoing)}
}

// send queues a message if the member has dialled; ok is false if there was no room.
func (w *streamWriter) send(m *raftpb.Message) (attached, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.current == nil {
		return false, false
	}
	return true, w.queue.push(m)
}

// serve has messages written to o until it fails or ends. It replaces the connection before, which the
// member has given up.
func (w *streamWriter) serve(o *outgoing) {
	w.mu.Lock()
	if w.current != nil {
		w.current.cancel(errReplaced)
	}
	w.mu.Unlock()
	select {
	case w.conns <- o:
		<-o.done
	case <-o.ctx.Done():
	}
}

// encoder is a stream.MessageWriter or a stream.AppendWriter.
type encoder interface{ Write(*raftpb.Message) error }

func (w *streamWriter) encoder(o *outgoing) encoder {
	e := &tappedEncoder{o: o, tap: w.t.tapStream(w.id, w.channel, true)}
	if w.channel == stream.ChannelAppend {
		e.encoder = stream.NewAppendWriter(o, stream.Link{From: w.t.cfg.ID, To: w.id}, w.t.cfg.Flavor)
	} else {
		e.encoder = stream.NewMessageWriter(o, w.t.cfg.Flavor)
	}
	if e.tap.tell == nil {
		return e.encoder
	}
	return e
}

// run is the only goroutine that writes, attaches and detaches.
func (w *streamWriter) run(ctx context.Context) {
	beat := time.NewTicker(w.t.cfg.times.beat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-w.conns:
			next := w.session(ctx, o, beat.C)
			for next != nil {
				next = w.session(ctx, next, beat.C)
			}
		}
	}
}

// session writes to o until that ends. It returns the connection that has replaced it, if one did.
func (w *streamWriter) session(ctx context.Context, o *outgoing, beat <-chan time.Time) (next *outgoing) {
	w.attach(o)
	enc, heartbeat := w.encoder(o), stream.LinkHeartbeat()
	for {
		var err error
		select {
		case <-ctx.Done():
			err = errStopped
		case next = <-w.conns:
			err = errReplaced
		case <-o.ctx.Done():
			err = context.Cause(o.ctx)
		case <-beat:
			if err = w.write(enc, &heartbeat); err == nil {
				err = o.Flush()
			}
		case <-w.queue.ready:
			err = w.drain(o, enc)
		}
		if err != nil {
			w.detach(o, err)
			return next
		}
	}
}

// drain writes what waits. It returns from time to time, so that nothing else is kept waiting.
func (w *streamWriter) drain(o *outgoing, enc encoder) error {
	const some = 1024
	var m raftpb.Message
	for n := 0; n < some && w.queue.pop(&m); n++ {
		if err := w.write(enc, &m); err != nil {
			return err
		}
	}
	if !w.queue.empty() {
		return nil // and there is a token in ready
	}
	return o.Flush()
}

func (w *streamWriter) write(enc encoder, m *raftpb.Message) error {
	err := enc.Write(m)
	if err == nil {
		w.counts.sentMessage(m)
	}
	return err
}

func (w *streamWriter) attach(o *outgoing) {
	w.mu.Lock()
	w.current = o
	w.mu.Unlock()
	w.status.active()
	w.log.Info("stream writer has a connection", "channel", w.channel)
}

// detach drops what waits: a new connection begins with what Raft sends then. Also what was written may
// not have arrived, so that a lost connection is reported in any case.
func (w *streamWriter) detach(o *outgoing, err error) {
	w.mu.Lock()
	w.current = nil
	w.queue.clear()
	w.mu.Unlock()
	o.release(err)
	if err != errStopped {
		w.reports.unreachable()
	}
	if err == errStopped || err == errReplaced {
		w.log.Info("stream writer gave up its connection", "channel", w.channel, "reason", err)
		return
	}
	w.counts.sendFailures.Inc()
	w.status.failed(string(w.channel)+" writer", err)
	w.log.Warn("stream writer lost its connection", "channel", w.channel, "error", err)
}
