package peer

import (
	"context"
	"io"
	"net/http"
	"time"
)

// incoming is the body of a request whose sender must go on sending. A read that is going on ends with
// the request's context.
type incoming struct {
	ctx   context.Context
	body  io.Reader
	conn  *http.ResponseController
	idle  time.Duration
	whole bool  // all of it was read
	size  int64 // of what was read
	stop  func() bool
}

func newIncoming(w http.ResponseWriter, r *http.Request, idle time.Duration) *incoming {
	b := &incoming{ctx: r.Context(), body: r.Body, conn: http.NewResponseController(w), idle: idle}
	b.stop = context.AfterFunc(b.ctx, func() { b.until(time.Unix(1, 0)) })
	return b
}

// Read sets the deadline before it looks at ctx, so that after ctx has ended the deadline is in the past.
func (b *incoming) Read(p []byte) (int, error) {
	b.until(time.Now().Add(b.idle))
	if err := context.Cause(b.ctx); err != nil {
		return 0, err
	}
	n, err := b.body.Read(p)
	b.size += int64(n)
	if err == io.EOF {
		b.whole = true
		b.until(time.Time{}) // the server goes on reading, to see whether the other end hangs up
	}
	return n, err
}

// until sets the deadline of reads. Where that isn't possible, the connection has its listener's.
func (b *incoming) until(end time.Time) { _ = b.conn.SetReadDeadline(end) }

// release must be called before the handler returns.
func (b *incoming) release() {
	b.stop()
	if !b.whole {
		unread(b.conn)
	}
}

// unread bounds how long the server reads the rest of a body before it answers.
func unread(conn *http.ResponseController) { _ = conn.SetReadDeadline(time.Now().Add(time.Second)) }
