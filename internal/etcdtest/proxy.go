package etcdtest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy stands between a client and a server and does to their connections what networks do.
type Proxy struct {
	Endpoint string // host:port to which the client connects

	tb      testing.TB
	l       net.Listener
	target  string
	mu      sync.Mutex
	conns   []net.Conn // all that were opened
	stopped bool
}

// Fault is what happens to a connection once some bytes came from the server.
type Fault int

// The faults.
const (
	Cut  Fault = iota // both ends are closed
	Hang              // nothing is passed on any more
)

// NewProxy passes connections on to a server. After the given number of bytes from the server, on
// each connection, the fault occurs; a negative number is never reached. With an empty target there
// is no server: connections are accepted, and nothing is ever answered.
func NewProxy(tb testing.TB, target string, after int64, fault Fault) *Proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{Endpoint: l.Addr().String(), tb: tb, l: l, target: target}
	tb.Cleanup(p.Close)
	go p.accept(after, fault)
	return p
}

// Close ends all connections, and refuses new ones.
func (p *Proxy) Close() {
	_ = p.l.Close() // fails only where it was closed before
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	for _, c := range p.conns {
		_ = c.Close() // the other end may have done so
	}
}

// keep takes a connection in, so that Close ends it.
func (p *Proxy) keep(c net.Conn) net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		_ = c.Close() // nobody will use it
	}
	p.conns = append(p.conns, c)
	return c
}

func (p *Proxy) accept(after int64, fault Fault) {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return // closed
		}
		client := p.keep(c)
		if p.target == "" {
			continue
		}
		s, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close() // as a server that is not there
			continue
		}
		server := p.keep(s)
		go func() { _, _ = io.Copy(server, client) }() // ends with either
		go func() {
			if after < 0 {
				_, _ = io.Copy(client, server)
			} else if _, err := io.CopyN(client, server, after); err == nil && fault == Hang {
				return
			}
			_, _ = client.Close(), server.Close()
		}()
	}
}
