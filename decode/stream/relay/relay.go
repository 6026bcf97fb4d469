// Package relay stands between members: it passes the bytes of their connections on, both ways, and makes events of
// what it passes. Whoever wants to hear what a member is told has the others dial the relay in its place.
//
// A member never waits for the events: what can't be decoded in time is passed on all the same, and is a gap.
package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
)

const (
	bufferSize  = 64 << 10 // of one read
	dialTimeout = 5 * time.Second
)

// Relay passes connections on.
type Relay struct {
	decoder *stream.Decoder
	source  string
	queue   *queue
	conns   atomic.Uint64
	failed  atomic.Uint64 // connections that could not be passed on
}

// New returns a relay that hands events to emit, from within Run, until it returns false. The source names the relay
// in the positions of events.
func New(source string, emit func(*stream.Event) bool) *Relay {
	return &Relay{decoder: stream.NewDecoder(emit), source: source, queue: newQueue()}
}

// UseProtocol says what connections speak; unless it is called, each is told by what it carries.
func (r *Relay) UseProtocol(p stream.Protocol) { r.decoder.UseProtocol(p) }

// Conns returns how many connections were passed on, and how many could not be, since nobody listened behind the
// relay.
func (r *Relay) Conns() (passed, failed uint64) {
	failed = r.failed.Load()
	return r.conns.Load() - failed, failed
}

// Route is where the relay listens, and where it passes connections on to.
type Route struct {
	Listener net.Listener
	To       string // host:port
}

// Run passes connections on until ctx ends or a listener fails, and returns when all of them are closed and all events
// handed over. It closes the listeners.
func (r *Relay) Run(ctx context.Context, routes []Route) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	for _, route := range routes {
		running.Go(func() {
			if err := r.accept(ctx, route, &running); ctx.Err() == nil {
				cancel(fmt.Errorf("listening at %v: %w", route.Listener.Addr(), err))
			}
		})
		context.AfterFunc(ctx, func() { _ = route.Listener.Close() })
	}
	go func() {
		running.Wait()
		r.queue.close()
	}()
	r.decode()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

func (r *Relay) accept(ctx context.Context, route Route, running *sync.WaitGroup) error {
	for {
		in, err := route.Listener.Accept()
		if err != nil {
			return err
		}
		running.Go(func() { r.serve(ctx, in, route.To) })
	}
}

// serve passes one connection on. If nobody listens behind, the one who dialled is hung up on, as if it had dialled
// there.
func (r *Relay) serve(ctx context.Context, in net.Conn, to string) {
	defer func() { _ = in.Close() }()
	id := r.conns.Add(1)
	out, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", to)
	if err != nil {
		r.failed.Add(1)
		return
	}
	defer func() { _ = out.Close() }()
	defer context.AfterFunc(ctx, func() { _, _ = in.Close(), out.Close() })()
	from := [2]netip.AddrPort{address(in.RemoteAddr()), address(out.RemoteAddr())}
	c := r.decoder.Open(id, from)
	var both sync.WaitGroup
	both.Go(func() { r.pass(c, 0, in, out) })
	both.Go(func() { r.pass(c, 1, out, in) })
	both.Wait()
}

func address(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}

// pass passes one direction of a connection on up to its end. What was read is told before it is passed on, so
// that no answer is told before what it answers.
func (r *Relay) pass(c *stream.Conn, dir stream.Direction, from, to net.Conn) {
	buf := make([]byte, bufferSize)
	next := chunk{conn: c, dir: dir, begin: true}
	for {
		n, err := from.Read(buf)
		if n > 0 {
			next = r.tell(next, buf[:n])
			if _, failed := to.Write(buf[:n]); failed != nil && err == nil {
				err = failed
			}
		}
		if err == nil {
			continue
		}
		next.end, next.whole, next.at = true, errors.Is(err, io.EOF), time.Now()
		r.queue.add(next)
		hangUp(to, next.whole)
		return
	}
}

// tell has bytes decoded, if there is room in the queue, and returns the chunk that what follows goes into.
func (r *Relay) tell(next chunk, b []byte) chunk {
	next.at = time.Now()
	next.bytes = bytes.Clone(b)
	if r.queue.add(next) {
		return chunk{conn: next.conn, dir: next.dir}
	}
	next.lost, next.bytes = next.lost+int64(len(b)), nil
	return next
}

// hangUp ends what is written to a connection, or all of it if it didn't end well.
func hangUp(c net.Conn, whole bool) {
	if half, ok := c.(interface{ CloseWrite() error }); ok && whole {
		_ = half.CloseWrite() // what fails here has ended
		return
	}
	_ = c.Close()
}

// decode takes what was passed on until nothing more will be.
func (r *Relay) decode() {
	at := stream.Seen{Pos: stream.Pos{Source: r.source}}
	for {
		list, ok := r.queue.take()
		if !ok {
			break
		}
		for i := range list {
			at.Time = list[i].at
			list[i].tell(at)
		}
	}
	if !r.decoder.Stopped() {
		r.decoder.Finish(at)
	}
}

// tell has the decoder take in what happened.
func (c *chunk) tell(at stream.Seen) {
	if c.begin {
		c.conn.Begins(c.dir)
	}
	if c.lost > 0 {
		c.conn.Lost(c.dir, c.lost, at)
	}
	if len(c.bytes) > 0 {
		c.conn.Data(c.dir, c.bytes, at)
	}
	if c.end {
		c.conn.End(c.dir, c.whole, at)
	}
}
