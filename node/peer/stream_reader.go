package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// decoder is a stream.MessageReader or a stream.AppendReader.
type decoder interface {
	Read(*raftpb.Message) error
	Offset() int64
}

func (m *member) decoder(c stream.Channel, r io.Reader) decoder {
	if c == stream.ChannelAppend {
		return stream.NewAppendReader(r, stream.Link{From: m.id, To: m.t.cfg.ID})
	}
	return stream.NewMessageReader(r)
}

// listen dials a stream of the member and reads it, again and again.
func (m *member) listen(ctx context.Context, c stream.Channel) {
	for ctx.Err() == nil {
		next := time.Now().Add(m.t.cfg.times.retry)
		m.session(ctx, c)
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(next)):
		}
	}
}

// session reads one connection up to its end.
func (m *member) session(ctx context.Context, c stream.Channel) {
	body, err := m.dial(ctx, c)
	switch {
	case ctx.Err() != nil:
		return
	case errors.Is(err, errUnsupported):
		m.log.Debug("could not dial a stream", "channel", c, "error", err)
		return
	case err != nil:
		m.status.failed("dial "+string(c), err)
		return
	}
	defer func() { _ = body.Close() }() // nothing is owed to the other end
	m.status.active()
	m.log.Info("stream reader has a connection", "channel", c)
	err = m.read(m.decoder(c, body), m.t.tapStream(m.id, c, false))
	switch {
	case ctx.Err() != nil:
		return
	case err != io.EOF: // a clean end is a member that stops, or that took another connection
		m.status.failed(string(c)+" reader", err)
	}
	m.log.Warn("stream reader lost its connection", "channel", c, "error", err)
}

func (m *member) read(r decoder, tap tap) error {
	var msg raftpb.Message
	for {
		off := r.Offset()
		if err := r.Read(&msg); err != nil {
			return err
		}
		m.t.receivedMessage(&msg)
		tap.passed(&msg, r.Offset()-off)
		if !stream.IsLinkHeartbeat(&msg) {
			m.deliver(&msg)
		}
	}
}

// dial returns the body of a stream.
func (m *member) dial(ctx context.Context, c stream.Channel) (body io.ReadCloser, err error) {
	u := m.urls.pick()
	defer func() {
		if err != nil {
			m.urls.failed(u)
		}
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, under(u, c.Path(m.t.cfg.ID)), nil)
	if err != nil {
		return nil, err
	}
	m.t.setHeaders(req.Header)
	req.Header.Set(headerTo, hex(m.id))
	resp, err := m.t.streams.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if hasStreams(resp.Header) && resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	return nil, m.refused(resp)
}

// refused returns why the member has refused a stream.
func (m *member) refused(resp *http.Response) error {
	defer func() { _ = resp.Body.Close() }()
	if !hasStreams(resp.Header) {
		return errUnsupported
	}
	text, err := answerText(resp)
	if err != nil {
		return err
	}
	if resp.StatusCode == http.StatusGone {
		m.t.cfg.Handler.Removed(m.id)
		return errSaysRemoved
	}
	if resp.StatusCode == http.StatusPreconditionFailed {
		return preconditionError(text)
	}
	return fmt.Errorf("status %d: %s", resp.StatusCode, text)
}
