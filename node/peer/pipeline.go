package peer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// pipeline sends messages that have no stream, each by a POST of its own. Several are on their way at a
// time, so that they may overtake each other.
type pipeline struct {
	*line
	queue *queue
}

func newPipeline(l *line) *pipeline { return &pipeline{line: l, queue: newQueue(pipelineMessages)} }

func (p *pipeline) send(m *raftpb.Message) {
	if !p.queue.push(m) {
		p.dropped("pipeline", m)
	}
}

// run is what each of the pipeline's workers does.
func (p *pipeline) run(ctx context.Context) {
	var m raftpb.Message
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.queue.ready:
		}
		if !p.queue.pop(&m) {
			continue
		}
		err := p.post(ctx, &m)
		if ctx.Err() != nil {
			return
		}
		p.posted(&m, err)
		m = raftpb.Message{} // its entries are not kept until the next one
	}
}

func (p *pipeline) posted(m *raftpb.Message, err error) {
	if err != nil {
		p.status.failed("pipeline", err)
		p.reports.unreachable()
		p.counts.sendFailures.Inc()
	} else {
		p.status.active()
		p.counts.sentMessage(m)
	}
	if m.Type == raftpb.MsgSnap {
		p.t.cfg.Handler.ReportSnapshot(p.id, err == nil)
	}
}

func (p *pipeline) post(ctx context.Context, m *raftpb.Message) error {
	ctx, cancel := context.WithTimeout(ctx, p.t.cfg.times.post)
	defer cancel()
	body := m.Marshal(p.t.cfg.Flavor)
	tap := p.t.tapPost(p.id, channelPipeline, true)
	tap.passed(m, int64(len(body)))
	return p.line.post(ctx, request{
		path: stream.PathPipeline, contentType: "application/protobuf", body: bytes.NewReader(body),
	})
}

// request is one to POST.
type request struct {
	path, contentType string
	body              io.Reader
}

// post sends a request to the member's URL in use. It tells the Handler if the member says that this one
// was removed.
func (l *line) post(ctx context.Context, r request) error {
	u := l.urls.pick()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, under(u, r.path), r.body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", r.contentType)
	l.t.setHeaders(req.Header)
	resp, err := l.t.others.RoundTrip(req)
	if err == nil {
		err = checkPosted(resp)
		_ = resp.Body.Close() // it was read
	}
	if err != nil {
		l.urls.failed(u)
	}
	if errors.Is(err, errSaysRemoved) {
		l.t.cfg.Handler.Removed(l.id)
	}
	return err
}
