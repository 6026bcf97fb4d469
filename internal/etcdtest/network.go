package etcdtest

import (
	"bytes"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Network is what the members of a cluster reach each other over. A member can be cut off from the others: what it says
// and is told then goes nowhere, and connections stay open, as where a cable is pulled.
type Network struct {
	tb testing.TB

	mu    sync.Mutex
	alone int    // which member is cut off, -1 for none
	id    string // its ID in hex, by which its connections are known
	conns map[*road]bool
}

// road is a connection from one member to another.
type road struct {
	from   string // ID of who dialled, in hex; "": not told, as of those that only ask for versions
	to     int
	ends   [2]net.Conn
	broken bool // something was not passed on: it is of no use any more
}

// NewNetwork puts a network between members: their URLs are those of the network from then on. It returns where they have to
// listen.
func NewNetwork(tb testing.TB, peers []Peer) (n *Network, listen []string) {
	tb.Helper()
	n = &Network{tb: tb, alone: -1, conns: map[*road]bool{}}
	for i := range peers {
		listen = append(listen, peers[i].URL)
		l, err := net.Listen("tcp", FreeAddr(tb))
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = l.Close() }) // nobody listens any more
		peers[i].URL = "http://" + l.Addr().String()
		go n.accept(l, i, strings.TrimPrefix(listen[i], "http://"))
	}
	tb.Cleanup(func() { n.closeAll(func(*road) bool { return true }) })
	return n, listen
}

// Isolate cuts off a member, whose ID is told in hex.
func (n *Network) Isolate(member int, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.alone, n.id = member, id
}

// Heal lets all members reach each other again. Connections over which something got lost end.
func (n *Network) Heal() {
	n.mu.Lock()
	n.alone = -1
	n.mu.Unlock()
	n.closeAll(func(r *road) bool { return r.broken })
}

func (n *Network) closeAll(which func(*road) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for r := range n.conns {
		if which(r) {
			r.close()
			delete(n.conns, r)
		}
	}
}

func (r *road) close() {
	for _, c := range r.ends {
		if c != nil {
			_ = c.Close() // the other end may have done so
		}
	}
}

func (n *Network) accept(l net.Listener, to int, target string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // closed
		}
		go n.serve(&road{to: to, ends: [2]net.Conn{c}}, target)
	}
}

var serverFrom = regexp.MustCompile(`(?i)\r\nX-Server-From: *([0-9a-f]+)\r\n`)

// serve passes a connection on, once the head of its first request has told who dialled.
func (n *Network) serve(r *road, target string) {
	n.mu.Lock()
	n.conns[r] = true
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if !r.broken {
			r.close()
			delete(n.conns, r)
		}
	}()
	head, buf := []byte(nil), make([]byte, 64<<10)
	for !bytes.Contains(head, []byte("\r\n\r\n")) {
		k, err := r.ends[0].Read(buf)
		if err != nil {
			return
		}
		head = append(head, buf[:k]...)
	}
	out, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	n.mu.Lock()
	r.ends[1] = out
	if m := serverFrom.FindSubmatch(head); m != nil {
		r.from = string(m[1])
	}
	n.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { n.pass(r, 0, head) })
	both.Go(func() { n.pass(r, 1, nil) })
	both.Wait()
}

// pass passes one direction on, and what was read of it already, until it ends.
func (n *Network) pass(r *road, dir int, first []byte) {
	from, to := r.ends[dir], r.ends[1-dir]
	buf := make([]byte, 64<<10)
	for b := first; ; {
		if len(b) > 0 && n.open(r) {
			if _, err := to.Write(b); err != nil {
				break
			}
		}
		k, err := from.Read(buf)
		if b = buf[:k]; err != nil {
			break
		}
	}
	if n.open(r) {
		_, _ = from.Close(), to.Close() // the other direction ends, too
	}
	_, _ = io.Copy(io.Discard, from)
}

// open reports whether what is sent over a connection arrives.
func (n *Network) open(r *road) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.alone >= 0 && (r.to == n.alone || r.from == n.id) {
		r.broken = true
	}
	return !r.broken
}
