package peer

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// SendSnapshot implements Transport. To one member goes one snapshot at a time: another one fails.
func (t *Etcd) SendSnapshot(m raftpb.Message, db Database) {
	leave, ok := t.enter()
	if !ok {
		_ = db.Close() // a snapshot that nobody gets
		return
	}
	go func() {
		defer leave()
		defer func() { _ = db.Close() }() // it was read, or isn't wanted
		peer := t.member(m.To)
		if peer == nil {
			t.log.Warn("could not send a snapshot", "peer-id", hex(m.To), "error", errUnknown)
			t.cfg.Handler.ReportSnapshot(m.To, false)
			return
		}
		peer.snapshot.send(peer.ctx, &m, db)
	}()
}

// snapshotSender sends snapshots with their databases. Each is reported once.
type snapshotSender struct {
	*line
	busy atomic.Bool
}

func (s *snapshotSender) send(ctx context.Context, m *raftpb.Message, db Database) {
	if !s.busy.CompareAndSwap(false, true) {
		s.sent(m, errBusy)
		return
	}
	defer s.busy.Store(false)
	s.log.Info("sending a snapshot", "index", index(m))
	end := s.t.metrics.snapshotsSent.begin(hex(s.id))
	r, w := io.Pipe()
	var failed error
	written := make(chan struct{})
	go func() {
		failed = s.write(w, m, db)
		close(written)
		_ = w.CloseWithError(failed) // always nil; the reader gets the error, or EOF
	}()
	err := s.post(ctx, r)
	select {
	case <-written:
		if failed != nil && !errors.Is(failed, errStopped) {
			err = failed // the cause
		}
	default: // the database itself doesn't come on, for which Raft must not wait
	}
	end(err == nil)
	s.sent(m, err)
	<-written
}

func (s *snapshotSender) sent(m *raftpb.Message, err error) {
	switch err {
	case nil:
		s.log.Info("sent database snapshot", "snapshot-index", index(m)) // etcd's words
		s.status.active()
	case errBusy:
		s.log.Warn("did not send a snapshot", "index", index(m), "error", err)
	default:
		s.log.Warn("could not send a snapshot", "index", index(m), "error", err)
		s.status.failed("snapshot", err)
		s.t.cfg.Handler.ReportUnreachable(s.id)
	}
	s.t.cfg.Handler.ReportSnapshot(s.id, err == nil)
}

func index(m *raftpb.Message) uint64 {
	if m.Snapshot == nil {
		return 0
	}
	return m.Snapshot.Metadata.Index
}

func (s *snapshotSender) write(w io.Writer, m *raftpb.Message, db Database) error {
	if err := stream.WriteSnapshotHead(w, m, s.t.cfg.Flavor); err != nil {
		return err
	}
	s.counts.sentMessage(m)
	tap := s.t.tapPost(s.id, channelSnapshot, true)
	tap.passed(m, snapshotHeadSize(m, s.t.cfg.Flavor))
	n, err := db.WriteTo(w)
	s.counts.sent.Add(float64(n))
	return err
}

// post sends a body that must come, and be taken, without long breaks.
func (s *snapshotSender) post(ctx context.Context, r *io.PipeReader) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// A request that was cancelled would wait for the end of a Read.
	context.AfterFunc(ctx, func() { _ = r.CloseWithError(errStopped) }) // always nil
	body := &watched{r: r, times: s.t.cfg.times}
	body.alarm = time.AfterFunc(body.times.stall, func() { cancel(errStalled) })
	defer body.alarm.Stop()
	err := s.line.post(ctx, request{
		path: stream.PathSnapshot, contentType: "application/octet-stream", body: body,
	})
	if err != nil && errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

// watched is a body that must go on. When all of it is sent the other end has time to store it.
type watched struct {
	r     io.Reader
	times timing
	alarm *time.Timer
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if err == io.EOF {
		w.alarm.Reset(w.times.answer)
	} else {
		w.alarm.Reset(w.times.stall)
	}
	return n, err
}
