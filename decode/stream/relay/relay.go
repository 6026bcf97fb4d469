// Package relay stands between members: it passes the bytes of their connections on, both ways, and makes events of
// what it passes. Whoever wants to hear what a member is told has the others dial the relay in its place.
//
// A member never waits for the events: what can't be decoded in time is passed on all the same, and is a gap.
//
// Where members speak TLS, the relay is one end of it on either side: it listens and dials with certificates of its own, which
// its route's Listener and TLS bring along, and what it decodes and passes on is what was said.
package relay

import (
	"bytes"
	"context"
	"crypto/tls"
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
	lastWords   = time.Second // for what somebody has said who takes no more
)

// Relay passes connections on.
type Relay struct {
	decoder *stream.Decoder
	source  string
	queue   *queue
	conns   atomic.Uint64
	failed  atomic.Uint64 // connections that could not be passed on
	refused func(to string, err error)
}

// New returns a relay that hands events to emit, from within Run, until it returns false. The source names the relay
// in the positions of events.
func New(source string, emit func(*stream.Event) bool) *Relay {
	return &Relay{
		decoder: stream.NewDecoder(emit), source: source, queue: newQueue(), refused: func(string, error) {},
	}
}

// UseProtocol says what connections speak; unless it is called, each is told by what it carries.
func (r *Relay) UseProtocol(p stream.Protocol) { r.decoder.UseProtocol(p) }

// TellRefused has a function called, by several goroutines, where TLS between the relay and a member that it dialled
// doesn't come about: with the Route's To, and why.
func (r *Relay) TellRefused(tell func(to string, err error)) { r.refused = tell }

// Conns returns how many connections were passed on, and how many could not be, since nobody listened behind the
// relay, or not in TLS as the relay speaks it.
func (r *Relay) Conns() (passed, failed uint64) {
	failed = r.failed.Load()
	return r.conns.Load() - failed, failed
}

// Route is where the relay listens, and where it passes connections on to.
type Route struct {
	Listener net.Listener // one of TLS, where members speak that
	To       string       // host:port
	TLS      *tls.Config  // with which To is dialled; nil: in plain text
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
		running.Go(func() { r.serve(ctx, in, route) })
	}
}

// serve passes one connection on. If nobody listens behind, the one who dialled is hung up on, as if it had dialled
// there.
func (r *Relay) serve(ctx context.Context, in net.Conn, route Route) {
	defer func() { _ = in.Close() }()
	id := r.conns.Add(1)
	out, err := r.dial(ctx, in, route)
	if err != nil {
		r.failed.Add(1)
		return
	}
	defer func() { _ = out.Close() }()
	defer context.AfterFunc(ctx, func() { _, _ = in.Close(), out.Close() })()
	from := [2]netip.AddrPort{address(in.RemoteAddr()), address(out.RemoteAddr())}
	c := r.decoder.Open(id, from)
	var left atomic.Bool // the one who dialled says no more
	var both sync.WaitGroup
	both.Go(func() {
		_, err := r.pass(c, 0, in, out)
		left.Store(errors.Is(err, io.EOF))
		hangUp(out, err)
	})
	both.Go(func() {
		n, err := r.pass(c, 1, out, in)
		if route.TLS != nil && !left.Load() {
			r.judgeEnd(route.To, n, err)
		}
		hangUp(in, err) // who then leaves, too
	})
	both.Wait()
}

func address(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}

// pass passes one direction of a connection on up to its end, and returns how many bytes came, and why it ended: io.EOF if
// the sender said so. What was read is told before it is passed on, so that no answer is told before what it answers.
func (r *Relay) pass(c *stream.Conn, dir stream.Direction, from, to net.Conn) (read int64, err error) {
	buf := make([]byte, bufferSize)
	next := chunk{conn: c, dir: dir, begin: true}
	for err == nil {
		var n int
		n, err = from.Read(buf)
		read += int64(n)
		if n > 0 {
			next = r.tell(next, buf[:n])
			if _, failed := to.Write(buf[:n]); failed != nil && err == nil {
				err = failed
			}
		}
	}
	next.end, next.whole, next.at = true, errors.Is(err, io.EOF), time.Now()
	r.queue.add(next)
	return read, err
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

// hangUp ends what is written to a connection, or all of it if it didn't end well. One that can't be written to may have said why:
// that is still read.
func hangUp(c net.Conn, why error) {
	if half, ok := c.(interface{ CloseWrite() error }); ok && errors.Is(why, io.EOF) {
		_ = half.CloseWrite() // what fails here has ended
		return
	}
	if op, ok := errors.AsType[*net.OpError](why); ok && op.Op == "write" {
		_ = c.SetReadDeadline(time.Now().Add(lastWords)) // as above
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
