package rawsocket

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"time"
)

// What goes over the loopback interface from or to a port is heard, once, and nothing else.
func TestHear(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	s, err := Open("lo", uint16(listener.Addr().(*net.TCPAddr).Port))
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Minute, s.Stop)
	buf := make([]byte, maxPacket)
	// The kernel begins to give times a moment after it was asked to; before that they are of the reading.
	for late := true; late; {
		if _, err := c.Write([]byte("something to hear")); err != nil {
			t.Fatal(err)
		}
		sent := time.Now()
		time.Sleep(20 * time.Millisecond) // so that times of reading tell themselves apart
		late = hear(t, s, buf, "something to hear").After(sent)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for ended := false; !ended; {
		n, _, err := s.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasSuffix(buf[:n], []byte("something to hear")) {
			t.Error("heard twice")
		}
		ended = buf[20+13]&1 != 0
	}
	if n, err := s.Dropped(); n != 0 || err != nil {
		t.Errorf("%d dropped, %v", n, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := s.Read(buf); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read when closed: %v", err)
	}
	if _, err := Open("no such interface"); err == nil {
		t.Error("an interface that isn't there can be heard")
	}
}

// hear reads packets up to one that ends so, and returns its time.
func hear(t *testing.T, s *Socket, buf []byte, end string) time.Time {
	t.Helper()
	for {
		n, at, err := s.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if buf[0] != 0x45 || at.IsZero() {
			t.Errorf("%x at %v", buf[:n], at)
		}
		if bytes.HasSuffix(buf[:n], []byte(end)) {
			return at
		}
	}
}
