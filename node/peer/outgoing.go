package peer

import (
	"bufio"
	"context"
	"net/http"
	"time"
)

// outgoing is the response to a member that has dialled a stream. Whoever has it writes to it until ctx
// ends, and then calls release; the handler of the request waits for that.
type outgoing struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	w      http.ResponseWriter
	conn   *http.ResponseController
	idle   time.Duration
	buf    *bufio.Writer
	size   int64 // bytes written into buf
	done   chan struct{}
}

func newOutgoing(ctx context.Context, w http.ResponseWriter, idle time.Duration) *outgoing {
	o := &outgoing{w: w, conn: http.NewResponseController(w), idle: idle, done: make(chan struct{})}
	o.ctx, o.cancel = context.WithCancelCause(ctx)
	o.buf = bufio.NewWriterSize(directly{o}, 64<<10)
	return o
}

// Write writes into the buffer.
func (o *outgoing) Write(b []byte) (int, error) {
	n, err := o.buf.Write(b)
	o.size += int64(n)
	return n, err
}

// Flush sends all that was written.
func (o *outgoing) Flush() error {
	if err := o.buf.Flush(); err != nil {
		return err
	}
	if err := o.extend(); err != nil {
		return err
	}
	return o.conn.Flush()
}

// release lets the handler return. Nothing may be written after it.
func (o *outgoing) release(err error) {
	o.cancel(err)
	close(o.done)
}

// interruptible ends a write that is going on when ctx ends, until the function it returns is called.
func (o *outgoing) interruptible() (stop func()) {
	cancel := context.AfterFunc(o.ctx, func() { _ = o.conn.SetWriteDeadline(time.Unix(1, 0)) })
	return func() {
		cancel()
		// What ends the response may still be sent, unless a write has failed.
		_ = o.conn.SetWriteDeadline(time.Now().Add(o.idle))
	}
}

// extend gives the next write its time. The order matters: after ctx has ended the deadline stays in the
// past. A writer that knows no deadlines has those of its listener.
func (o *outgoing) extend() error {
	_ = o.conn.SetWriteDeadline(time.Now().Add(o.idle))
	return context.Cause(o.ctx)
}

// directly writes to the connection, in parts that have their own time each.
type directly struct{ *outgoing }

func (d directly) Write(b []byte) (n int, err error) {
	const part = 256 << 10
	for len(b) > 0 && err == nil {
		if err = d.extend(); err != nil {
			return n, err
		}
		var k int
		k, err = d.w.Write(b[:min(len(b), part)])
		n, b = n+k, b[k:]
	}
	return n, err
}
